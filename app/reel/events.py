"""What comes back from the reel player in the browser, taken for what it is: anything at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dgm_core.reel import Reel


@dataclass(frozen=True)
class ReelEvent:
    """What the user has done in the player.

    Args:
        cell: (row, column) of the image picked, or None.
        time: the reel's time at which it was picked, or None.
        shown: the time at which the reel came to rest; None until it first does, or without ``report_time``.
    """

    cell: tuple[int, int] | None = None
    time: float | None = None
    shown: float | None = None


def event_of(result: Mapping[str, Any], reel: Reel) -> ReelEvent:
    """Read the component's values; what is no image of this reel counts as nothing.

    Args:
        result: ``cell`` {row, column, t} and ``time``, as the browser sent them.
        reel: what is played.

    Example:
        >>> import numpy as np
        >>> reel = Reel(np.array([0.0]), np.zeros((1, 2, 3, 8, 8), np.uint8))
        >>> event_of({"cell": {"row": 1, "column": 2, "t": 0}}, reel).cell
        (1, 2)
        >>> event_of({"cell": {"row": 2, "column": 2, "t": 0}}, reel).cell is None
        True
    """
    cell, shown = result.get("cell"), _number(result.get("time"))
    if not isinstance(cell, Mapping):
        return ReelEvent(shown=shown)
    rows, columns = reel.frames.shape[1:3]
    row, column, time = _index(cell.get("row"), rows), _index(cell.get("column"), columns), _number(cell.get("t"))
    if row is None or column is None or time is None:
        return ReelEvent(shown=shown)
    return ReelEvent((row, column), time, shown)


def _index(value: object, count: int) -> int | None:
    return value if type(value) is int and 0 <= value < count else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
