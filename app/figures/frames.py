"""Arrays as the tables that Altair reads."""

from __future__ import annotations

import numpy as np
import pandas as pd


def frame(**columns: object) -> pd.DataFrame:
    """A table of equally long columns (scalars are repeated), without the rows that hold a NaN or an infinity.

    A loss that explodes must not stretch the axis of all that came before.

    Example:
        >>> frame(x=np.array([0.0, 1.0, 2.0]), y=np.array([1.0, np.inf, np.nan])).to_dict("list")
        {'x': [0.0], 'y': [1.0]}
    """
    table = pd.DataFrame({name: np.asarray(c) if np.ndim(c) else c for name, c in columns.items()})  # type: ignore[arg-type]
    return table.replace([np.inf, -np.inf], np.nan).dropna().reset_index(drop=True)


def thinned(count: int, most: int = 600) -> np.ndarray:
    """Indices of at most ``most`` of ``count`` points, evenly spread, first and last among them.

    Example:
        >>> thinned(5).tolist(), len(thinned(10_000)), int(thinned(10_000)[-1])
        ([0, 1, 2, 3, 4], 600, 9999)
    """
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).round().astype(int))
