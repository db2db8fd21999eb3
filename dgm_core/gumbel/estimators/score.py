"""Score-function estimators: unbiased for every f, differentiable or not, and noisy.

References:
    Williams, Simple statistical gradient-following algorithms for connectionist reinforcement learning (1992).
    Kool, van Hoof, Welling, Buy 4 REINFORCE samples, get a baseline for free! (2019).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_core.gumbel.estimators.base import Function, draw, log_prob, path_only


def reinforce(
    f: Function, logits: Tensor, *, tau: float | Tensor = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """f(z) ∇ log p(z), Williams 1992. Arguments as for `Estimator`; no temperature."""
    return reinforce_with_baseline(f, logits, tau=tau, generator=generator, baseline=0.0)


def reinforce_with_baseline(
    f: Function,
    logits: Tensor,
    *,
    tau: float | Tensor = 1.0,
    generator: torch.Generator | None = None,
    baseline: float | Tensor | None = None,
) -> Tensor:
    """(f(z) − b) ∇ log p(z), unbiased since b does not depend on z.

    Args:
        f: (B, …, K) → (B,).
        logits: (B, …, K).
        tau: without effect.
        generator: of the samples.
        baseline: b, a number or (B,), chosen without looking at these samples; by default the mean of f over the
            *other* rows of this batch (0 for a batch of one).

    Returns:
        (B,).
    """
    index, hard = draw(logits, generator)
    value = f(hard)
    known = value.detach()
    if baseline is None:
        baseline = _mean_of_others(known)
    return value + (known - baseline) * path_only(log_prob(index, logits))


def leave_one_out(
    f: Function,
    logits: Tensor,
    *,
    tau: float | Tensor = 1.0,
    generator: torch.Generator | None = None,
    samples: int = 4,
) -> Tensor:
    """1/m Σ_i (f(z_i) − mean of the other f(z_j)) ∇ log p(z_i), Kool et al. 2019.

    Args:
        f: (m·B, …, K) → (m·B,); row r belongs to row r mod B of the logits.
        logits: (B, …, K).
        tau: without effect.
        generator: of the samples.
        samples: m, at least 2.

    Returns:
        (B,), by value the mean of f over a row's m samples.
    """
    if samples < 2:
        raise ValueError(f"Leave-one-out needs at least 2 samples, not {samples}.")
    rows = logits.repeat(samples, *([1] * (logits.ndim - 1)))
    index, hard = draw(rows, generator)
    value = f(hard).view(samples, -1)
    chance = log_prob(index, rows).view(samples, -1)
    known = value.detach()
    others = (known.sum(0) - known) / (samples - 1)
    return (value + (known - others) * path_only(chance)).mean(0)


def _mean_of_others(value: Tensor) -> Tensor:
    return (value.sum() - value) / max(1, len(value) - 1)
