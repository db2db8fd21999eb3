"""The drawing pad: a Streamlit component on which points are sprayed with the pointer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app.figures.palette import accent
from app.theme import in_classroom, is_dark
from dgm_core.film import Extent

EXTENT: Extent = (-4.0, 4.0, -4.0, 4.0)
MOST = 20_000
"""Points that a pad holds; a browser draws as many without delay."""
HERE = Path(__file__).parent


def drawing_pad(
    *, key: str, extent: Extent = EXTENT, height: int = 380, points: np.ndarray | None = None
) -> np.ndarray | None:
    """Show a pad; what is drawn comes back when the user presses "Use these points".

    Args:
        key: the pad's name on the page; the same key keeps what is drawn.
        extent: (xmin, xmax, ymin, ymax) of the sheet.
        height: its largest side, CSS pixels.
        points: (M, 2) on the sheet at first.

    Returns:
        (N, 2) float32 with 2 ≤ N ≤ `MOST`, inside the extent; None before anything was sent, or where what came is no
        such list.
    """
    result = _pad(
        key=key,
        data={
            "extent": list(extent), "height": height, "most": MOST, "colour": accent("data", is_dark()),
            "points": [] if points is None else np.asarray(points, float).tolist(), "classroom": in_classroom(),
        },
        on_points_change=_nothing,
    )  # fmt: skip
    return validated(result.get("points"), extent)


def sent_at(key: str) -> float | None:
    """When the points of the pad of that name were sent, ms on the browser's clock; tells one sending from another."""
    state = st.session_state.get(key)
    sent = state.get("points") if isinstance(state, Mapping) else None
    stamp = sent.get("at") if isinstance(sent, Mapping) else None
    return stamp if type(stamp) in (int, float) else None


def validated(sent: object, extent: Extent = EXTENT) -> np.ndarray | None:
    """Points from what a browser sent, (N, 2) float32, or None for anything else than such a list.

    Example:
        >>> validated({"drawn": [0, 1, 2, 3]}).tolist()
        [[0.0, 1.0], [2.0, 3.0]]
        >>> validated({"drawn": [0, 1, 2, 9]}) is None, validated("nonsense") is None
        (True, True)
    """
    flat = sent.get("drawn") if isinstance(sent, Mapping) else None
    if not isinstance(flat, list) or len(flat) % 2 or not 4 <= len(flat) <= 2 * MOST:
        return None
    xmin, xmax, ymin, ymax = extent
    low, high = min(xmin, ymin), max(xmax, ymax)
    # Compared one by one first: an integer of hundreds of digits is JSON as well, and no array takes it.
    if not all(type(value) in (int, float) and low <= value <= high for value in flat):
        return None
    points = np.array(flat, dtype=np.float64).reshape(-1, 2)
    inside = (points >= (xmin, ymin)) & (points <= (xmax, ymax))
    return points.astype(np.float32) if inside.all() else None


def _nothing() -> None:
    """Streamlit needs a callback for every value that a component may send."""


_pad: Any = st.components.v2.component(
    "dgm_pad",
    html=(HERE / "pad.html").read_text("utf-8"),
    css=(HERE / "pad.css").read_text("utf-8"),
    js=(HERE / "pad.js").read_text("utf-8"),
)
