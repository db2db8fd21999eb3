"""Residual = Euler: L blocks z ← z + f(z)/L with shared weights against the flow that they tend to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_core.neural_ode.problems import solution
from dgm_core.neural_ode.steps import walk
from dgm_core.neural_ode.vector_fields import VectorField

DEPTHS: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CURVE = 101


@dataclass(frozen=True)
class Residual:
    """What L residual blocks do to a cloud, for several L.

    Args:
        depths: the values of L.
        lines: for each L the hidden states (L + 1, N, D): a broken line for each point.
        times: (T,) of the exact flow.
        curves: (T, N, D) the exact flow.
        errors: for each L the root mean square over the cloud of |z_L − z(t₁)|; infinite where the blocks explode.
    """

    depths: tuple[int, ...]
    lines: tuple[Tensor, ...]
    times: Tensor
    curves: Tensor
    errors: tuple[float, ...]


def residual(field: VectorField, z0: Tensor, span: float, depths: Sequence[int] = DEPTHS) -> Residual:
    """Run L residual blocks of step span/L, for each L, beside the exact flow.

        z_{l+1} = z_l + (span / L) f(z_l)

    Args:
        field: f, of `PROBLEMS`.
        z0: (N, D) float64.
        span: t₁; 1 is the lecture's "Δt = 1" cut into L.
        depths: the values of L, each ≥ 1.

    Raises:
        ValueError: when a depth is not positive or the span is not.

    References:
        Lecture 13, "Neural ODE"; Chen et al. 2018, eqs. 1-2.

    Example:
        >>> from dgm_core.neural_ode.problems import PROBLEMS
        >>> found = residual(PROBLEMS["linear"].field(-1.0), torch.ones(1, 1, dtype=torch.float64), 1.0, (1, 2))
        >>> [float(line[-1]) for line in found.lines]
        [0.0, 0.25]
    """
    if span <= 0 or any(depth < 1 for depth in depths):
        raise ValueError("the span and every depth must be positive")
    times = torch.linspace(0, span, CURVE, dtype=torch.float64)
    curves = solution(field, z0, times)
    with torch.no_grad():
        lines = tuple(walk(field, z0, [span * l / depth for l in range(depth + 1)], "euler") for depth in depths)
    errors = tuple(_distance(line[-1], curves[-1]) for line in lines)
    return Residual(tuple(depths), lines, times, curves, errors)


def _distance(z: Tensor, expected: Tensor) -> float:
    apart = (z - expected).square().sum(-1).mean().sqrt()
    return float(torch.nan_to_num(apart, nan=torch.inf))
