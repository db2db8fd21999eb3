"""Curves to be learned: the solutions of known systems, seen at irregular moments, with noise and gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from scipy.integrate import solve_ivp

from dgm_core.data.series import Series

SystemName = Literal["spiral", "cubic", "lotka-volterra"]
ROTATION = np.array([[-0.1, 2.0], [-2.0, -0.1]])
"""A of the spirals: z′ = A z turns by 2 a unit of time and shrinks by 0.1."""


@dataclass(frozen=True)
class System:
    """An autonomous system in the plane and the piece of its solution that is seen.

    Args:
        title: in words.
        formula: in LaTeX.
        field: (2,) → (2,).
        start: z at t = 0.
        span: the end of what is seen.
        horizon: the end of what is asked for; what lies between the two is extrapolation.
    """

    title: str
    formula: str
    field: Callable[[np.ndarray], np.ndarray]
    start: tuple[float, float]
    span: float
    horizon: float


def _predator(z: np.ndarray) -> np.ndarray:
    return np.array([z[0] * (2 / 3 - 4 / 3 * z[1]), z[1] * (z[0] - 1)])


SYSTEMS: dict[str, System] = {
    "spiral": System(
        "Linear spiral", r"\dot z = A z", lambda z: ROTATION @ z, start=(2.0, 0.0), span=6.0, horizon=12.0
    ),
    # Chen et al. 2018's own demonstration cubes each coordinate.
    "cubic": System(
        "Cubic spiral", r"\dot z = A z^3", lambda z: ROTATION @ z**3, start=(2.0, 0.0), span=6.0, horizon=12.0
    ),
    "lotka-volterra": System(
        "Predator and prey", r"\dot x = \tfrac23 x - \tfrac43 xy,\ \dot y = xy - y", _predator,
        start=(1.6, 0.8), span=14.0, horizon=28.0,
    ),
}  # fmt: skip


def solution(name: str, times: np.ndarray) -> np.ndarray:
    """The system's solution, by an eighth-order method at a relative tolerance of 1e-10.

    Args:
        name: of `SYSTEMS`.
        times: (T,) within [0, horizon].

    Returns:
        (T, 2) float64.

    Example:
        >>> solution("spiral", np.array([0.0])).tolist()
        [[2.0, 0.0]]
    """
    return np.asarray(_dense(name)(np.asarray(times, np.float64)).T)


def observe(name: str, count: int, noise: float, gaps: float, seed: int) -> Series:
    """Noisy values at irregular moments of [0, span], some of them missing.

    Args:
        name: of `SYSTEMS`.
        count: moments, uniform and independent; the first is t = 0, where the curve starts.
        noise: standard deviation of the Gaussian noise, as a share of each variable's own.
        gaps: probability that a value is missing; each variable keeps at least two.
        seed: of the moments, the noise and the gaps.

    Example:
        >>> series = observe("spiral", 50, 0.1, 0.3, seed=0)
        >>> series.values.shape, bool((np.diff(series.times) > 0).all())
        ((50, 2), True)
    """
    random = np.random.default_rng(seed)
    times = np.sort(random.uniform(0.0, SYSTEMS[name].span, count))
    times[0] = 0.0
    values = solution(name, times)
    values = values + noise * values.std(axis=0) * random.standard_normal(values.shape)
    missing = random.uniform(size=values.shape) < gaps
    for column in missing.T:
        column[random.choice(count, 2, replace=False)] = False
    return Series(times, np.where(missing, np.nan, values), ("x", "y"))


def truth(name: str, start: float, end: float, count: int) -> Series:
    """The solution itself at equal distances from ``start`` to ``end``."""
    times = np.linspace(start, end, count)
    return Series(times, solution(name, times), ("x", "y"))


@lru_cache(maxsize=8)
def _dense(name: str) -> Any:
    system = SYSTEMS[name]
    return solve_ivp(
        lambda t, z: system.field(z), (0.0, system.horizon), system.start, method="DOP853", rtol=1e-10, atol=1e-12,
        dense_output=True,
    ).sol  # fmt: skip
