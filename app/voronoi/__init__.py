"""The plane's stage: a Streamlit component that plays how codes divide the plane among them.

Python sends the arrays once; cells are cut, arrows drawn and distances read in the browser at every frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import streamlit as st

from app.film.bundle import bundle, markup
from app.voronoi.events import PlaneEvent, event_of
from app.voronoi.payload import PlaneBytes, encode
from app.voronoi.settings import COLOURS, Layer, Settings, options
from app.voronoi.view import PlaneView
from dgm_core.pack import pack

__all__ = ["COLOURS", "Layer", "PlaneEvent", "PlaneView", "Settings", "picked", "voronoi_stage"]

HERE = Path(__file__).parent
SHARED = HERE.parent / "film"
SCRIPTS = (
    *(SHARED / "js" / f"{name}.js" for name in ("unpack", "dots", "clock", "controls", "playing")),
    *(HERE / "js" / f"{name}.js" for name in ("geometry", "moment", "scene", "curve", "probe", "voronoi")),
)


def voronoi_stage(
    view: PlaneView, *, key: str, alt: str, on_pick: Callable[[], None] | None = None, **settings: Unpack[Settings]
) -> PlaneEvent:
    """Show points, outputs, codes and their Voronoi cells over the steps.

    Args:
        view: what to play; the same object is encoded once.
        key: the stage's name on the page; the same key keeps the same stage.
        alt: one sentence that says what is shown, for those who do not see it.
        on_pick: called before the rerun that a click starts; implies ``pick``.
        settings: see `app.voronoi.settings.Settings`.

    Raises:
        ValueError: for an argument that cannot be shown, in one sentence.
        TypeError: for a name that is no setting.
    """
    told = options(settings)
    encoded = encode(view)
    told |= {"digest": encoded.digest, "alt": alt, "pick": told["pick"] or on_pick is not None}
    arrays = {}
    if (sent := _unless_there(key, encoded)) is not None:
        arrays["plane"] = np.frombuffer(sent.packed, np.uint8)
    result = _stage(
        key=key,
        data=pack(told, arrays),
        on_pick_change=on_pick or _nothing,
        on_time_change=_nothing,
        on_want_change=_nothing,
    )
    st.session_state[_slot(key)] = encoded.digest
    return event_of(result, view)


def picked(key: str, view: PlaneView) -> PlaneEvent:
    """What the user has done on the stage of that name, known before it is drawn."""
    state = st.session_state.get(key)
    return event_of(state, view) if isinstance(state, Mapping) else PlaneEvent()


def _slot(key: str) -> str:
    return f"dgm:plane:{key}"


def _unless_there(key: str, encoded: PlaneBytes) -> PlaneBytes | None:
    """The view, or None when it was sent last and the browser has not just said that it lacks it."""
    state = st.session_state.get(key)
    wants = isinstance(state, Mapping) and state.get("want")
    return None if not wants and st.session_state.get(_slot(key)) == encoded.digest else encoded


def _nothing() -> None:
    """Streamlit needs a callback for every value that a component may send."""


_stage: Any = st.components.v2.component(
    "dgm_plane",
    html=markup(HERE / "voronoi.html"),
    css=(SHARED / "film.css").read_text("utf-8") + (HERE / "voronoi.css").read_text("utf-8"),
    js=bundle(SCRIPTS),
)
