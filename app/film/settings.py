"""What a film player can be told, with its bounds: the names, the defaults, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, TypedDict, get_args

import numpy as np

from app.figures.colourmaps import COLOUR_MAPS, ColourMap
from app.figures.palette import BASE, DATA, LATENT, MODEL

Layer = Literal["density", "points", "arrows", "grid", "particles", "path"]
Loop = Literal["once", "loop", "ping-pong"]
Scale = Literal["linear", "log"]
Normalise = Literal["frame", "global"]

SPEEDS = (0.25, 0.5, 1, 2, 4)
HEIGHTS = (120, 2000)
CHOICES: dict[str, tuple[Any, ...]] = {
    "colours": COLOUR_MAPS,
    "speed": SPEEDS,
    "scale": get_args(Scale),
    "normalise": get_args(Normalise),
    "loop": get_args(Loop),
}
ACCENTS = {
    name: {"light": accent.light, "dark": accent.dark}
    for name, accent in {"data": DATA, "model": MODEL, "base": BASE, "latent": LATENT}.items()
}
"""The colours of meanings, as the browser reads them."""


class Settings(TypedDict, total=False):
    """How a film is shown at first; each has a default in `DEFAULTS`.

    Args:
        title: a short heading, or none.
        layers: shown at first, of those that the film and the overlays have.
        scale: colours by p or by ln p.
        normalise: the brightest colour is the peak of each frame, or of the whole film.
        colours: colour map.
        log_range: nats below the brightest that the logarithmic scale spans.
        height: the picture's largest height, CSS pixels.
        time_label: what ``film.times`` are, e.g. ``"t"`` or ``"step"``.
        ends: what stands at the first and the last time.
        time: shown at first; the film's first time if None.
        speed: ¼, ½, 1, 2 or 4; 1 plays 60 frames in 4 s; what lies between two frames is interpolated.
        loop: what happens at an end.
        autoplay: play at once, except where the user's system asks for little motion.
        follow: a player at the film's end stays there when the film grows.
        ellipse_radius: radius of the small circle whose image is drawn along the path, in the plane's units.
        sync: players with the same name on one page play and scrub together.
        classroom: larger type and lines.
        pick: clicking or dragging on the picture sends points.
        report_time: send the time when the film comes to rest.
    """

    title: str
    layers: Sequence[Layer]
    scale: Scale
    normalise: Normalise
    colours: ColourMap
    log_range: float
    height: int
    time_label: str
    ends: tuple[str, str]
    time: float | None
    speed: float
    loop: Loop
    autoplay: bool
    follow: bool
    ellipse_radius: float
    sync: str | None
    classroom: bool
    pick: bool
    report_time: bool


DEFAULTS: Settings = {
    "title": "",
    "layers": ("density", "particles", "path"),
    "scale": "linear",
    "normalise": "frame",
    "colours": "viridis",
    "log_range": 10.0,
    "height": 560,
    "time_label": "t",
    "ends": ("base", "data"),
    "time": None,
    "speed": 1,
    "loop": "ping-pong",
    "autoplay": False,
    "follow": False,
    "ellipse_radius": 0.25,
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
        >>> options({"scale": "log"})["scale"], options({})["height"]
        ('log', 560)
    """
    unknown = sorted(set(settings) - set(DEFAULTS))
    if unknown:
        raise TypeError(f"a film player has no setting {unknown[0]!r}; it has {', '.join(DEFAULTS)}")
    chosen: dict[str, Any] = {**DEFAULTS, **settings, "accents": ACCENTS}
    for name, allowed in CHOICES.items():
        if chosen[name] not in allowed:
            raise ValueError(f"{name} is {chosen[name]!r}; choose one of {', '.join(map(str, allowed))}")
    strangers = [layer for layer in chosen["layers"] if layer not in get_args(Layer)]
    if strangers:
        raise ValueError(f"there is no layer {strangers[0]!r}; choose from {', '.join(get_args(Layer))}")
    for name in ("log_range", "ellipse_radius"):
        if not (math.isfinite(chosen[name]) and chosen[name] > 0):
            raise ValueError(f"{name} is {chosen[name]}; it must be a positive number")
    if not HEIGHTS[0] <= chosen["height"] <= HEIGHTS[1]:
        raise ValueError(f"a height of {chosen['height']} pixels cannot be shown; choose {HEIGHTS[0]} to {HEIGHTS[1]}")
    if chosen["time"] is not None and not math.isfinite(chosen["time"]):
        raise ValueError(f"time is {chosen['time']}; it must be a number or None")
    return {name: _plain(value) for name, value in chosen.items()}


def overlay(name: str, array: np.ndarray | None, shape: tuple[int | None, ...]) -> np.ndarray | None:
    """An overlay's array of the right shape, or None where there is nothing to draw.

    Args:
        name: for the message.
        array: any array-like, or None.
        shape: what it must have; None stands for any length.

    Raises:
        ValueError: when the shape is another one.
    """
    if array is None:
        return None
    array = np.asarray(array)
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("N" if want is None else str(want) for want in shape)
        raise ValueError(f"{name} has shape {array.shape}; the film needs ({wanted})")
    return array if len(array) else None


def _plain(value: Any) -> Any:
    """JSON knows lists and Python's own numbers, not tuples or NumPy's scalars."""
    if isinstance(value, np.generic):
        return value.item()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
