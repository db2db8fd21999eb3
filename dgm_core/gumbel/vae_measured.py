"""What a page asks about any trained state of a discrete VAE, finished or stopped: a short run of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field

from dgm_core import sources
from dgm_core.checks import write_checks
from dgm_core.declaration import extra
from dgm_core.errors import DataError
from dgm_core.experiment import TrainingFailedError
from dgm_core.gumbel.experiment import DiscreteVAE
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.gumbel.vae_checks import vae_checks
from dgm_core.views import Made, ModelView, Viewed


class VAEMeasured(ModelView):
    """Artifacts: ``checks`` (JSON), ``opening`` (`Opening`), ``melting`` (`Reel`)."""

    topic: ClassVar[str] = "gumbel"

    source: Annotated[
        str,
        Field(
            pattern=sources.PATTERN,
            title="Model",
            description="Which trained model: zoo:NAME for a shipped one, run:ID for a run.",
            json_schema_extra=extra(basic=True),
        ),
    ] = "zoo:gumbel-digits"
    seed: Annotated[
        int, Field(ge=0, le=999_999, title="Seed", description="Of all codes drawn.", json_schema_extra=extra())
    ] = 0

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure.

        Raises:
            TrainingFailedError: when the images are not on this machine.
        """
        assert isinstance(model, Viewed)
        declaration, vae = model.declaration, model.subject.to(device)
        if not (isinstance(declaration, DiscreteVAE) and isinstance(vae, CategoricalVAE)):
            raise TrainingFailedError("Only a discrete VAE can be measured here.")
        try:
            images = declaration.images()
        except DataError as error:
            raise TrainingFailedError(str(error)) from error
        found = vae_checks(vae, images.held_out.to(device), self.seed)
        return {"checks": write_checks(found), **dict(declaration.artifacts(vae, device))}
