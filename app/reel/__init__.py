"""The reel player: a Streamlit component that plays a `dgm_core.reel.Reel`, a film of grids of small images.

It has the buttons and keys of the film player. Frames that the browser holds are not sent again: while a training
runs, each message carries the new ones only. All that comes back is an image that the user picked, and the time shown
when the reel came to rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Unpack

import streamlit as st

from app.film.bundle import bundle, markup
from app.reel.events import ReelEvent, event_of
from app.reel.payload import encode, message
from app.reel.settings import Settings, options
from dgm_core.reel import Reel

__all__ = ["ReelEvent", "Settings", "picked", "reel_player"]

HERE = Path(__file__).parent
SHARED = HERE.parent / "film"
SCRIPTS = (
    *(SHARED / "js" / f"{name}.js" for name in ("unpack", "clock", "controls", "playing")),
    *(HERE / "js" / f"{name}.js" for name in ("frames", "sheet", "lens", "reel")),
)


def reel_player(
    reel: Reel, *, key: str, alt: str, on_pick: Callable[[], None] | None = None, **settings: Unpack[Settings]
) -> ReelEvent:
    """Show a reel.

    Args:
        reel: what to play; the same object is digested once.
        key: the player's name on the page; the same key keeps the same player.
        alt: one sentence that says what is shown, for those who do not see it.
        on_pick: called before the rerun that a picked image starts; implies ``pick``.
        settings: see `app.reel.settings.Settings`.

    Raises:
        ValueError: for an argument that cannot be shown, in one sentence.
        TypeError: for a name that is no setting.
    """
    told = options(settings, reel)
    encoded = encode(reel)
    told |= {"digest": encoded.digest, "alt": alt, "pick": told["pick"] or on_pick is not None}
    result = _player(
        key=key,
        data=message(encoded, told, _held(key)),
        on_cell_change=on_pick or _nothing,
        on_time_change=_nothing,
        on_want_change=_nothing,
    )
    st.session_state[_slot(key)] = encoded.digest
    return event_of(result, reel)


def picked(key: str, reel: Reel) -> ReelEvent:
    """What the user has done in the player of that name, known before it is drawn."""
    state = st.session_state.get(key)
    return event_of(state, reel) if isinstance(state, Mapping) else ReelEvent()


def _slot(key: str) -> str:
    return f"dgm:reel:{key}"


def _held(key: str) -> str | None:
    """The digest of what was sent last, unless the browser has just said that it lacks it: it then asks for all."""
    state = st.session_state.get(key)
    wants = isinstance(state, Mapping) and state.get("want")
    return None if wants else st.session_state.get(_slot(key))


def _nothing() -> None:
    """Streamlit needs a callback for every value that a component may send."""


_player = st.components.v2.component(
    "dgm_reel",
    html=markup(HERE / "reel.html"),
    css=(SHARED / "film.css").read_text("utf-8") + (HERE / "reel.css").read_text("utf-8"),
    js=bundle(SCRIPTS),
)
