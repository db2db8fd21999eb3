"""Straight-through Gumbel-Softmax with its noise averaged out given the draw.

References:
    Paulus, Maddison, Krause, Rao-Blackwellizing the straight-through Gumbel-Softmax gradient estimator (2021).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_core.gumbel.estimators.base import Function, draw, path_only
from dgm_core.gumbel.noise import arrivals_given_winner
from dgm_core.gumbel.relaxation import plain

_BLOCK = 160_000
"""Entries of one block of relaxed draws; they stay in cache."""
_COLDEST = 1e-20
"""A lower temperature makes the same draws, one-hot, but overflows."""


def gumbel_rao(
    f: Function,
    logits: Tensor,
    *,
    tau: float | Tensor = 1.0,
    generator: torch.Generator | None = None,
    samples: int = 100,
) -> Tensor:
    """f at the one-hot draw D, the mean Jacobian of softmax((log π + G)/τ) over M draws of G given D.

    Its mean is that of the straight-through Gumbel-Softmax, its variance smaller; f is evaluated once, Paulus et al.
    2021. The Jacobian of one relaxed draw s is (diag(s) − ssᵀ)/τ, so the means of s and of ssᵀ are all that is
    kept, and no graph goes through the M draws.

    Args:
        f: (B, …, K) → (B,).
        logits: (B, …, K).
        tau: above 0; no gradient passes to it.
        generator: of the samples.
        samples: M.

    Returns:
        (B,).
    """
    index, hard = draw(logits, generator)
    heat = plain(tau)
    mean, second = _moments(torch.log_softmax(logits.detach(), -1), index, heat, samples, generator)
    finite = logits.masked_fill(logits == -torch.inf, 0.0)
    path = (mean * finite - (second @ finite.unsqueeze(-1)).squeeze(-1)) / heat
    return f(hard + path_only(path))


@torch.no_grad()
def _moments(
    log_pi: Tensor, index: Tensor, tau: float, samples: int, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """Means of s (B, …, K) and of ssᵀ (B, …, K, K) over M relaxed draws given the winner, made block by block."""
    categories = log_pi.shape[-1]
    rows, winners = log_pi.reshape(-1, categories), index.reshape(-1, 1)
    height = max(1, _BLOCK // (samples * categories))
    means, seconds = [], []
    for some, won in zip(rows.split(height), winners.split(height), strict=True):
        arrivals = arrivals_given_winner(some, won, generator, samples)
        soft = torch.softmax(arrivals.log_().mul_(-1 / max(tau, _COLDEST)), 0)
        means.append(soft.mean(1).T)
        by_row = soft.permute(2, 0, 1).contiguous()
        seconds.append(by_row @ by_row.mT)
    second = torch.cat(seconds) / samples
    return torch.cat(means).view(log_pi.shape), second.view(*log_pi.shape, categories)
