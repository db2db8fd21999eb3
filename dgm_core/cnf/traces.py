"""The trace of ∂f/∂z: exact, by autograd, or by one random probe (Hutchinson), and that probe's variance.

References:
    Hutchinson, A stochastic estimator of the trace of the influence matrix (1990).
    Grathwohl et al., FFJORD: Free-form continuous dynamics for scalable reversible generative models (2019), eq. 7–8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from dgm_core.cnf.fields import Field

TraceName = Literal["exact", "gaussian", "rademacher"]
Noise = Literal["gaussian", "rademacher"]
Trace = Callable[[Field, Tensor, Tensor], tuple[Tensor, Tensor]]
"""(field, t, z) → velocity (N, D) and trace or its estimate (N,)."""


def exact(field: Field, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """f and tr ∂f/∂z in closed form."""
    return field.with_trace(t, z)


def autograd(field: Field, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """f and tr ∂f/∂z by one autograd call for each dimension: the plain way, for comparison."""
    with torch.enable_grad():
        z = z if z.requires_grad else z.detach().requires_grad_(True)
        velocity = field(t, z)
        trace = torch.zeros_like(z[:, 0])
        for d in range(z.shape[1]):
            trace = trace + torch.autograd.grad(velocity[:, d].sum(), z, create_graph=True)[0][:, d]
    return velocity, trace


def draw(noise: Noise, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Probes ε with E ε εᵀ = I: standard normal, or ±1 with equal chance (Rademacher); as ``like``, (N, D).

    Example:
        >>> probe = draw("rademacher", torch.zeros(5, 2), torch.Generator().manual_seed(0))
        >>> bool((probe.abs() == 1).all())
        True
    """
    device = generator.device if generator is not None else like.device
    if noise == "gaussian":
        return torch.randn(like.shape, generator=generator, dtype=like.dtype, device=device).to(like.device)
    coins = torch.randint(0, 2, like.shape, generator=generator, device=device)
    return (coins * 2 - 1).to(like)


def hutchinson(field: Field, t: Tensor, z: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """f and the unbiased estimate εᵀ(∂f/∂z)ε of its trace, by one vector-Jacobian product (FFJORD, eq. 7).

    Args:
        field: f.
        t: time, shape ().
        z: points, (N, D).
        noise: probes ε, (N, D), with E ε εᵀ = I.
    """
    keep = torch.is_grad_enabled()
    with torch.enable_grad():
        z = z if z.requires_grad else z.detach().requires_grad_(True)
        velocity = field(t, z)
        product = torch.autograd.grad(velocity, z, noise, create_graph=keep)[0]
    return velocity, (product * noise).sum(-1)


class Hutchinson:
    """A trace by one probe that stays the same during a solve; otherwise an adaptive solver sees a rough field.

    Args:
        noise: probes, (N, D), one for each point of the solve.
    """

    def __init__(self, noise: Tensor) -> None:
        self.noise = noise

    def __call__(self, field: Field, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        return hutchinson(field, t, z, self.noise)


def named(name: TraceName, x: Tensor, generator: torch.Generator | None = None) -> Trace:
    """The trace of that name for a solve of the points ``x`` (N, D); probes are drawn once."""
    return exact if name == "exact" else Hutchinson(draw(name, x, generator))


def probe_variance(jacobian: Tensor, noise: Noise) -> Tensor:
    """Var εᵀAε in closed form, S = (A + Aᵀ)/2: Gaussian 2‖S‖²_F, Rademacher 2(‖S‖²_F − Σ s_ii²).

    Args:
        jacobian: A, (…, D, D).
        noise: the law of ε.

    Returns:
        Variances, (…).

    Example:
        >>> probe_variance(torch.eye(3), "rademacher").item()
        0.0
        >>> probe_variance(torch.eye(3), "gaussian").item()
        6.0
    """
    symmetric = (jacobian + jacobian.mT) / 2
    squares = symmetric.square()
    total = squares.sum((-2, -1))
    return 2 * (total if noise == "gaussian" else total - squares.diagonal(dim1=-2, dim2=-1).sum(-1))
