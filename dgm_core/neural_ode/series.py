"""What a field is fitted to: a series, its scale, and what is held back from inside and from beyond it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from dgm_core.data.series import Series
from dgm_core.neural_ode.spiral import SYSTEMS, observe, truth

UNITS = 16
"""Units of the fit in the time that was seen."""
INSIDE, BEYOND = 200, 200
"""Moments at which the fit to a known system is compared with its solution."""


@dataclass(frozen=True)
class Scale:
    """From a series' own units to those of the fit and back: z = (x − shift) / size, s = (t − start) / unit.

    Args:
        shift, size: (D,) float64, the observed values' mean and standard deviation.
        start: the first moment.
        unit: a sixteenth of the time that was seen, so that what is seen lies at s = 0 … 16.
    """

    shift: np.ndarray
    size: np.ndarray
    start: float
    unit: float

    def values(self, x: np.ndarray) -> np.ndarray:
        """(…, D) in units of the fit."""
        return (x - self.shift) / self.size

    def back(self, z: np.ndarray) -> np.ndarray:
        """(…, D) in the series' own units."""
        return z * self.size + self.shift

    def moments(self, times: np.ndarray) -> np.ndarray:
        """s of t."""
        return (times - self.start) / self.unit


@dataclass(frozen=True)
class FitData:
    """What is seen and what is held back.

    Args:
        seen: what the field is fitted to.
        inside: held back between the first and the last moment seen: of a known system its solution, of one's own
            series every eighth row.
        beyond: held back after the last moment seen.
        known: whether the held-back values are a solution without noise.
    """

    seen: Series
    inside: Series
    beyond: Series
    known: bool

    @property
    def scale(self) -> Scale:
        """The scale of the fit, from what is seen alone."""
        values = self.seen.values
        size = np.nanstd(values, axis=0)
        span = float(self.seen.times[-1] - self.seen.times[0])
        return Scale(np.nanmean(values, axis=0), size, float(self.seen.times[0]), span / UNITS)


def known_data(name: str, count: int, noise: float, gaps: float, seed: int) -> FitData:
    """Observations of a known system; held back is its solution."""
    system = SYSTEMS[name]
    seen = observe(name, count, noise, gaps, seed)
    last = float(seen.times[-1])
    return FitData(seen, truth(name, 0.0, last, INSIDE), truth(name, last, system.horizon, BEYOND), known=True)


def split(series: Series, held_back: float) -> FitData:
    """One's own series: its end is held back, and every eighth row before that where there are enough.

    A variable that would keep fewer than two values keeps all of them.

    Args:
        series: at least two rows.
        held_back: share of the rows, at the end.

    Example:
        >>> series = Series(np.arange(40.0), np.sin(np.arange(40.0))[:, None])
        >>> data = split(series, 0.25)
        >>> len(data.seen.times), len(data.inside.times), len(data.beyond.times)
        (26, 4, 10)
    """
    count = len(series.times)
    first = max(2, count - round(held_back * count))
    index = np.arange(count)
    inside = (index % 8 == 4) & (index < first - 1) & (first >= 24)
    seen = (index < first) & ~inside
    if (series.observed[seen].sum(axis=0) < 2).any():
        seen, inside, first = np.ones(count, bool), np.zeros(count, bool), count
    return FitData(series.rows(seen), series.rows(inside), series.rows(index >= first), known=False)


def root_mean_square(values: np.ndarray, expected: np.ndarray, size: np.ndarray) -> float:
    """√ mean ((x̂ − x)/size)² over what was observed; NaN where nothing was.

    Args:
        values: x̂, (N, D).
        expected: x, (N, D), NaN in the gaps.
        size: (D,), the unit of each variable.

    Example:
        >>> root_mean_square(np.ones((2, 1)), np.array([[0.0], [np.nan]]), np.ones(1))
        1.0
    """
    present = np.isfinite(expected)
    if not present.any():
        return float("nan")
    return float(np.sqrt(np.mean((((values - expected) / size)[present]) ** 2)))


FINE = 16
"""Moments a unit of the joined curves."""


def joined(data: FitData, hidden: int = 0) -> np.ndarray:
    """The observations joined by straight lines and smoothed: where a fit starts from before anything is learned.

    Hidden dimensions start from the curves' derivatives, which tell apart moments that look the same.

    Args:
        data: what is seen.
        hidden: dimensions that are not observed.

    Returns:
        (`UNITS` · `FINE` + 1, D + hidden) at equal distances, in units of the fit.
    """
    scale, s = data.scale, np.arange(UNITS * FINE + 1) / FINE
    moments = scale.moments(data.seen.times)
    curves = []
    for column in scale.values(data.seen.values).T:
        present = np.isfinite(column)
        line = np.interp(s, moments[present], column[present])
        curves.append(gaussian_filter1d(line, FINE / 4, mode="nearest"))
    columns, level = list(curves), curves
    while len(columns) < len(curves) + hidden:
        level = [np.gradient(column, 1 / FINE) for column in level]
        columns += [column / max(float(column.std()), 1e-12) for column in level]
    return np.stack(columns[: len(curves) + hidden], axis=1)
