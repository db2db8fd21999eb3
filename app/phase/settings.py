"""What the phase plane can be told, with its bounds: the names, the defaults, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, TypedDict, get_args

from app.figures.palette import BAD, BASE, DATA, LATENT, MODEL, MUTED, Accent
from app.film.settings import HEIGHTS, SPEEDS, Loop

Layer = Literal["surface", "field", "flow", "lines", "marks", "stages", "arrows", "points"]
Mode = Literal["plane", "graph", "time", "space"]

MEANINGS: dict[str, Accent] = {
    "flow": MUTED, "line": MODEL, "stage": LATENT, "arrow": LATENT, "rejected": BAD, "point": DATA, "back": BASE,
    "kind0": DATA, "kind1": MODEL, "kind2": BASE, "kind3": LATENT,
}  # fmt: skip
COLOURS = {name: {"light": accent.light, "dark": accent.dark} for name, accent in MEANINGS.items()}
"""The exact flow grey, steps blue, what is inferred rose, refused red, given orange."""


class Settings(TypedDict, total=False):
    """How a phase plane is shown at first; each has a default in `DEFAULTS`.

    Args:
        title: a short heading, or none.
        layers: shown at first, of those that the view has.
        names: words of layers that differ from the usual ones.
        mode: the axes: plane, first coordinate against time, plane and time, or three coordinates.
        height: the picture's largest height, CSS pixels.
        knob: the variant shown at first.
        knob_label: what the knob turns; without it there is none.
        stepwise: the clock stops where the steps of the variant end.
        time_label: what the times are.
        ends: what stands at the first and the last time.
        time: shown at first; the first one if None.
        speed: ¼, ½, 1, 2 or 4.
        loop: what happens at an end.
        autoplay: play at once, except where the user's system asks for little motion.
        follow: a player at the film's end stays there when the film grows.
        sync: players with the same name on one page play and scrub together.
        classroom: larger type and lines.
        report_time: send the time when the stage comes to rest.
        report_knob: send the variant when the knob comes to rest.
    """

    title: str
    layers: Sequence[Layer]
    names: dict[str, str]
    mode: Mode
    height: int
    knob: int
    knob_label: str
    stepwise: bool
    time_label: str
    ends: tuple[str, str]
    time: float | None
    speed: float
    loop: Loop
    autoplay: bool
    follow: bool
    sync: str | None
    classroom: bool
    report_time: bool
    report_knob: bool


DEFAULTS: Settings = {
    "title": "",
    "layers": ("surface", "field", "flow", "lines", "marks", "arrows", "points"),
    "names": {},
    "mode": "plane",
    "height": 520,
    "knob": 0,
    "knob_label": "",
    "stepwise": False,
    "time_label": "t",
    "ends": ("start", "end"),
    "time": None,
    "speed": 1,
    "loop": "once",
    "autoplay": False,
    "follow": False,
    "sync": None,
    "classroom": False,
    "report_time": False,
    "report_knob": False,
}


def options(settings: Settings) -> dict[str, Any]:
    """All settings with the defaults filled in, ready for JSON.

    Raises:
        ValueError: for a setting that cannot be shown, in one sentence.
        TypeError: for a name that is no setting.

    Example:
        >>> options({"mode": "time"})["mode"], options({})["layers"][0]
        ('time', 'surface')
    """
    unknown = sorted(set(settings) - set(DEFAULTS))
    if unknown:
        raise TypeError(f"a phase plane has no setting {unknown[0]!r}; it has {', '.join(DEFAULTS)}")
    chosen: dict[str, Any] = {**DEFAULTS, **settings}
    for name, allowed in (("speed", SPEEDS), ("loop", get_args(Loop)), ("mode", get_args(Mode))):
        if chosen[name] not in allowed:
            raise ValueError(f"{name} is {chosen[name]!r}; choose one of {', '.join(map(str, allowed))}")
    strangers = [layer for layer in (*chosen["layers"], *chosen["names"]) if layer not in get_args(Layer)]
    if strangers:
        raise ValueError(f"there is no layer {strangers[0]!r}; choose from {', '.join(get_args(Layer))}")
    if not HEIGHTS[0] <= chosen["height"] <= HEIGHTS[1]:
        raise ValueError(f"a height of {chosen['height']} pixels cannot be shown; choose {HEIGHTS[0]} to {HEIGHTS[1]}")
    if type(chosen["knob"]) is not int or chosen["knob"] < 0:
        raise ValueError(f"knob is {chosen['knob']!r}; it is the number of a variant, from 0")
    time = None if chosen["time"] is None else float(chosen["time"])
    if time is not None and not math.isfinite(time):
        raise ValueError(f"time is {time}; it must be a number or None")
    lists = {name: list(chosen[name]) for name in ("layers", "ends")}
    return {**chosen, **lists, "time": time, "colours": COLOURS}
