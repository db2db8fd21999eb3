"""What comes back from the plane's stage in the browser, taken for what it is: anything at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from app.voronoi.view import PlaneView


@dataclass(frozen=True)
class PlaneEvent:
    """What the user has done on the stage.

    Args:
        point: the point that was clicked, or None.
        code: the code that was clicked, or the one of that point.
        step: the step at which that was.
        shown: the step at which the stage came to rest; None until it first does, or without ``report_time``.
    """

    point: int | None = None
    code: int | None = None
    step: float | None = None
    shown: float | None = None


def event_of(result: Mapping[str, object], view: PlaneView) -> PlaneEvent:
    """Read the component's values; what is no point, code or number of this view counts as nothing.

    Args:
        result: ``pick`` {point, code, t} and ``time``, as the browser sent them.
        view: what is shown.
    """
    pick, shown = result.get("pick"), _number(result.get("time"))
    if not isinstance(pick, Mapping):
        return PlaneEvent(shown=shown)
    code, step = _index(pick.get("code"), view.codes.shape[1]), _number(pick.get("t"))
    if code is None or step is None:
        return PlaneEvent(shown=shown)
    return PlaneEvent(_index(pick.get("point"), len(view.points)), code, step, shown)


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
