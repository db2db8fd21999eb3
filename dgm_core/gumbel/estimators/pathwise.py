"""Estimators that differentiate f along a relaxed or a straight-through path.

References:
    Bengio, Léonard, Courville, Estimating or propagating gradients through stochastic neurons (2013).
    Jang, Gu, Poole, Categorical reparameterization with Gumbel-Softmax (2017).
    Liu, Dong, Liu, Yu, Gao, Bridging discrete and backpropagation: straight-through and beyond (2023), algorithm 2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_core.gumbel.estimators.base import Function, draw, path_only, perturb
from dgm_core.gumbel.noise import winner
from dgm_core.gumbel.relaxation import relax, straight_through


def plain_straight_through(
    f: Function, logits: Tensor, *, tau: float | Tensor = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """f at the one-hot draw, the Jacobian of softmax(logits), without noise and at τ = 1, Bengio et al. 2013.

    Arguments as for `Estimator`; ``tau`` is without effect.
    """
    hard = draw(logits, generator)[1]
    return f(straight_through(hard, torch.softmax(logits, -1)))


def gumbel_softmax_path(
    f: Function, logits: Tensor, *, tau: float | Tensor = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """f at the relaxed draw softmax((log π + G)/τ) and its own gradient, also for τ, Jang et al. 2017, eq. 2.

    Arguments as for `Estimator`.
    """
    return f(relax(perturb(logits, generator), tau))


def straight_through_gumbel_softmax(
    f: Function, logits: Tensor, *, tau: float | Tensor = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """f at the argmax, the Jacobian of the relaxed draw at τ with the same noise, Jang et al. 2017, section 2.2.

    Arguments as for `Estimator`; the gradient of τ passes through the relaxed draw.
    """
    perturbed = perturb(logits, generator)
    return f(straight_through(winner(perturbed.detach())[1], relax(perturbed, tau)))


def reinmax(
    f: Function,
    logits: Tensor,
    *,
    tau: float | Tensor = 1.0,
    generator: torch.Generator | None = None,
    temperature: float = 1.0,
) -> Tensor:
    """f at the one-hot draw D, the Jacobian of 2 π₁ − π₀/2 with π₁ = (D + π₀)/2, Liu et al. 2023, algorithm 2.

    The Jacobian of softmax at a point p is diag(p) − ppᵀ; here at p = π₁, twice, and at p = π₀, half of it off.
    At temperature 1 this is Heun's rule, exact for f up to quadratic.

    Args:
        f: (B, …, K) → (B,).
        logits: (B, …, K).
        tau: without effect, since Heun's rule asks for temperature 1.
        generator: of the samples.
        temperature: of the softmax that is averaged with D, the paper's own τ.

    Returns:
        (B,).
    """
    hard = draw(logits, generator)[1]
    middle = (hard + torch.softmax(logits.detach() / temperature, -1)) / 2
    path = 2 * _softmax_path(middle, logits) - 0.5 * _softmax_path(torch.softmax(logits.detach(), -1), logits)
    return f(hard + path_only(path))


def _softmax_path(p: Tensor, logits: Tensor) -> Tensor:
    """Linear in the logits, with the Jacobian that softmax has at p, diag(p) − ppᵀ; 0 where nothing can be drawn."""
    finite = logits.masked_fill(logits == -torch.inf, 0.0)
    return p * (finite - (p * finite).sum(-1, keepdim=True))
