"""The Try section: one-click experiments that ask for a prediction first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dgm_core.presets import Preset

STYLE = """<style>
.st-key-try_cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); }
</style>"""


def try_section(presets: Sequence[Preset], apply: Callable[[Preset], None], *, key: str = "try") -> None:
    """Draw a card for each preset: question, predictions, and after an answer what happens and "Show me".

    Args:
        presets: what to try.
        apply: called with the preset before the rerun that shows it, so it may set controls (`app.controls`).
        key: unique on the page.
    """
    st.html(STYLE)
    _cards(presets, apply, key)


@st.fragment
def _cards(presets: Sequence[Preset], apply: Callable[[Preset], None], key: str) -> None:
    """All cards; an answer redraws them alone, "Show me" the page. A fragment for each would cost every rerun more."""
    with st.container(key="try_cards"):
        for preset in presets:
            with st.container(border=True, height="stretch"):
                card(preset, apply, key=f"{key}:{preset.name}")


def card(preset: Preset, apply: Callable[[Preset], None], *, key: str) -> None:
    """One preset: its question, and predictions or what happens."""
    st.markdown(f"**{preset.question}**")
    answer = st.session_state.get(key)
    if answer is None:
        _ask(preset, key)
        return
    st.caption(f"Your prediction: {preset.options[answer]}")
    st.markdown(verdict(preset, answer))
    with st.container(horizontal=True):
        if st.button(
            "Show me", icon=":material/play_arrow:", type="primary", key=f"{key}:show", on_click=apply, args=(preset,)
        ):
            st.rerun()
        st.button("Ask again", type="tertiary", key=f"{key}:again", on_click=_answer, args=(key, None))


def verdict(preset: Preset, answer: int) -> str:
    """What follows an answer, as Markdown."""
    if answer == preset.answer:
        return f":green[**✓ Right.**] {preset.reveal}"
    return f":orange[**✗ No: {preset.options[preset.answer]}.**] {preset.reveal}"


def _ask(preset: Preset, key: str) -> None:
    st.caption("What do you expect?")
    with st.container(horizontal=True):
        for number, option in enumerate(preset.options):
            st.button(option, key=f"{key}:{number}", on_click=_answer, args=(key, number), wrap=True)


def _answer(key: str, number: int | None) -> None:
    st.session_state[key] = number
