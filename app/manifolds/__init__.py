"""The manifolds stage: a Streamlit component that shows two sets in the plane, their balls, and who is covered.

Python sends radii and covering numbers of all k once; while k is dragged the browser compares and draws. What comes
back is the k at which the slider has come to rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app.figures.palette import DATA, GROUND, INK, MODEL
from app.film.bundle import bundle
from app.manifolds.events import k_of
from dgm_core.metrics.manifolds import Manifolds
from dgm_core.pack import pack

HERE = Path(__file__).parent
SHARED = HERE.parent / "film" / "js"
SCRIPTS = ("union", "panel", "relations", "readouts", "stage")
MARGIN = 0.12
"""Room around the points, as a share of their larger extent."""
FEW = 5000
"""Radii of more points than that go over in half precision: 16 bits place a rim to a twentieth of a pixel."""
COLOURS = {
    shade: {
        "real": DATA.on(shade == "dark"),
        "fake": MODEL.on(shade == "dark"),
        "ground": GROUND.on(shade == "dark"),
        "ink": INK.on(shade == "dark"),
    }
    for shade in ("light", "dark")
}


def manifolds_stage(
    manifolds: Manifolds,
    *,
    key: str,
    k: int = 3,
    height: int = 560,
    classroom: bool = False,
    on_change: Callable[[], None] | None = None,
) -> int:
    """Show real and approximated manifold beside each other.

    Args:
        manifolds: from `dgm_core.metrics.manifolds.manifolds`.
        key: the stage's name on the page; the same key keeps the user's k while the points change.
        k: neighbours at first; a stage under another key starts anew.
        height: the largest side of a picture, CSS pixels.
        classroom: larger type and marks.
        on_change: called before the rerun that starts when k has come to rest.

    Returns:
        The k at which the slider rests, at most the number of columns.
    """
    first = int(np.clip(k, 1, manifolds.k_max))
    told = {
        "k": first, "extent": extent_of(manifolds), "height": int(height),
        "printed": manifolds.printed, "classroom": bool(classroom), "colours": COLOURS,
    }  # fmt: skip
    result = _stage(key=key, data=pack(told, _sent(manifolds)), on_state_change=on_change or _nothing)
    rests = k_of(result.get("state")) if isinstance(result, Mapping) else None
    return min(rests if rests is not None else first, manifolds.k_max)


def extent_of(manifolds: Manifolds) -> list[float]:
    """(xmin, xmax, ymin, ymax) around all points, with a margin.

    Example:
        >>> from dgm_core.metrics.manifolds import manifolds
        >>> extent_of(manifolds([[0, 0], [1, 1]], [[0, 1], [2, 0]], 1))
        [-0.24, 2.24, -0.24, 1.24]
    """
    points = np.concatenate([manifolds.real, manifolds.fake]).astype(float)
    low, high = points.min(0), points.max(0)
    room = MARGIN * (float((high - low).max()) or 1.0)
    return [float(low[0] - room), float(high[0] + room), float(low[1] - room), float(high[1] + room)]


def _sent(manifolds: Manifolds) -> dict[str, np.ndarray]:
    arrays = manifolds.arrays()
    for name, points in (("real_radii", manifolds.real), ("fake_radii", manifolds.fake)):
        if len(points) > FEW:
            arrays[name] = arrays[name].astype(np.float16)
    return arrays


def _nothing() -> None:
    """Streamlit needs a callback for every value that a component may send."""


_stage: Any = st.components.v2.component(
    "dgm_manifolds",
    html=(HERE / "manifolds.html").read_text("utf-8"),
    css=(HERE / "manifolds.css").read_text("utf-8"),
    js=bundle([SHARED / "unpack.js", SHARED / "dots.js", *(HERE / "js" / f"{name}.js" for name in SCRIPTS)]),
)
