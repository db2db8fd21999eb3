"""The Try section: one-click experiments that ask for a prediction first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dgm_core.presets import Preset


def try_section(presets: Sequence[Preset], apply: Callable[[Preset], None], *, key: str = "try") -> None:
    """Draw a card for each preset: question, predictions, and after an answer what happens and "Show me".

    Args:
        presets: what to try.
        apply: called with the preset before the rerun that shows it, so it may set controls (`app.controls`).
        key: unique on the page.
    """
    columns = st.columns(min(len(presets), 2) or 1)
    for number, preset in enumerate(presets):
        with columns[number % len(columns)].container(border=True, height="stretch"):
            card(preset, apply, key=f"{key}:{preset.name}")


@st.fragment
def card(preset: Preset, apply: Callable[[Preset], None], *, key: str) -> None:
    """One preset; an answer redraws the card alone, "Show me" the page."""
    answer = st.radio(
        f"**{preset.question}**",
        range(len(preset.options)),
        index=None,
        format_func=lambda option: preset.options[option],
        key=key,
        disabled=st.session_state.get(key) is not None,
        persist_state="session",
    )
    if answer is None:
        st.caption("Your prediction first; then the experiment.")
        return
    st.markdown(verdict(preset, answer))
    with st.container(horizontal=True):
        show = st.button(
            "Show me", icon=":material/play_arrow:", type="primary", key=f"{key}:show", on_click=apply, args=(preset,)
        )
        st.button("Ask again", type="tertiary", key=f"{key}:again", on_click=_forget, args=(key,))
    if show:
        st.rerun()


def verdict(preset: Preset, answer: int) -> str:
    """What follows an answer, as Markdown."""
    if answer == preset.answer:
        return f":green[**✓ Right.**] {preset.reveal}"
    return f":orange[**✗ Not so: {preset.options[preset.answer]}.**] {preset.reveal}"


def _forget(key: str) -> None:
    st.session_state[key] = None
