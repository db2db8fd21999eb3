"""Gumbel-Softmax: a draw of a category, relaxed so that gradients pass.

References:
    Jang, Gu, Poole, Categorical reparameterization with Gumbel-Softmax (2017), eq. 2.
    Maddison, Mnih, Teh, The Concrete distribution (2017), section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from dgm_core.gumbel.noise import sample_gumbel, winner

_COLD = 1e-3
"""At lower temperatures z/τ could overflow (in half precision, whose largest number is 65,504, as the first)."""


def gumbel_softmax(
    logits: Tensor, tau: float | Tensor, hard: bool = False, generator: torch.Generator | None = None
) -> Tensor:
    """z_k = exp((log π_k + G_k)/τ) / Σ_j exp((log π_j + G_j)/τ), Jang et al. 2017, eq. 2.

    Args:
        logits: (…, K), log π up to a constant; −∞ where a category cannot be drawn, which then has z_k = 0 always.
        tau: temperature ≥ 0. At 0 the draw is the one-hot argmax and no gradient passes.
        hard: one-hot going forward, the gradient of the soft draw going back (straight-through).
        generator: of the noise.

    Returns:
        (…, K), rows on the simplex.

    Raises:
        ValueError: if a row of logits holds NaN or +∞, or −∞ alone, or if τ is negative or not finite.

    Example:
        >>> z = gumbel_softmax(torch.zeros(4, 3), tau=0.5)
        >>> bool((z.sum(-1) - 1).abs().max() < 1e-6)
        True
    """
    require_drawable(logits)
    require_temperature(tau)
    perturbed = logits + sample_gumbel(logits.shape, generator, logits.dtype, logits.device)
    if plain(tau) == 0:
        return winner(perturbed.detach())[1]
    soft = relax(perturbed, tau)
    if not hard:
        return soft
    return straight_through(winner(perturbed.detach())[1], soft)


def relax(perturbed: Tensor, tau: float | Tensor) -> Tensor:
    """softmax(z/τ) along the last axis, without overflow however small τ is.

    Args:
        perturbed: (…, K), log π + G, no row of −∞ alone.
        tau: above 0; a plain number is kept within what the dtype can say.

    Returns:
        (…, K).
    """
    if not isinstance(tau, Tensor):
        bounds = torch.finfo(perturbed.dtype)
        tau = min(max(tau, bounds.tiny), bounds.max)
        if tau > _COLD:
            return torch.softmax(perturbed / tau, dim=-1)
    below = perturbed - perturbed.detach().amax(-1, keepdim=True)
    return torch.softmax(below / tau, dim=-1)


def straight_through(hard: Tensor, soft: Tensor) -> Tensor:
    """``hard`` to the last bit going forward, the gradient of ``soft`` going back."""
    return hard + (soft - soft.detach())


def weights_to_logits(pi: Tensor | Sequence[float]) -> Tensor:
    """log π of weights that need not sum to 1; −∞ where a weight is 0: that category is never drawn.

    Args:
        pi: (…, K), not negative, not all zero.

    Returns:
        (…, K), normalised: exp sums to 1.

    Raises:
        ValueError: one sentence about what is wrong with the weights.

    Example:
        >>> weights_to_logits([3.0, 1.0, 0.0]).exp().tolist()
        [0.75, 0.25, 0.0]
    """
    weights = torch.as_tensor(pi)
    weights = weights if weights.is_floating_point() else weights.float()
    if weights.ndim == 0 or weights.shape[-1] == 0:
        raise ValueError("At least one category is needed.")
    if not bool(weights.isfinite().all()):
        raise ValueError("Every weight has to be a finite number.")
    if bool((weights < 0).any()):
        raise ValueError("A weight is negative; weights are 0 or more.")
    if bool((weights.amax(-1) == 0).any()):
        raise ValueError("All weights are 0; at least one category needs a positive weight.")
    scaled = weights / weights.amax(-1, keepdim=True)
    return torch.log(scaled / scaled.sum(-1, keepdim=True))


def plain(tau: float | Tensor) -> float:
    """A temperature as a number, whether or not it is being learned."""
    return float(tau.detach()) if isinstance(tau, Tensor) else float(tau)


def require_drawable(logits: Tensor) -> None:
    """Raises ValueError unless every row of logits (…, K) has a largest entry that is finite."""
    if logits.ndim == 0 or logits.shape[-1] == 0:
        raise ValueError("At least one category is needed.")
    # One finite sum settles nearly every case without a look at each row.
    known = logits.detach()
    if not bool(known.sum().isfinite()) and not bool(known.amax(-1).isfinite().all()):
        raise ValueError("Logits have to be numbers below infinity, and at least one of each row above −infinity.")


def require_temperature(tau: float | Tensor, *, zero: bool = True) -> None:
    """Raises ValueError unless τ is finite and at least 0, or above 0 where ``zero`` is False."""
    value = plain(tau)
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise ValueError(f"The temperature has to be {'0 or more' if zero else 'above 0'} and finite, not {value:g}.")
