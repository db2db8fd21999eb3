"""The numbers that a training reports, as columns that grow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

Row = tuple[int, float, dict[str, float]]


class Series:
    """Reported steps in order, each with the seconds of training so far and some named values.

    Example:
        >>> series = Series()
        >>> series.append(1, 0.5, {"loss": 3.0})
        >>> series.append(2, 0.9, {"loss": 2.0, "nll": 2.5})
        >>> {name: column.tolist() for name, column in series.columns().items()}
        {'step': [1, 2], 'seconds': [0.5, 0.9], 'loss': [3.0, 2.0], 'nll': [nan, 2.5]}
    """

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._columns: dict[str, np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def append(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        """Add a step; one that was there already is replaced, and so is all that came after it."""
        while self._rows and self._rows[-1][0] >= step:
            self._rows.pop()
        self._rows.append((step, seconds, dict(values)))
        self._columns = None

    def rewind(self, step: int) -> None:
        """Forget what came after ``step``."""
        self._rows = [row for row in self._rows if row[0] <= step]
        self._columns = None

    @property
    def last_seconds(self) -> float:
        """Seconds of training at the last step; 0 before the first."""
        return self._rows[-1][1] if self._rows else 0.0

    def speed(self, recent: float) -> float | None:
        """Steps a second over the last ``recent`` seconds of training; None before two steps."""
        if len(self._rows) < 2:
            return None
        last_step, last_seconds, _ = self._rows[-1]
        first = len(self._rows) - 2
        while first > 0 and last_seconds - self._rows[first][1] < recent:
            first -= 1
        step, seconds, _ = self._rows[first]
        return (last_step - step) / (last_seconds - seconds) if last_seconds > seconds else None

    def rows(self) -> Iterator[Row]:
        """(step, seconds, values) in order."""
        return iter(self._rows)

    def columns(self) -> dict[str, np.ndarray]:
        """``step`` int64, ``seconds`` and every metric float64, all (n,); NaN where a step did not report it."""
        if self._columns is None:
            names = dict.fromkeys(name for row in self._rows for name in row[2])
            columns = {
                "step": np.array([row[0] for row in self._rows], dtype=np.int64),
                "seconds": np.array([row[1] for row in self._rows], dtype=np.float64),
            }
            for name in names:
                columns[name] = np.array([row[2].get(name, math.nan) for row in self._rows], dtype=np.float64)
            for column in columns.values():
                column.flags.writeable = False  # readers in other threads share them
            self._columns = columns
        return self._columns

    @classmethod
    def from_columns(cls, columns: Mapping[str, np.ndarray]) -> Series:
        """Read what `columns` gave.

        Raises:
            ValueError: when the columns are no such thing.
        """
        series = cls()
        try:
            names = [name for name in columns if name not in ("step", "seconds")]
            for index, (step, seconds) in enumerate(zip(columns["step"], columns["seconds"], strict=True)):
                values = {name: float(columns[name][index]) for name in names}
                series.append(int(step), float(seconds), {n: v for n, v in values.items() if not math.isnan(v)})
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"these columns are no series: {error}") from error
        return series
