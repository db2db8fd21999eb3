"""What the plane's stage can be told, with its bounds: the names, the defaults, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypedDict, get_args

from app.figures.palette import BASE, DATA, LATENT, MODEL
from app.film.settings import HEIGHTS, SPEEDS, Loop, Scale

Layer = Literal["cells", "assignment", "points", "outputs", "trails", "codebook", "commitment", "gradient", "kmeans"]

COLOURS = {
    name: {"light": accent.light, "dark": accent.dark}
    for name, accent in {
        "points": DATA, "outputs": MODEL, "codes": LATENT, "codebook": LATENT, "commitment": MODEL, "gradient": DATA,
        "kmeans": BASE,
    }.items()
}  # fmt: skip
"""Data orange, what is learned blue, codes rose; each arrow has the colour of what makes it move."""


class Settings(TypedDict, total=False):
    """How a plane is shown at first; each has a default in `DEFAULTS`.

    Args:
        title: a short heading, or none.
        layers: shown at first, of those that the view has.
        curve: the scale of the distortion.
        height: the picture's largest height, CSS pixels.
        time: the step shown at first; the first one if None.
        speed: ¼, ½, 1, 2 or 4; 1 plays 60 frames in 4 s.
        loop: what happens at an end.
        autoplay: play at once, except where the user's system asks for little motion.
        sync: players with the same name on one page play and scrub together.
        classroom: larger type and lines.
        pick: a click tells Python which point and which code it was at.
        report_time: send the step when the stage comes to rest.
    """

    title: str
    layers: Sequence[Layer]
    curve: Scale
    height: int
    time: float | None
    speed: float
    loop: Loop
    autoplay: bool
    sync: str | None
    classroom: bool
    pick: bool
    report_time: bool


DEFAULTS: Settings = {
    "title": "",
    "layers": ("cells", "assignment", "points", "outputs", "codebook"),
    "curve": "linear",
    "height": 520,
    "time": None,
    "speed": 1,
    "loop": "once",
    "autoplay": False,
    "sync": None,
    "classroom": False,
    "pick": False,
    "report_time": False,
}


def options(settings: Settings) -> dict[str, Any]:
    """All settings with the defaults filled in, ready for JSON.

    Raises:
        ValueError: for a setting that cannot be shown, in one sentence.
        TypeError: for a name that is no setting.

    Example:
        >>> options({"loop": "loop"})["loop"], options({})["layers"][0]
        ('loop', 'cells')
    """
    unknown = sorted(set(settings) - set(DEFAULTS))
    if unknown:
        raise TypeError(f"a plane has no setting {unknown[0]!r}; it has {', '.join(DEFAULTS)}")
    chosen: dict[str, Any] = {**DEFAULTS, **settings}
    for name, allowed in (("speed", SPEEDS), ("loop", get_args(Loop)), ("curve", get_args(Scale))):
        if chosen[name] not in allowed:
            raise ValueError(f"{name} is {chosen[name]!r}; choose one of {', '.join(map(str, allowed))}")
    strangers = [layer for layer in chosen["layers"] if layer not in get_args(Layer)]
    if strangers:
        raise ValueError(f"there is no layer {strangers[0]!r}; choose from {', '.join(get_args(Layer))}")
    if not HEIGHTS[0] <= chosen["height"] <= HEIGHTS[1]:
        raise ValueError(f"a height of {chosen['height']} pixels cannot be shown; choose {HEIGHTS[0]} to {HEIGHTS[1]}")
    time = None if chosen["time"] is None else float(chosen["time"])
    return {
        **chosen, "time": time, "layers": list(chosen["layers"]), "follow": False, "time_label": "step",
        "ends": ["start", "end"], "colours": COLOURS,
    }  # fmt: skip
