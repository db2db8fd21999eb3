"""The four numbers along an axis, in two panels: shares between 0 and 1, and density, which has no upper bound."""

from __future__ import annotations

import numpy as np
from streamlit.delta_generator import DeltaGenerator

from app.figures.metric_curves import Axis, Curves, density_chart, shares_chart
from app.furniture import chart, is_dark, scale


def along(
    curves: Curves, axis: Axis, key: str, *, at: float = np.nan, heights: tuple[int, int] = (300, 120),
    place: DeltaGenerator | None = None,
) -> None:  # fmt: skip
    """Draw both panels.

    Args:
        curves: the numbers.
        axis: what they stand against.
        key: unique on the page.
        at: where a line is drawn; NaN for none.
        heights: pixels of the panels.
        place: where; here by default.
    """
    dark, factor = is_dark(), scale()
    upper = shares_chart(curves, axis, at=at, height=heights[0], dark=dark, scale=factor)
    lower = density_chart(curves, axis, at=at, height=heights[1], dark=dark, scale=factor)
    chart(upper, key, place=place)
    chart(lower, f"{key}_density", place=place)
