"""What the page computes once of a trained model: the atlas of its codes, the tables of checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field

from dgm_core.checks import write_checks
from dgm_core.declaration import extra
from dgm_core.errors import DataError
from dgm_core.experiment import TrainingFailedError
from dgm_core.nn.code_model import CodeModel
from dgm_core.views import Made, ModelView, Viewed
from dgm_core.vqvae.atlas import chart_codes
from dgm_core.vqvae.checks import codebook_checks
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.layout import Layout
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.prior import CodePrior
from dgm_core.vqvae.prior_checks import prior_checks

MOST_IMAGES = 1_000
"""Images of either half that a table of checks looks at."""


class CodebookAtlas(ModelView):
    """A trained model's codebook seen through images of its set; artifact: ``atlas``, a `CodeAtlas`.

    The images are the first ``count`` of the set's half, in its order.
    """

    topic: ClassVar[str] = "vqvae"

    source: Annotated[str, ModelView.model_fields["source"]] = "zoo:vqvae-shapes"
    split: Annotated[
        Literal["test", "train"],
        Field(
            title="Images",
            description="Through which images the codes are seen.",
            json_schema_extra=extra(basic=True, labels={"test": "held out", "train": "trained with"}),
        ),
    ] = "test"
    count: Annotated[
        int,
        Field(
            ge=1,
            le=5_000,
            title="Count",
            description="How many images at most.",
            json_schema_extra=extra(unit="images", log=True),
        ),
    ] = 1_000
    layout: Annotated[
        Layout,
        Field(
            title="Projection",
            description="How codes and encoder outputs come into the plane.",
            json_schema_extra=extra(labels={"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}),
        ),
    ] = "pca"

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Chart the codes."""
        declaration, subject = declared(model)
        try:
            images = declaration.images().images(self.split)[: self.count]
            return {"atlas": chart_codes(subject, images, layout=self.layout).to_bytes()}
        except (DataError, ValueError) as error:
            raise TrainingFailedError(str(error)) from error


class CodebookChecks(ModelView):
    """A trained autoencoder's table of checks; artifact: ``checks``."""

    topic: ClassVar[str] = "vqvae"

    source: Annotated[str, ModelView.model_fields["source"]] = "zoo:vqvae-shapes"
    seed: Annotated[
        int, Field(ge=0, le=999_999, title="Seed", description="Of what is drawn.", json_schema_extra=extra())
    ] = 0

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure."""
        declaration, subject = declared(model)
        try:
            images = declaration.images()
        except DataError as error:
            raise TrainingFailedError(str(error)) from error
        train, test = (torch.tensor(half[:MOST_IMAGES]) for half in (images.train, images.test))
        return {"checks": write_checks(codebook_checks(subject, train, test, self.seed))}


class PriorChecks(ModelView):
    """A trained prior's table of checks; ``source`` is the prior's; artifact: ``checks``."""

    topic: ClassVar[str] = "vqvae"

    source: Annotated[str, ModelView.model_fields["source"]] = "zoo:vqvae-shapes-prior"
    seed: Annotated[
        int, Field(ge=0, le=999_999, title="Seed", description="Of the maps drawn.", json_schema_extra=extra())
    ] = 0

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure."""
        assert isinstance(model, Viewed)
        if not (isinstance(model.declaration, CodePrior) and isinstance(model.subject, CodeModel)):
            raise TrainingFailedError("A law of code maps is looked at here, and this model is none.")
        return {"checks": write_checks(prior_checks(model.subject, model.declaration.maps(), self.seed))}


def declared(model: Made) -> tuple[VQVAE, QuantisedAutoencoder]:
    """What is looked at, once it is known to be a model of this topic.

    Raises:
        TrainingFailedError: when it is another one.
    """
    assert isinstance(model, Viewed)
    if not (isinstance(model.declaration, VQVAE) and isinstance(model.subject, QuantisedAutoencoder)):
        raise TrainingFailedError(
            f"A model of the page vqvae is looked at here, not one of {model.declaration.topic or 'another'}."
        )
    return model.declaration, model.subject
