"""The board: a Streamlit component of linked pictures, code maps and laws, chosen item by item or played as a film.

Python sends the arrays once; pointing, choosing and playing happen in the browser. The same place lights up in every
picture and every level's map.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app.figures.palette import ACCENTS
from app.film.bundle import bundle, markup
from app.film.settings import HEIGHTS
from app.vqvae2.board.events import BoardEvent, event_of
from app.vqvae2.board.payload import BoardBytes, encode, message
from app.vqvae2.board.view import Arrow, Board, Cell, Laws

__all__ = ["Arrow", "Board", "BoardEvent", "Cell", "Laws", "board_stage"]

HERE = Path(__file__).parent
APP = HERE.parents[1]
SCRIPTS = (
    *(APP / "film" / "js" / f"{name}.js" for name in ("unpack", "clock", "controls", "playing")),
    APP / "codebook" / "js" / "draw.js",
    *(HERE / "js" / f"{name}.js" for name in ("sources", "cell", "pointing", "strip", "lines", "lens3", "board")),
)
HUES = {shade: {name: ACCENTS[name].on(shade == "dark") for name in ("data", "latent", "muted")}
        for shade in ("light", "dark")}  # fmt: skip


def board_stage(
    board: Board,
    *,
    key: str,
    alt: str,
    height: int = 480,
    item: int = 0,
    ends: tuple[str, str] = ("start", "end"),
    autoplay: bool = False,
    sync: str | None = None,
    classroom: bool = False,
) -> BoardEvent:
    """Show a board.

    Args:
        board: what to show; the same object is encoded once.
        key: the board's name on the page; the same key keeps the same board.
        alt: one sentence that says what is shown, for those who do not see it.
        height: the cells' largest height altogether, CSS pixels.
        item: chosen at first.
        ends: what stands at the first and the last time of a film.
        autoplay: play at once, except where the user's system asks for little motion.
        sync: films and reels with the same name on one page play together.
        classroom: larger type and lines.

    Raises:
        ValueError: for an argument that cannot be shown, in one sentence.
    """
    if not HEIGHTS[0] <= height <= HEIGHTS[1]:
        raise ValueError(f"a height of {height} pixels cannot be shown; choose {HEIGHTS[0]} to {HEIGHTS[1]}")
    if not 0 <= item < board.items:
        raise ValueError(f"there is no item {item}; the board has {board.items}")
    made = encode(board)
    told = {
        "digest": made.digest, "alt": alt, "height": int(height), "item": int(item), "ends": list(ends),
        "autoplay": bool(autoplay), "sync": sync, "classroom": bool(classroom), "hues": HUES, "title": "",
        "time_label": board.time_label, "time": None, "speed": 1, "loop": "once", "follow": False,
    }  # fmt: skip
    result = _board(
        key=key,
        data=message(_unless_there(key, made), told),
        on_item_change=_nothing,
        on_want_change=_nothing,
    )
    st.session_state[_slot(key)] = made.digest
    return event_of(result, board, made.digest)


def _slot(key: str) -> str:
    return f"dgm:board:{key}"


def _unless_there(key: str, made: BoardBytes) -> BoardBytes | None:
    """The board, or None when it was sent last and the browser has not just said that it lacks it."""
    state = st.session_state.get(key)
    wants = isinstance(state, Mapping) and state.get("want")
    return None if not wants and st.session_state.get(_slot(key)) == made.digest else made


def _nothing() -> None:
    """Streamlit needs a callback for every value that a component may send."""


_board: Any = st.components.v2.component(
    "dgm_board",
    html=markup(HERE / "board.html"),
    css=(APP / "film" / "film.css").read_text("utf-8") + (HERE / "board.css").read_text("utf-8"),
    js=bundle(SCRIPTS),
)
