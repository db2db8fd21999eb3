"""What the page computes once of a trained hierarchy: the table of checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field

from dgm_core.checks import write_checks
from dgm_core.declaration import extra
from dgm_core.errors import DataError
from dgm_core.experiment import TrainingFailedError
from dgm_core.views import Made, ModelView, Viewed
from dgm_core.vqvae2.checks import hierarchy_checks
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.model import HierarchicalAutoencoder

MOST_IMAGES = 1_000
"""Images of either half that a table of checks looks at."""


class HierarchyChecks(ModelView):
    """A trained hierarchy's table of checks; artifact: ``checks``."""

    topic: ClassVar[str] = "vqvae2"

    source: Annotated[str, ModelView.model_fields["source"]] = "zoo:vqvae2-shapes"
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
        return {"checks": write_checks(hierarchy_checks(subject, train, test, self.seed))}


def declared(model: Made) -> tuple[VQVAE2, HierarchicalAutoencoder]:
    """What is looked at, once it is known to be a hierarchy of this topic.

    Raises:
        TrainingFailedError: when it is another one.
    """
    assert isinstance(model, Viewed)
    if not (isinstance(model.declaration, VQVAE2) and isinstance(model.subject, HierarchicalAutoencoder)):
        raise TrainingFailedError(
            f"A hierarchy of the page vqvae2 is looked at here, not a model of {model.declaration.topic or 'another'}."
        )
    return model.declaration, model.subject
