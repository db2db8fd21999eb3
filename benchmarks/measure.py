"""Time, error and table: what every benchmark needs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

Result = TypeVar("Result")
Row = dict[str, Any]


def timed(work: Callable[[], Result], repeats: int = 3) -> tuple[float, Result]:
    """The median of the seconds that ``work`` takes, and its last result."""
    seconds, result = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    assert result is not None
    return statistics.median(seconds), result


def bright_errors(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """|Δ log p| of one frame where the density is above 1e-3 of its peak."""
    return np.abs(found - exact)[exact > exact.max() + np.log(1e-3)]


def error_columns(errors: np.ndarray) -> Row:
    """The 99.9 % quantile and the maximum, in nats."""
    return {"q99.9 (nats)": float(np.quantile(errors, 0.999)), "max (nats)": float(errors.max())}


def show(title: str, rows: list[Row]) -> None:
    """Print rows as a table; columns in the order in which they first appear."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, justify="left" if isinstance(rows[0].get(name), str) else "right")
    for row in rows:
        table.add_row(*(_text(row.get(name)) for name in columns))
    Console(width=150).print(table)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value)
    return str(value)
