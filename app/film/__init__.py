"""The film player: a Streamlit component that plays a `dgm_core.film.Film` on a canvas.

Data in, pictures out: Python sends quantised frames once; playing, scrubbing, layers, colour scale and read-out happen
in the browser. All that comes back is a point that the user picked, and the time shown when the film came to rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Unpack

import numpy as np
import streamlit as st

from app.film.bundle import bundle, colour_tables, markup
from app.film.events import FilmEvent, event_of
from app.film.payload import FilmBytes, encode, message
from app.film.settings import Layer, Loop, Settings, options, overlay
from dgm_core.film import Extent, Film

__all__ = ["FilmEvent", "Layer", "Loop", "Settings", "film_player", "picked"]

HERE = Path(__file__).parent
SCRIPTS = ("unpack", "clock", "density", "legend", "dots", "stage", "controls", "pointer", "playing", "player")


def film_player(
    film: Film,
    *,
    key: str,
    alt: str,
    path: np.ndarray | None = None,
    ellipses: np.ndarray | None = None,
    points: np.ndarray | None = None,
    on_point: Callable[[], None] | None = None,
    **settings: Unpack[Settings],
) -> FilmEvent:
    """Show a film.

    What the user sets in the player stays when new data arrive; an argument that changes here wins over it.

    Args:
        film: what to play; the same object is encoded once.
        key: the player's name on the page; the same key keeps the same player.
        alt: one sentence that says what is shown, for those who do not see it.
        path: (T, 2) trajectory at the film's times.
        ellipses: (T, 2, 2) Jacobians along the path, drawn as the image of a small circle.
        points: (M, 2) data.
        on_point: called before the rerun that a picked point starts; implies ``pick``.
        settings: see `app.film.settings.Settings`.

    Raises:
        ValueError: for an argument that cannot be shown, in one sentence.
        TypeError: for a name that is no setting.
    """
    frames = len(film.times)
    overlays = {
        "path": overlay("path", path, (frames, 2)),
        "ellipses": overlay("ellipses", ellipses, (frames, 2, 2)),
        "points": overlay("points", points, (None, 2)),
    }
    told = options(settings)
    encoded = encode(film)
    told |= {"digest": encoded.digest, "alt": alt, "pick": told["pick"] or on_point is not None}
    result = _player(
        key=key,
        data=message(_unless_there(key, encoded), told, overlays),
        on_point_change=on_point or _nothing,
        on_time_change=_nothing,
        on_want_change=_nothing,
    )
    return event_of(result, film.extent)


def picked(key: str, extent: Extent) -> FilmEvent:
    """What the user has done in the player of that name, known before it is drawn, so that overlays can follow."""
    state = st.session_state.get(key)
    return event_of(state, extent) if isinstance(state, Mapping) else FilmEvent()


def _nothing() -> None:
    """Streamlit needs a callback for every value that a component may send."""


def _unless_there(key: str, encoded: FilmBytes) -> FilmBytes | None:
    """The film, or None when the browser has just said that it holds it: then a dragged point costs few bytes."""
    state = st.session_state.get(key)
    if not isinstance(state, Mapping) or state.get("want"):
        return encoded
    point = state.get("point")
    return None if isinstance(point, Mapping) and point.get("has") == encoded.digest else encoded


_player = st.components.v2.component(
    "dgm_film",
    html=markup(HERE / "film.html"),
    css=(HERE / "film.css").read_text("utf-8"),
    js=colour_tables() + bundle([HERE / "js" / f"{name}.js" for name in SCRIPTS]),
)
