"""Which ground the viewer has, dark or light, and whether the room needs larger type."""

from __future__ import annotations

import streamlit as st

CLASSROOM_KEY = "classroom"
CLASSROOM_SCALE = 1.3
"""Type and lines for a projector, relative to a desk."""


def is_dark() -> bool:
    """Whether the viewer's theme is dark; Streamlit reruns the page when it changes."""
    return getattr(st.context.theme, "type", None) == "dark"


def in_classroom() -> bool:
    """Whether the classroom mode is on."""
    return bool(st.session_state.get(CLASSROOM_KEY, False))


def scale() -> float:
    """The factor for type and line widths: 1, or more in the classroom. Figures take it as ``scale``."""
    return CLASSROOM_SCALE if in_classroom() else 1.0


def classroom_toggle() -> bool:
    """The switch for larger type and lines; drawn in ``app/main.py``, it holds on all pages and in the link."""
    on = st.toggle(
        "Classroom",
        key=CLASSROOM_KEY,
        bind="query-params",
        help="Larger type and thicker lines, for a projector.",
    )
    if on:
        st.html(f"<style>html {{ font-size: {100 * CLASSROOM_SCALE:.0f}% !important; }}</style>")
    return on
