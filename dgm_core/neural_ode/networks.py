"""The networks of this topic: a field f(t, z), and a few steps of a solver unrolled."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

FieldFunction = Callable[[float, Tensor], Tensor]
"""f(t, z): (N, D) → (N, D)."""
FixedMethod = Literal["euler", "midpoint", "rk4"]
EVALUATIONS: dict[str, int] = {"euler": 1, "midpoint": 2, "rk4": 4}
"""Evaluations of the field in one step."""


class FieldNetwork(nn.Module):
    """A multilayer perceptron f(t, z) with tanh units: the right-hand side of dz/dt = f(t, z).

    Args:
        dim: D.
        width: units of a hidden layer.
        depth: hidden layers, ≥ 1.
        timed: whether f depends on t; without, the field stands still.
        generator: draws the first weights.

    Example:
        >>> field = FieldNetwork(2, 8, 1, generator=torch.Generator().manual_seed(0))
        >>> field(0.0, torch.zeros(5, 2)).shape
        torch.Size([5, 2])
    """

    def __init__(
        self, dim: int, width: int = 32, depth: int = 2, *, timed: bool = False, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.dim = dim
        sizes = [dim, *[width] * depth, dim]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(m, n, generator=generator) / math.sqrt(m)) for m, n in pairwise(sizes)
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(n)) for n in sizes[1:])
        self.drift = nn.Parameter(torch.randn(width, generator=generator)) if timed else None
        with torch.no_grad():
            # The hyperplanes of the first layer lie about the data; a quiet last layer starts near the identity.
            self.biases[0].copy_(torch.randn(width, generator=generator))
            self.weights[-1].mul_(0.5)

    def forward(self, t: float | Tensor, z: Tensor) -> Tensor:
        """f(t, z): (N, D) → (N, D)."""
        bias = self.biases[0] if self.drift is None else self.biases[0] + t * self.drift
        h = torch.addmm(bias, z, self.weights[0])
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            h = torch.addmm(bias, torch.tanh(h), weight)
        return h

    def with_tangents(self, t: float | Tensor, z: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor]:
        """f(t, z) and its derivatives along some vectors: (N, D) and (K, N, D) → (N, D) and (K, N, D)."""
        bias = self.biases[0] if self.drift is None else self.biases[0] + t * self.drift
        h, slope = torch.addmm(bias, z, self.weights[0]), tangents @ self.weights[0]
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            h = torch.tanh(h)
            slope = ((1 - h * h) * slope) @ weight
            h = torch.addmm(bias, h, weight)
        return h, slope


def step(field: FieldFunction, method: FixedMethod, t: float, h: float, z: Tensor) -> tuple[Tensor, Tensor]:
    """One step from t to t + h: the state there and k₁ = f(t, z); the rk4 is Kutta's 3/8 rule, as torchdiffeq's.

    Args:
        field: f(t, z).
        z: (N, D).

    Example:
        >>> after, slope = step(lambda t, z: -z, "euler", 0.0, 0.5, torch.ones(1, 1))
        >>> after.item(), slope.item()
        (0.5, -1.0)
    """
    k1 = field(t, z)
    if method == "euler":
        return torch.add(z, k1, alpha=h), k1
    if method == "midpoint":
        return torch.add(z, field(t + h / 2, torch.add(z, k1, alpha=h / 2)), alpha=h), k1
    k2 = field(t + h / 3, torch.add(z, k1, alpha=h / 3))
    k3 = field(t + h * 2 / 3, torch.add(torch.add(z, k2, alpha=h), k1, alpha=-h / 3))
    k4 = field(t + h, torch.add(z, k1 - k2 + k3, alpha=h))
    return torch.add(z, torch.add(k1 + k4, k2 + k3, alpha=3.0), alpha=h / 8), k1


def unroll(
    field: FieldFunction, z: Tensor, span: tuple[float, float], steps: int, method: FixedMethod = "rk4"
) -> tuple[list[Tensor], list[Tensor]]:
    """Equal steps of a fixed method, differentiable by what torch records.

    Args:
        field: f(t, z).
        z: (N, D) at span[0].
        span: from and to; backwards too.
        steps: how many.

    Returns:
        The steps + 1 states on the grid, and the field at the first ``steps`` of them, each (N, D).

    Example:
        >>> states, slopes = unroll(lambda t, z: -z, torch.ones(1, 1, dtype=torch.float64), (0.0, 1.0), 8)
        >>> len(states), len(slopes), bool(abs(states[-1].item() - math.exp(-1)) < 1e-5)
        (9, 8, True)
    """
    h = (span[1] - span[0]) / steps
    states, slopes = [z], list[Tensor]()
    for k in range(steps):
        after, slope = step(field, method, span[0] + k * h, h, states[-1])
        states.append(after)
        slopes.append(slope)
    return states, slopes


def hermite(z0: Tensor, z1: Tensor, f0: Tensor, f1: Tensor, h: float | Tensor, s: Tensor) -> Tensor:
    """The cubic that has the values z₀, z₁ and the slopes f₀, f₁ at both ends of a step (Hairer et al. 1993, II.6.7).

    Args:
        z0, z1, f0, f1: (N, D).
        h: the step's length.
        s: (N, 1) in [0, 1], the share of the step that has passed.

    Returns:
        (N, D), off by O(h⁴).

    Example:
        >>> s = torch.tensor([[0.5]])
        >>> zero, one = torch.zeros(1, 1), torch.ones(1, 1)
        >>> hermite(zero, one, zero, 3 * one, 1.0, s).item()  # t³
        0.125
    """
    d = z1 - z0
    return z0 + s * d + s * (s - 1) * ((1 - 2 * s) * d + (s - 1) * h * f0 + s * h * f1)
