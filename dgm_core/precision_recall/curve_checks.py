"""What theory fixes of the curves: the means of density and coverage where both laws are equal."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dgm_core.checks import Check
from dgm_core.precision_recall.checks import NAEEM
from dgm_core.precision_recall.curves import AXES, LOOKED_AT, MetricCurves

PLACES = 4
"""Places on the axis that are looked at, evenly spread."""
DENSITY, COVERAGE = 2, 3


def curve_checks(asked: MetricCurves, found: Mapping[str, np.ndarray]) -> list[Check]:
    """A second computation of the numbers, and mean density and coverage at a few places.

    Args:
        asked: what was measured.
        found: see `MetricCurves`; theory fixes nothing where the laws differ.
    """
    note = f"largest difference, {LOOKED_AT} points of each place's first draw"
    same = Check("all four numbers", float(found["apart"].max()), 0.0, 1e-12, "at most", "", "all pairs, float64", note)
    return [same, *(_theory(asked, found) if asked.equal else [])]


def _theory(asked: MetricCurves, found: Mapping[str, np.ndarray]) -> list[Check]:
    rows = np.unique(np.linspace(0, len(found["x"]) - 1, PLACES).round().astype(int))
    return [check for row in rows for check in _at(asked, found, int(row))]


def _at(asked: MetricCurves, found: Mapping[str, np.ndarray], row: int) -> list[Check]:
    values, where = found["values"][row], f"{AXES[asked.axis]} = {found['x'][row]:g}"
    note, checks = f"mean of {len(values)} fresh draws", []
    for column, expected, name in zip((DENSITY, COVERAGE), found["theory"][row], ("density", "coverage"), strict=True):
        # Few draws: Student's t widens the standard error as far as four of them must reach.
        error = widened(values[:, column].std(ddof=1) / np.sqrt(len(values)), len(values))
        title = f"{name}, {where}"
        measured = float(values[:, column].mean())
        checks.append(Check(title, measured, float(expected), max(error, 1e-9), "standard error", "", NAEEM, note))
    return checks


def widened(error: float, draws: int) -> float:
    """A standard error from few draws, times what makes four of it as rare as four of a known one.

    Example:
        >>> 1.5 < widened(1.0, 6) < 4.0, abs(widened(1.0, 10_000) - 1.0) < 0.01
        (True, True)
    """
    from scipy.stats import norm, t

    return float(error * t.isf(norm.sf(4.0), draws - 1) / 4.0)
