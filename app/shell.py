"""What stands around every page: which device computes, and the classroom switch."""

from __future__ import annotations

import streamlit as st

from app.furniture import classroom_toggle, device_badge

STYLE = """<style>
.stMainBlockContainer { max-width: 1440px; padding-top: 3.5rem; }
.st-key-shell { margin-bottom: -3.5rem; pointer-events: none; z-index: 1; }
.st-key-shell > * { pointer-events: auto; }
@media (max-width: 1000px) { .st-key-shell { margin-bottom: -1rem; } }
</style>"""


def shell() -> None:
    """Draw the two switches that hold on all pages, and the style that all pages share."""
    st.html(STYLE)
    with st.container(key="shell", horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        device_badge()
        classroom_toggle()
