"""Where a one-step method is stable: a Streamlit component in which λh is dragged over the border of |R(λh)| ≤ 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.phase.settings import COLOURS

HERE = Path(__file__).parent
EXTENT = (-5.0, 1.5, -3.6, 3.6)
"""Re from, to, Im from, to."""


def stability_stage(
    polynomial: Sequence[float],
    *,
    title: str,
    key: str,
    start: tuple[float, float] = (-1.5, 0.0),
    height: int = 300,
    classroom: bool = False,
) -> None:
    """Show the region of stability and what a step does to z at the point that is dragged.

    Args:
        polynomial: coefficients of R(w), constant term first.
        title: of the method.
        key: the stage's name on the page.
        start: λh at first.
        height: of the plane, CSS pixels.
        classroom: larger type.

    Raises:
        ValueError: for a polynomial that is no stability function: R(0) = 1.
    """
    coefficients = [float(c) for c in polynomial]
    if not coefficients or coefficients[0] != 1.0:
        raise ValueError("a stability function begins with 1: where the field is 0, a step leaves z where it is")
    colours = {name: COLOURS[name] for name in ("line", "flow", "rejected", "back")}
    _stage(
        key=key,
        data={
            "polynomial": coefficients, "title": title, "extent": list(EXTENT), "start": list(start), "height": height,
            "classroom": classroom, "colours": colours,
        },
    )  # fmt: skip


_stage: Any = st.components.v2.component(
    "dgm_stability",
    html=(HERE / "stability.html").read_text("utf-8"),
    css=(HERE / "stability.css").read_text("utf-8"),
    js=(HERE / "stability.js").read_text("utf-8"),
)
