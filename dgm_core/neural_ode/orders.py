"""Error against steps and evaluations, and the order read from it by regression."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from dgm_core.neural_ode.solve import ADAPTIVE, BlowUpError, solve
from dgm_core.neural_ode.steps import FieldFunction

ORDERS: dict[str, int] = {
    "euler": 1, "midpoint": 2, "heun2": 2, "heun3": 3, "rk4": 4, "bosh3": 3, "dopri5": 5, "dopri8": 8,
    "explicit_adams": 3, "implicit_adams": 4,
}  # fmt: skip
"""What theory says, of the methods as used here; torchdiffeq's adaptive Heun is left out.

It takes the slope at the end of one step, asked at Euler's guess, for the slope at the start of the next.
"""
STEPS: tuple[int, ...] = (4, 8, 16, 32, 64, 128, 256, 512)
TOLERANCES: tuple[float, ...] = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
CORRECTOR = 1e-12
"""Tolerance at which the implicit Adams method's equation counts as solved."""


@dataclass(frozen=True)
class Work:
    """One solver at several settings.

    Args:
        method: its name.
        settings: (K,) numbers of steps (fixed) or relative tolerances (adaptive).
        steps: (K,) steps that were taken.
        nfe: (K,) evaluations.
        errors: (K,) root mean square over the points of |z − truth| at the end; infinite where the solve broke off.
        scale: the size of the truth, for judging an error.
    """

    method: str
    settings: tuple[float, ...]
    steps: tuple[int, ...]
    nfe: tuple[int, ...]
    errors: tuple[float, ...]
    scale: float


@dataclass(frozen=True)
class Slope:
    """A straight line through points.

    Args:
        value: its slope.
        error: the slope's standard error; NaN through two points, which any line meets.
        intercept: its value at 0.
        count: points.
    """

    value: float
    error: float
    intercept: float
    count: int


def work(
    field: FieldFunction | nn.Module, z0: Tensor, truth: Tensor, span: float, method: str,
    settings: Sequence[float] | None = None,
) -> Work:  # fmt: skip
    """Solve from 0 to ``span`` at each setting and compare the end with the truth.

    Args:
        field: f(t, z).
        z0: (N, D) float64.
        truth: (N, D) z(span).
        span: t₁ > 0.
        method: of `dgm_core.neural_ode.solve.METHODS`.
        settings: numbers of steps, or tolerances of an adaptive method; None takes `STEPS` or `TOLERANCES`.

    Example:
        >>> found = work(lambda t, z: -z, torch.ones(1, 1), torch.full((1, 1), math.exp(-1)), 1.0, "euler", [1, 2])
        >>> found.nfe, [round(error, 3) for error in found.errors]
        ((1, 2), [0.368, 0.118])
    """
    adaptive = method in ADAPTIVE
    chosen = tuple(settings or (TOLERANCES if adaptive else STEPS))
    rows = [_one(field, z0, truth, span, method, setting, adaptive) for setting in chosen]
    steps, nfe, errors = zip(*rows, strict=True)
    return Work(method, chosen, steps, nfe, errors, float(truth.square().sum(-1).mean().sqrt()))


def slope(x: Sequence[float], y: Sequence[float]) -> Slope:
    """Least squares line of y on x, its slope with its standard error.

    Raises:
        ValueError: with fewer than two points, or one x only.

    Example:
        >>> slope([0.0, 1.0, 2.0], [1.0, 3.0, 5.0]).value
        2.0
    """
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(a) < 2 or np.ptp(a) == 0:
        raise ValueError("a slope needs two points at different places")
    centred = a - a.mean()
    value = float(centred @ b / (centred @ centred))
    left = b - b.mean() - value * centred
    error = math.sqrt(float(left @ left) / (len(a) - 2) / float(centred @ centred)) if len(a) > 2 else math.nan
    return Slope(value, error, float(b.mean() - value * a.mean()), len(a))


def asymptotic(found: Work, low: float = 1e-12, high: float = 1e-2) -> list[int]:
    """Which settings show the order: relative errors between rounding and the size of the solution itself."""
    return [i for i, error in enumerate(found.errors) if low * found.scale < error < high * found.scale]


def order(found: Work, against: str = "steps") -> Slope:
    """The order p of error ∝ count⁻ᵖ, by regression of log error on log count over the asymptotic settings.

    Args:
        found: of `work`.
        against: "steps" or "nfe".

    Raises:
        ValueError: when fewer than three settings are asymptotic.
    """
    chosen = asymptotic(found)
    if len(chosen) < 3:
        raise ValueError(f"{found.method}: fewer than three of the errors lie between rounding and the solution's size")
    counts = found.steps if against == "steps" else found.nfe
    line = slope([math.log(counts[i]) for i in chosen], [math.log(found.errors[i]) for i in chosen])
    return Slope(-line.value, line.error, line.intercept, line.count)


def _one(
    field: FieldFunction, z0: Tensor, truth: Tensor, span: float, method: str, setting: float, adaptive: bool
) -> tuple[int, int, float]:
    times = torch.tensor([0.0, span], dtype=torch.float64)
    rtol, atol = (setting, max(setting * 1e-2, 1e-13)) if adaptive else (CORRECTOR, CORRECTOR)
    step = None if adaptive else span / setting
    try:
        with torch.no_grad():
            found = solve(field, z0, times, method, step, rtol, atol, path=False)
    except BlowUpError:
        return (0 if adaptive else int(setting)), 0, math.inf
    return len(found.steps), found.nfe, float((found.states[-1] - truth).square().sum(-1).mean().sqrt())
