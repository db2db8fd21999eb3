"""What stands around every page: which device computes, and the classroom switch."""

from __future__ import annotations

import streamlit as st

from app.furniture import classroom_toggle, device_badge

STYLE = """<style>
.stMainBlockContainer { padding-top: 3.25rem; padding-bottom: 4rem; max-width: 1440px; }
</style>"""


def shell() -> None:
    """Draw the sidebar's foot and the style that all pages share."""
    st.html(STYLE)
    with st.sidebar:
        device_badge()
        classroom_toggle()
