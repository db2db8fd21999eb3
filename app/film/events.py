"""What comes back from the film player in the browser, taken for what it is: anything at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dgm_core.film import Extent


@dataclass(frozen=True)
class FilmEvent:
    """What the user has done in the player.

    Args:
        point: (x, y) picked on the picture, or None.
        time: the film's time at which it was picked, or None.
        shown: the time at which the film came to rest; None until it first does, or without ``report_time``.
    """

    point: tuple[float, float] | None = None
    time: float | None = None
    shown: float | None = None


def event_of(result: Mapping[str, Any], extent: Extent) -> FilmEvent:
    """Read the component's values; what is not finite numbers in the plane counts as nothing.

    Args:
        result: ``point`` {x, y, t} and ``time``, as the browser sent them.
        extent: (xmin, xmax, ymin, ymax) of the film.

    Example:
        >>> event_of({"point": {"x": 1, "y": 0.5, "t": 0}}, (-2, 2, -2, 2)).point
        (1.0, 0.5)
        >>> event_of({"point": {"x": 9, "y": 0.5, "t": 0}}, (-2, 2, -2, 2)).point is None
        True
    """
    point, shown = result.get("point"), _number(result.get("time"))
    if not isinstance(point, Mapping):
        return FilmEvent(shown=shown)
    x, y, t = (_number(point.get(name)) for name in ("x", "y", "t"))
    xmin, xmax, ymin, ymax = extent
    if x is None or y is None or t is None or not (xmin <= x <= xmax and ymin <= y <= ymax):
        return FilmEvent(shown=shown)
    return FilmEvent((x, y), t, shown)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
