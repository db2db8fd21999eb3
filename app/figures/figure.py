"""A chart in two parts: how it is drawn, which seldom changes, and the numbers, which often do.

Building and validating a Vega-Lite specification takes 20 ms and more, so it is done once for each look; a new figure
then costs its numbers alone. The specification stays the same while the numbers change, so the browser keeps the chart
and moves it in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np

Columns = dict[str, np.ndarray]
"""A table: equally long arrays by name."""


@dataclass(frozen=True)
class Figure:
    """A chart for the screen; `app.bones.chart` shows it.

    Args:
        spec: the Vega-Lite specification, shared by all figures of one look: it must not be changed.
        tables: the data that the specification names.
    """

    spec: Mapping[str, Any]
    tables: Mapping[str, Columns]


def source(name: str) -> alt.Chart:
    """A layer that draws the table of that name.

    Example:
        >>> source("curve").data.to_dict()
        {'name': 'curve'}
    """
    return alt.Chart(alt.NamedData(name=name))


def columns(**given: object) -> Columns:
    """A table of equally long columns (scalars are repeated), without the rows that hold a NaN or an infinity.

    A loss that explodes must not stretch the axis of all that came before.

    Raises:
        ValueError: for columns of different lengths.

    Example:
        >>> columns(x=np.array([0.0, 1.0, 2.0]), y=np.array([1.0, np.inf, np.nan]), name="a")
        {'x': array([0.]), 'y': array([1.]), 'name': array(['a'], dtype='<U1')}
    """
    arrays = {name: np.asarray(column) for name, column in given.items()}
    lengths = {len(array) for array in arrays.values() if array.ndim}
    if len(lengths) > 1:
        raise ValueError(f"the columns of a table are equally long; these have {sorted(lengths)} rows")
    rows = lengths.pop() if lengths else 1
    table = {name: array if array.ndim else np.repeat(array, rows) for name, array in arrays.items()}
    finite = np.ones(rows, dtype=bool)
    for array in table.values():
        if array.dtype.kind == "f":
            finite &= np.isfinite(array)
    return table if finite.all() else {name: array[finite] for name, array in table.items()}


def thinned(count: int, most: int = 600) -> np.ndarray:
    """Indices of at most ``most`` of ``count`` points, evenly spread, first and last among them.

    Example:
        >>> thinned(5).tolist(), len(thinned(10_000)), int(thinned(10_000)[-1])
        ([0, 1, 2, 3, 4], 600, 9999)
    """
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).round().astype(int))
