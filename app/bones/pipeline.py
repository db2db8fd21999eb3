"""One line that says how the picture came about."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.bones.text import plain


def pipeline_caption(steps: Sequence[str]) -> None:
    """Show the steps from input to picture, e.g. ``["8 Gaussians", "MLP field", "RK4, 8 steps", "p_t"]``."""
    st.caption(" → ".join(plain(step) for step in steps))
