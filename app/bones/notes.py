"""Calm notes: what was ignored or cannot be done, one sentence each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.bones.text import plain


def notes(sentences: Sequence[str], *, icon: str = ":material/info:") -> None:
    """Show sentences in one quiet box; nothing for none. Whatever users typed is shown as it is, never rendered."""
    if not sentences:
        return
    st.info("  \n".join(plain(sentence) for sentence in sentences), icon=icon)
