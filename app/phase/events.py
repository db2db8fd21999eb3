"""What comes back from the phase plane in the browser, taken for what it is: anything at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from app.phase.view import PhaseView


@dataclass(frozen=True)
class PhaseEvent:
    """What the user has done on the stage.

    Args:
        variant: where the knob came to rest; None until it first does, or without ``report_knob``.
        shown: the time at which the stage came to rest; None until it first does, or without ``report_time``.
    """

    variant: int | None = None
    shown: float | None = None


def event_of(result: Mapping[str, object], view: PhaseView) -> PhaseEvent:
    """Read the component's values; what is no variant or number of this view counts as nothing.

    Args:
        result: ``knob`` and ``time``, as the browser sent them.
        view: what is shown.
    """
    knob, shown = result.get("knob"), _number(result.get("time"))
    return PhaseEvent(knob if type(knob) is int and 0 <= knob < len(view.variants) else None, shown)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
