"""The Concrete law: the density of Gumbel-Softmax draws on the simplex.

References:
    Maddison, Mnih, Teh, The Concrete distribution: a continuous relaxation of discrete random variables (2017).
    Jang, Gu, Poole, Categorical reparameterization with Gumbel-Softmax (2017), appendix B.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dgm_core.gumbel.relaxation import require_drawable, require_temperature

_ROUNDING = 1e-5
"""How far a row's sum may be from 1: float32 rows, also when they are handed over as float64."""
_SAME = 1e-9
"""Exponents of the distance to the boundary that are nearer to 0 than this are 0."""


def concrete_log_prob(x: Tensor, logits: Tensor, tau: float) -> Tensor:
    """log p(x) = log Γ(K) + (K−1) log τ + Σ_k (log α_k − (τ+1) log x_k) − K log Σ_k α_k x_k^{−τ}, in nats.

    Maddison et al. 2017, definition 1, with respect to Lebesgue measure on x_1 … x_{K−1}.

    On the boundary it is the limit along the straight line from the centre. Where m coordinates are 0, the density
    goes there like ε to the power Kτ − m(τ+1): it vanishes (−∞) where that is positive and is infinite (+∞) where it is
    negative, so an edge of the triangle is infinite below τ = 1/2 and a corner below τ = 2. Categories that cannot be
    drawn (logit −∞) have x_k = 0 surely: the density is then that on the face of the others, and −∞ off that face.

    Args:
        x: (…, K), on the simplex up to rounding; anything else has density 0.
        logits: (…, K), log α up to a constant.
        tau: temperature above 0.

    Returns:
        (…), broadcast.

    Raises:
        ValueError: if τ is not above 0, or the logits hold NaN, +∞, or no category that can be drawn.

    Example:
        >>> flat = concrete_log_prob(torch.tensor([0.2, 0.8]), torch.zeros(2), 1.0)
        >>> round(float(flat), 6)  # K = 2, τ = 1: the uniform law on the segment
        0.0
    """
    require_drawable(logits)
    require_temperature(tau, zero=False)
    x, logits = torch.broadcast_tensors(x, logits)
    if x.numel() and bool(x.amin() > 0) and bool(logits.amin() > -torch.inf):
        return _inside(x, logits, tau).masked_fill(~_sums_to_one(x), -torch.inf)
    return _anywhere(x, logits, tau)


def _inside(x: Tensor, logits: Tensor, tau: float) -> Tensor:
    """The formula as it stands, for rows of x (…, K) that are all positive and logits that are all finite."""
    categories, log_x = x.shape[-1], x.log()
    score = torch.sub(logits, log_x, alpha=tau)
    constant = math.lgamma(categories) + (categories - 1) * math.log(tau)
    return constant + (score - torch.logsumexp(score, -1, keepdim=True) - log_x).sum(-1)


def _anywhere(x: Tensor, logits: Tensor, tau: float) -> Tensor:
    """The same on faces and for categories that cannot be drawn: (…, K) to (…)."""
    drawable = logits > -torch.inf
    zero = drawable & (x == 0)
    # Integers times a Python number would be float32 whatever x is.
    count, missing = drawable.sum(-1).to(x.dtype), zero.sum(-1).to(x.dtype)
    # A coordinate at 0 is ε, whose powers are counted apart: inside this function log ε = 0.
    log_x = torch.where(drawable & (x > 0), x, 1.0).log()
    log_alpha = torch.where(drawable, logits, 0.0)
    terms = torch.where(drawable, log_alpha - (tau + 1) * log_x, 0.0).sum(-1)
    leading = torch.where((missing > 0).unsqueeze(-1), zero, drawable)
    total = torch.logsumexp((logits - tau * log_x).masked_fill(~leading, -torch.inf), -1)
    value = torch.lgamma(count) + (count - 1) * math.log(tau) + terms - count * total
    power = count * tau - missing * (tau + 1)
    infinite = torch.where(power > 0, -torch.inf, torch.inf).to(value.dtype)
    value = torch.where((missing > 0) & (power.abs() > _SAME), infinite, value)
    proper = ((x >= 0) & (drawable | (x == 0))).all(-1)
    return value.masked_fill(~(proper & _sums_to_one(x)), -torch.inf)


def _sums_to_one(x: Tensor) -> Tensor:
    return (x.sum(-1) - 1).abs() <= _ROUNDING
