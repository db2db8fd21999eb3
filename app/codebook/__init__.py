"""The codebook browser: a Streamlit component in which codes, images and code maps are looked at and edited.

Python sends the arrays once; pointing, sorting and painting happen in the browser. What comes back are edits: the page
answers them with the decoded pictures (`browsed`, `answer`), which then take the place of the painted tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app.codebook.edits import Answer, answer
from app.codebook.events import CodebookEvent, Edit, event_of
from app.codebook.order import similarity_order
from app.codebook.payload import BookBytes, encode, message
from app.codebook.view import CodebookView
from app.figures.palette import ACCENTS
from app.film.bundle import bundle, colour_tables
from app.film.settings import HEIGHTS

__all__ = [
    "Answer", "CodebookEvent", "CodebookView", "Edit", "answer", "browsed", "codebook_browser", "similarity_order",
]  # fmt: skip

HERE = Path(__file__).parent
SHARED = HERE.parent / "film" / "js"
SCRIPTS = (
    *(SHARED / f"{name}.js" for name in ("unpack", "dots", "density", "clock", "playing")),
    *(HERE / "js" / f"{name}.js" for name in (
        "draw", "look", "book", "tiles", "usage", "projection", "strip", "wall", "detail", "inspector", "editing",
        "tools", "browser",
    )),
)  # fmt: skip
HUES = {shade: {name: ACCENTS[name].on(shade == "dark") for name in ("latent", "data", "model", "bad", "muted")}
        for shade in ("light", "dark")}  # fmt: skip


def codebook_browser(
    view: CodebookView,
    *,
    key: str,
    height: int = 420,
    classroom: bool = False,
    editable: bool = True,
    report_pin: bool = False,
    answer: Answer | None = None,
    on_edit: Callable[[], None] | None = None,
) -> CodebookEvent:
    """Show a codebook, its images and their code maps.

    What the user has pinned, sorted and edited stays when the page reruns; another view starts without edits.

    Args:
        view: what to show; the same object is encoded once.
        key: the browser's name on the page; the same key keeps the same browser.
        height: the largest height of the grid of tiles, CSS pixels.
        classroom: larger type and lines.
        editable: with the tools that paint, swap and drop codes.
        report_pin: tell Python which code and image are pinned; each pin is then a rerun.
        answer: what the edits have made of the images, from `answer`.
        on_edit: called before the rerun that an edit starts.

    Returns:
        What the user has done.

    Raises:
        ValueError: for a height that cannot be shown, in one sentence.
    """
    if not HEIGHTS[0] <= height <= HEIGHTS[1]:
        raise ValueError(f"a height of {height} pixels cannot be shown; choose {HEIGHTS[0]} to {HEIGHTS[1]}")
    book = encode(view)
    told = {
        "digest": book.digest, "height": int(height), "classroom": bool(classroom), "editable": bool(editable),
        "report_pin": bool(report_pin), "hues": HUES,
    }  # fmt: skip
    result = _browser(
        key=key,
        data=message(_unless_there(key, book), told, answer),
        on_edit_change=on_edit or _nothing,
        on_pin_change=_nothing,
        on_want_change=_nothing,
    )
    st.session_state[_slot(key)] = book.digest
    return event_of(result, view, book.digest)


def browsed(key: str, view: CodebookView) -> CodebookEvent:
    """What the user has done in the browser of that name, known before it is drawn, so that it can be answered."""
    state = st.session_state.get(key)
    return event_of(state, view, encode(view).digest) if isinstance(state, Mapping) else CodebookEvent()


def _slot(key: str) -> str:
    return f"dgm:codebook:{key}"


def _unless_there(key: str, book: BookBytes) -> BookBytes | None:
    """The book, or None when it was sent last and the browser has not just said that it lacks it."""
    state = st.session_state.get(key)
    wants = isinstance(state, Mapping) and state.get("want")
    return None if not wants and st.session_state.get(_slot(key)) == book.digest else book


def _nothing() -> None:
    """Streamlit needs a callback for every value that a component may send."""


_browser: Any = st.components.v2.component(
    "dgm_codebook",
    html=(HERE / "codebook.html").read_text("utf-8"),
    css=(HERE / "codebook.css").read_text("utf-8"),
    js=colour_tables() + bundle(SCRIPTS),
)
