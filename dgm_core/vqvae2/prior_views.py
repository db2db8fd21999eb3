"""What the page computes once of trained laws of a hierarchy's codes: their table of checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field

from dgm_core.checks import write_checks
from dgm_core.declaration import extra
from dgm_core.experiment import TrainingFailedError
from dgm_core.views import Made, ModelView, Viewed
from dgm_core.vqvae2.prior import HierarchicalPrior
from dgm_core.vqvae2.prior_checks import prior_checks
from dgm_core.vqvae2.prior_law import HierarchicalLaw


class LayeredPriorChecks(ModelView):
    """Trained laws' table of checks; ``source`` is the laws'; artifact: ``checks``."""

    topic: ClassVar[str] = "vqvae2"

    source: Annotated[str, ModelView.model_fields["source"]] = "zoo:vqvae2-shapes-prior"
    seed: Annotated[
        int, Field(ge=0, le=999_999, title="Seed", description="Of what is drawn.", json_schema_extra=extra())
    ] = 0

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure."""
        declaration, law = declared(model)
        return {"checks": write_checks(prior_checks(law, declaration.maps(), self.seed))}


def declared(model: Made) -> tuple[HierarchicalPrior, HierarchicalLaw]:
    """What is looked at, once it is known to be the laws of a hierarchy.

    Raises:
        TrainingFailedError: when it is something else.
    """
    assert isinstance(model, Viewed)
    if not (isinstance(model.declaration, HierarchicalPrior) and isinstance(model.subject, HierarchicalLaw)):
        raise TrainingFailedError("Laws of a hierarchy's codes are looked at here, and this model is none.")
    return model.declaration, model.subject
