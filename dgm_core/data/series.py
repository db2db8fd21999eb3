"""A series: values of some variables at times, with gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dgm_core.errors import DataError

MAX_VARIABLES = 8
MAX_ROWS = 20_000
_LARGEST = 1e30


@dataclass(frozen=True)
class Series:
    """Values at times; a value that was not observed is NaN.

    Args:
        times: (N,) float64, strictly increasing.
        values: (N, D) float64, NaN in the gaps.
        names: one a variable; made up where there are none.

    Example:
        >>> series = Series(np.array([0.0, 1.0]), np.array([[1.0, np.nan], [3.0, 4.0]]))
        >>> series.names, int(series.observed.sum())
        (('x1', 'x2'), 3)
    """

    times: np.ndarray
    values: np.ndarray
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.names:
            object.__setattr__(self, "names", tuple(f"x{d + 1}" for d in range(self.values.shape[1])))

    @property
    def observed(self) -> np.ndarray:
        """(N, D) bool: False in the gaps."""
        return np.isfinite(self.values)

    def rows(self, which: np.ndarray) -> Series:
        """Some of the rows, by a mask or indices in order."""
        return Series(self.times[which], self.values[which], self.names)

    def table(self) -> np.ndarray:
        """(N, 1 + D) float64: the times, then the variables."""
        return np.column_stack([self.times, self.values])


def series_of_table(table: np.ndarray, names: tuple[str, ...] = (), label: str = "The series") -> Series:
    """A series from a table whose first column is the time.

    Args:
        table: (N, 1 + D), NaN in the gaps.
        names: of the D variables.
        label: how a message calls the table.

    Raises:
        DataError: when it is none: one sentence that says what is wrong and what would be right.
    """
    table = np.asarray(table, np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise DataError(f"{label} has one column; a time and at least one variable beside it are needed.")
    if len(table) < 2:
        count = ("no rows", "one row")[len(table)]
        raise DataError(f"{label} has {count}; at least two moments are needed.")
    if len(table) > MAX_ROWS:
        raise DataError(f"{label} has {len(table):,} rows; keep at most {MAX_ROWS:,} of them.")
    if table.shape[1] - 1 > MAX_VARIABLES:
        raise DataError(f"{label} has {table.shape[1] - 1} variables; keep at most {MAX_VARIABLES} of them.")
    series = Series(table[:, 0].copy(), table[:, 1:].copy(), names)
    _require_times(series.times, label)
    _require_values(series, label)
    return series


def _require_times(times: np.ndarray, label: str) -> None:
    bad = np.flatnonzero(~np.isfinite(times))
    if len(bad):
        raise DataError(f"{label} has no time in its row {bad[0] + 1:,}; the first column holds a time in each row.")
    back = np.flatnonzero(np.diff(times) <= 0)
    if len(back):
        row = back[0] + 1
        raise DataError(
            f"{label} goes from t = {times[row - 1]:g} to {times[row]:g} in its row {row + 1:,}; "
            "times must increase from row to row, so sort them and keep one row a moment."
        )
    if times[-1] - times[0] < 1e-30 or np.abs(times).max() > _LARGEST:
        raise DataError(f"{label} runs from t = {times[0]:g} to {times[-1]:g}; rescale the times.")


def _require_values(series: Series, label: str) -> None:
    if np.isinf(series.values).any():
        row = np.flatnonzero(np.isinf(series.values).any(axis=1))[0] + 1
        raise DataError(f"{label} holds infinity in its row {row:,}; leave the cell empty for a gap.")
    for name, column in zip(series.names, series.values.T, strict=True):
        known = column[np.isfinite(column)]
        if len(known) < 2:
            raise DataError(f"The variable “{name[:30]}” has fewer than two values; leave its column out.")
        largest = float(np.abs(known).max())
        if largest > _LARGEST:
            raise DataError(f"The variable “{name[:30]}” is as large as {largest:.0e}; rescale it.")
        if np.ptp(known) <= 1e-12 * largest:
            raise DataError(f"The variable “{name[:30]}” never changes; leave its column out.")
