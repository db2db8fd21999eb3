"""The film player: a Streamlit component that plays a `dgm_core.film.Film` on a canvas.

Data in, pictures out: Python sends quantised frames once; playing, scrubbing, layers, colour scale and read-out happen
in the browser. All that comes back is a point that the user picked, and the time shown when the film came to rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st

from app.figures.colourmaps import COLOUR_MAPS, ColourMap
from app.film.bundle import bundle, colour_tables
from app.film.payload import FilmBytes, encode, message
from dgm_core.film import Extent, Film

Layer = Literal["density", "points", "arrows", "grid", "particles", "path"]
Loop = Literal["once", "loop", "ping-pong"]

SPEEDS = (0.25, 0.5, 1, 2, 4)
HERE = Path(__file__).parent
SCRIPTS = ("unpack", "clock", "density", "legend", "stage", "controls", "pointer", "player")
ACCENTS = {
    "data": {"light": "#0072B2", "dark": "#56B4E9"},
    "model": {"light": "#D55E00", "dark": "#FF9A4A"},
    "base": {"light": "#8A8F98", "dark": "#B4B9C2"},
    "latent": {"light": "#9A4FB0", "dark": "#E29BF0"},
}


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


def film_player(
    film: Film,
    *,
    key: str,
    alt: str,
    title: str = "",
    layers: Sequence[Layer] = ("density", "particles", "path"),
    scale: Literal["linear", "log"] = "linear",
    normalise: Literal["frame", "global"] = "frame",
    colours: ColourMap = "viridis",
    log_range: float = 10.0,
    height: int = 560,
    time_label: str = "t",
    ends: tuple[str, str] = ("Base", "data"),
    time: float | None = None,
    speed: float = 1,
    loop: Loop = "ping-pong",
    autoplay: bool = False,
    follow: bool = False,
    path: np.ndarray | None = None,
    ellipses: np.ndarray | None = None,
    ellipse_radius: float = 0.25,
    points: np.ndarray | None = None,
    sync: str | None = None,
    classroom: bool = False,
    pick: bool = False,
    report_time: bool = False,
    on_point: Callable[[], None] | None = None,
) -> FilmEvent:
    """Show a film.

    What the user sets in the player stays when new data arrive; an argument that changes here wins over it.

    Args:
        film: what to play; the same object is encoded once.
        key: the player's name on the page; the same key keeps the same player.
        alt: one sentence that says what is shown, for those who do not see it.
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
        path: (T, 2) trajectory at the film's times.
        ellipses: (T, 2, 2) Jacobians along the path, drawn as the image of a small circle.
        ellipse_radius: that circle's radius, in the plane's units.
        points: (M, 2) data.
        sync: players with the same name on one page play and scrub together.
        classroom: larger type and lines.
        pick: clicking or dragging on the picture sends points.
        report_time: send the time when the film comes to rest.
        on_point: called before the rerun that a picked point starts; implies ``pick``.

    Raises:
        ValueError: for an argument that cannot be shown, in one sentence.
    """
    frames = len(film.times)
    if colours not in COLOUR_MAPS:
        raise ValueError(f"there is no colour map {colours!r}; choose one of {', '.join(COLOUR_MAPS)}")
    if speed not in SPEEDS:
        raise ValueError(f"the speed {speed} is none of {', '.join(map(str, SPEEDS))}")
    overlays = {
        "path": _shaped("path", path, (frames, 2)),
        "ellipses": _shaped("ellipses", ellipses, (frames, 2, 2)),
        "points": _shaped("points", points, (None, 2)),
    }
    encoded = encode(film)
    options: dict[str, Any] = {
        "digest": encoded.digest, "alt": alt, "title": title, "layers": list(layers), "scale": scale,
        "normalise": normalise, "colours": colours, "log_range": log_range, "height": height, "time_label": time_label,
        "ends": list(ends), "time": time, "speed": speed, "loop": loop, "autoplay": autoplay, "follow": follow,
        "ellipse_radius": ellipse_radius, "sync": sync, "classroom": classroom, "pick": pick or on_point is not None,
        "report_time": report_time, "accents": ACCENTS,
    }  # fmt: skip
    result = _player(
        key=key,
        data=message(_unless_there(key, encoded), options, overlays),
        on_point_change=on_point or _nothing,
        on_time_change=_nothing,
        on_want_change=_nothing,
    )
    return _event(result, film.extent)


def picked(key: str, extent: Extent) -> FilmEvent:
    """What the user has done in the player of that name, known before it is drawn, so that overlays can follow."""
    state = st.session_state.get(key)
    return _event(state, extent) if isinstance(state, Mapping) else FilmEvent()


def _nothing() -> None:
    """Streamlit needs a callback for every value that a component may send."""


def _shaped(name: str, array: np.ndarray | None, shape: tuple[int | None, ...]) -> np.ndarray | None:
    if array is None:
        return None
    array = np.asarray(array)
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("N" if want is None else str(want) for want in shape)
        raise ValueError(f"{name} has shape {array.shape}; the film needs ({wanted})")
    return array if len(array) else None


def _unless_there(key: str, encoded: FilmBytes) -> FilmBytes | None:
    """The film, or None when the browser has just said that it holds it: then a dragged point costs few bytes."""
    state = st.session_state.get(key)
    if not isinstance(state, Mapping) or state.get("want"):
        return encoded
    point = state.get("point")
    return None if isinstance(point, Mapping) and point.get("has") == encoded.digest else encoded


def _event(result: Mapping[str, Any], extent: Extent) -> FilmEvent:
    """Read what came from the browser; what is not finite numbers in the plane counts as nothing."""
    point, shown = result.get("point"), _number(result.get("time"))
    if not isinstance(point, Mapping):
        return FilmEvent(shown=shown)
    x, y, t = (_number(point.get(name)) for name in ("x", "y", "t"))
    xmin, xmax, ymin, ymax = extent
    if x is None or y is None or t is None or not (xmin <= x <= xmax and ymin <= y <= ymax):
        return FilmEvent(shown=shown)
    return FilmEvent((x, y), t, shown)


def _number(value: object) -> float | None:
    ok = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if ok else None  # type: ignore[arg-type]


_player = st.components.v2.component(
    "dgm_film",
    html=(HERE / "film.html").read_text("utf-8"),
    css=(HERE / "film.css").read_text("utf-8"),
    js=colour_tables() + bundle([HERE / "js" / f"{name}.js" for name in SCRIPTS]),
)
