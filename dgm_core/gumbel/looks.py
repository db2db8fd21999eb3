"""Looks at a trained discrete VAE that take longer than a page may wait: the check table and the gap against τ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import nn

from dgm_core.checks import write_checks
from dgm_core.experiment import TrainingFailedError
from dgm_core.gumbel.elbo import independent_bernoulli
from dgm_core.gumbel.experiment import DiscreteVAE
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.gumbel.vae_checks import vae_checks
from dgm_core.gumbel.vae_views import gap_curve
from dgm_core.pack import pack
from dgm_core.views import Made, ModelView, Viewed

CURVE_IMAGES = 1_000


class VAELook(ModelView):
    """Artifacts: ``checks``; ``gap``, packed arrays of `GapCurve` with ``baseline``, the mean of independent pixels."""

    topic: ClassVar[str] = "gumbel"

    source: Annotated[str, ModelView.model_fields["source"]] = "zoo:gumbel-digits"
    seed: Annotated[int, Field(ge=0, le=999_999, title="Seed", description="Of all codes.")] = 0

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure on the held-out images."""
        vae, declaration = subject(model)
        vae, x = vae.to(device), declaration.images().held_out.to(device)
        curve = gap_curve(vae, x[:CURVE_IMAGES], seed=self.seed)
        arrays = {
            "taus": curve.taus, "relaxed": curve.relaxed, "relaxed_error": curve.relaxed_error,
            "hard": np.array(curve.hard), "gap": curve.gap, "gap_error": curve.gap_error,
            "baseline": np.array(float(independent_bernoulli(x, vae.mean).mean())),
        }  # fmt: skip
        return {"checks": write_checks(vae_checks(vae, x, self.seed)), "gap": pack({}, arrays)}


def subject(model: nn.Module) -> tuple[CategoricalVAE, DiscreteVAE]:
    """The VAE that is looked at and its declaration.

    Raises:
        TrainingFailedError: when the model is none.
    """
    if not (isinstance(model, Viewed) and isinstance(model.subject, CategoricalVAE)):
        raise TrainingFailedError("This model is no discrete VAE.")
    assert isinstance(model.declaration, DiscreteVAE)
    return model.subject, model.declaration
