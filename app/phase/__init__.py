"""The phase plane's stage: a Streamlit component that plays trajectories over a field, with the steps that made them.

Python sends the arrays once, all variants of them; turning the knob, playing and looking round happen in the browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import streamlit as st

from app.film.bundle import bundle, markup
from app.phase.events import PhaseEvent, event_of
from app.phase.payload import PhaseBytes, encode
from app.phase.settings import COLOURS, Layer, Mode, Settings, options
from app.phase.view import PhaseView, Plot, Series, Variant
from dgm_core.pack import pack

__all__ = [
    "COLOURS",
    "Layer",
    "Mode",
    "PhaseEvent",
    "PhaseView",
    "Plot",
    "Series",
    "Settings",
    "Variant",
    "phase_stage",
]

HERE = Path(__file__).parent
SHARED = HERE.parent / "film"
SCRIPTS = (
    *(SHARED / "js" / f"{name}.js" for name in ("unpack", "dots", "clock", "controls", "playing")),
    *(HERE / "js" / f"{name}.js" for name in ("moment", "projection", "pencil", "scene", "plot", "probe", "phase")),
)


def phase_stage(view: PhaseView, *, key: str, alt: str, **settings: Unpack[Settings]) -> PhaseEvent:
    """Show trajectories, steps, field and arrows over time.

    Args:
        view: what to play; the same object is encoded once.
        key: the stage's name on the page; the same key keeps the same stage.
        alt: one sentence that says what is shown, for those who do not see it.
        settings: see `app.phase.settings.Settings`.

    Raises:
        ValueError: for an argument that cannot be shown, in one sentence.
        TypeError: for a name that is no setting.
    """
    told = options(settings)
    if view.variants and told["knob"] >= len(view.variants):
        raise ValueError(f"knob is {told['knob']}; there are {len(view.variants)} variants, from 0")
    encoded = encode(view)
    told |= {"digest": encoded.digest, "alt": alt}
    arrays = {}
    if (sent := _unless_there(key, encoded)) is not None:
        arrays["phase"] = np.frombuffer(sent.packed, np.uint8)
    result = _stage(
        key=key, data=pack(told, arrays), on_time_change=_nothing, on_knob_change=_nothing, on_want_change=_nothing
    )
    st.session_state[_slot(key)] = encoded.digest
    return event_of(result, view)


def _slot(key: str) -> str:
    return f"dgm:phase:{key}"


def _unless_there(key: str, encoded: PhaseBytes) -> PhaseBytes | None:
    """The view, or None when it was sent last and the browser has not just said that it lacks it."""
    state = st.session_state.get(key)
    wants = isinstance(state, Mapping) and state.get("want")
    return None if not wants and st.session_state.get(_slot(key)) == encoded.digest else encoded


def _nothing() -> None:
    """Streamlit needs a callback for every value that a component may send."""


_stage: Any = st.components.v2.component(
    "dgm_phase",
    html=markup(HERE / "phase.html"),
    css=(SHARED / "film.css").read_text("utf-8") + (HERE / "phase.css").read_text("utf-8"),
    js=bundle(SCRIPTS),
)
