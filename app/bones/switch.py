"""A switch between views of a page; the link says which by its name, not by the words on the button."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import streamlit as st

from app.memory import VISIT, went_back_or_forward


def switch(title: str, options: Mapping[str, str], *, key: str, default: str | None = None) -> str | None:
    """Draw the switch and keep it in the address.

    Streamlit's own binding would write the words on the button there, which are for people and may change.

    Args:
        title: for those who do not see it.
        options: name in the link → words on the button.
        key: widget key and query parameter.
        default: what a link without the parameter means; with None nothing may be chosen.

    Returns:
        The name chosen.
    """
    from_address(key, options, default)
    chosen = st.segmented_control(
        title, list(options), format_func=options.__getitem__, required=default is not None, key=key,
        label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    to_address(key, chosen, default)
    return chosen


def to_address(key: str, chosen: str | None, default: str | None) -> None:
    """Keep a choice in the address; the default and no choice leave no parameter."""
    if chosen == default or chosen is None:
        if key in st.query_params:
            del st.query_params[key]
    elif st.query_params.get(key) != chosen:
        st.query_params[key] = chosen


def from_address(key: str, options: Collection[str], default: str | None) -> None:
    """On entering the page, take over what the address says; whatever is no option means the default."""
    visit, slot = st.session_state.get(VISIT, 0), f"dgm:switch:{key}"
    if st.session_state.get(slot) == visit and not went_back_or_forward():
        return
    st.session_state[slot] = visit
    told = st.query_params.get(key)
    if told in options:
        st.session_state[key] = told
    elif st.session_state.get(key) not in options:
        st.session_state[key] = default
