"""Where the Concrete density is log-convex: the sign of the smallest eigenvalue of the Hessian of log p.

References:
    Maddison, Mnih, Teh, The Concrete distribution (2017), proposition 1: log-convex in x if τ ≤ 1/(K−1).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dgm_core.gumbel.noise import sample_gumbel


def scaled_curvature(log_x: Tensor, logits: Tensor, tau: float) -> Tensor:
    """Smallest eigenvalue of the Hessian of log p(x) along the simplex, in relative changes e_k = dx_k/x_k.

    With w_k = α_k x_k^{−τ} / Σ_j α_j x_j^{−τ}, from concrete_log_prob twice differentiated,

        eᵀ H e = (τ+1) Σ_k (1 − Kτ w_k) e_k² + Kτ² (Σ_k w_k e_k)²,    Σ_k x_k e_k = 0.

    The scale of each coordinate changes no sign (Sylvester), and keeps the numbers near 1 however near the boundary is.

    Args:
        log_x: (N, K), logarithms of points inside the simplex, which say how near to its faces they are however near.
        logits: (K,), log α, finite.
        tau: above 0.

    Returns:
        (N,): positive where log p is convex, in every direction along the simplex.
    """
    categories, x = log_x.shape[-1], log_x.exp()
    w = torch.softmax(logits - tau * log_x, -1)
    form = torch.diag_embed((tau + 1) * (1 - categories * tau * w)) + categories * tau**2 * _outer(w)
    normal = x / x.norm(dim=-1, keepdim=True)
    along = torch.eye(categories, dtype=x.dtype) - _outer(normal)
    # What points off the simplex gets an eigenvalue too large to be the smallest.
    ceiling = 2 * form.abs().sum((-2, -1)).view(-1, 1, 1)
    return torch.linalg.eigvalsh(along @ form @ along + ceiling * _outer(normal))[..., 0]


def lattice(categories: int, deepest: float, inner: int = 400, seed: int = 0) -> Tensor:
    """Logarithms of points of the simplex, most inside, some ever nearer to each face x_k = 0.

    Args:
        categories: K, at least 2.
        deepest: −log x_k of the points nearest to a face.
        inner: points drawn uniformly.
        seed: of those.

    Returns:
        (inner + 8K, K), float64.
    """
    generator = torch.Generator().manual_seed(seed)
    # Normalised exponentials are uniform on the simplex.
    inside = torch.log_softmax(-sample_gumbel((inner, categories), generator, torch.float64), -1)
    depths = torch.linspace(1.0, deepest, 8, dtype=torch.float64).view(-1, 1, 1)
    others = torch.log(-torch.expm1(-depths) / (categories - 1))
    near = torch.where(torch.eye(categories, dtype=torch.bool), -depths, others)
    return torch.cat([inside, near.reshape(-1, categories)])


def smallest(logits: Tensor, tau: float, seed: int = 0) -> float:
    """The smallest eigenvalue over `lattice`, in relative changes; log-convexity breaks next to a face, as w_k → 1.

    The lattice goes down to x_k = exp(−(40 + spread of log α)/τ), where w_k is 1 but for 1e-16.
    """
    double = logits.double()
    deepest = (40 + float(double.max() - double.min())) / tau
    return float(scaled_curvature(lattice(len(double), deepest, seed=seed), double, tau).min())


def centre_border(categories: int) -> float:
    """The τ at which the curvature at the centre of the uniform law turns, by bisection; theory says 1 for every K."""
    centre = torch.full((1, categories), -math.log(categories), dtype=torch.float64)
    low, high = 0.1, 10.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        convex = float(scaled_curvature(centre, torch.zeros(categories, dtype=torch.float64), middle)) > 0
        low, high = (middle, high) if convex else (low, middle)
    return (low + high) / 2


def _outer(v: Tensor) -> Tensor:
    return v.unsqueeze(-1) * v.unsqueeze(-2)
