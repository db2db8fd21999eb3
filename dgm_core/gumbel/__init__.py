"""Gumbel-Max and Gumbel-Softmax: noise, the relaxation, its law, gradient estimators, and a discrete VAE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dgm_core.gumbel.concrete import concrete_log_prob
from dgm_core.gumbel.estimators import ESTIMATORS, Estimator
from dgm_core.gumbel.expectation import expectation_curve
from dgm_core.gumbel.noise import sample_gumbel
from dgm_core.gumbel.relaxation import gumbel_softmax, weights_to_logits
from dgm_core.gumbel.topk import gumbel_top_k, plackett_luce_log_prob

if TYPE_CHECKING:
    from dgm_core.gumbel.experiment import DiscreteVAE

__all__ = [
    "ESTIMATORS",
    "DiscreteVAE",
    "Estimator",
    "concrete_log_prob",
    "expectation_curve",
    "gumbel_softmax",
    "gumbel_top_k",
    "plackett_luce_log_prob",
    "sample_gumbel",
    "weights_to_logits",
]


def __getattr__(name: str) -> object:
    """The declaration of the VAE, imported when asked for: who wants the mathematics needs no pydantic."""
    if name == "DiscreteVAE":
        from dgm_core.gumbel.experiment import DiscreteVAE

        return DiscreteVAE
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
