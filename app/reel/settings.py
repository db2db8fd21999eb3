"""What a reel player can be told, with its bounds: the names, the defaults, and what is refused."""

from __future__ import annotations

import math
from typing import Any, TypedDict, get_args

import numpy as np

from app.figures.palette import ACCENTS
from app.film.settings import HEIGHTS, SPEEDS, Loop
from dgm_core.reel import Reel


class Settings(TypedDict, total=False):
    """How a reel is shown at first; each has a default in `DEFAULTS`.

    Args:
        title: a short heading, or none.
        height: the pictures' largest height, CSS pixels.
        time_label: what the times are; the reel's own word if None.
        ends: what stands at the first and the last time.
        time: shown at first; the reel's first time if None.
        speed: ¼, ½, 1, 2 or 4; 1 plays 60 frames in 4 s.
        loop: what happens at an end.
        autoplay: play at once, except where the user's system asks for little motion.
        follow: a player at the reel's end stays there when the reel grows.
        sync: players with the same name on one page play and scrub together, films too.
        classroom: larger type and lines.
        pick: an image can be picked, by click or with the Enter key.
        report_time: send the time when the reel comes to rest.
    """

    title: str
    height: int
    time_label: str | None
    ends: tuple[str, str]
    time: float | None
    speed: float
    loop: Loop
    autoplay: bool
    follow: bool
    sync: str | None
    classroom: bool
    pick: bool
    report_time: bool


DEFAULTS: Settings = {
    "title": "",
    "height": 560,
    "time_label": None,
    "ends": ("start", "end"),
    "time": None,
    "speed": 1,
    "loop": "ping-pong",
    "autoplay": False,
    "follow": False,
    "sync": None,
    "classroom": False,
    "pick": False,
    "report_time": False,
}


def options(settings: Settings, reel: Reel) -> dict[str, Any]:
    """All settings with the defaults filled in, and the reel's words, ready for JSON.

    Raises:
        ValueError: for a setting that cannot be shown, in one sentence.
        TypeError: for a name that is no setting.

    Example:
        >>> reel = Reel(np.array([0.0]), np.zeros((1, 2, 3, 8, 8), np.uint8), time_label="step")
        >>> told = options({"loop": "once"}, reel)
        >>> told["loop"], told["time_label"], told["shape"]
        ('once', 'step', [2, 3, 8, 8])
    """
    unknown = sorted(set(settings) - set(DEFAULTS))
    if unknown:
        raise TypeError(f"a reel player has no setting {unknown[0]!r}; it has {', '.join(DEFAULTS)}")
    chosen: dict[str, Any] = {**DEFAULTS, **settings}
    for name, allowed in (("speed", SPEEDS), ("loop", get_args(Loop))):
        if chosen[name] not in allowed:
            raise ValueError(f"{name} is {chosen[name]!r}; choose one of {', '.join(map(str, allowed))}")
    if not HEIGHTS[0] <= chosen["height"] <= HEIGHTS[1]:
        raise ValueError(f"a height of {chosen['height']} pixels cannot be shown; choose {HEIGHTS[0]} to {HEIGHTS[1]}")
    if chosen["time"] is not None and not math.isfinite(chosen["time"]):
        raise ValueError(f"time is {chosen['time']}; it must be a number or None")
    told = {name: _plain(value) for name, value in chosen.items()}
    words = {**reel.words, "time_label": reel.time_label if told["time_label"] is None else told["time_label"]}
    accent = {"light": ACCENTS["data"].light, "dark": ACCENTS["data"].dark}
    return {**told, **words, "shape": list(reel.frames.shape[1:5]), "colour": reel.colour, "mark": accent}


def _plain(value: Any) -> Any:
    """JSON knows lists and Python's own numbers, not tuples or NumPy's scalars."""
    if isinstance(value, np.generic):
        return value.item()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
