"""How every Altair and Plotly figure looks, on a light and on a dark ground, at a desk and in a classroom."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import altair as alt

from app.figures.palette import ACCENTS, GRID, GROUND, INK, MUTED

FONT = '"Source Sans", "Inter", "Helvetica Neue", Arial, sans-serif'
TYPE = 13.0
"""Points of a chart's type at a desk."""


def altair_config(dark: bool, scale: float = 1.0) -> dict[str, Any]:
    """Vega-Lite's configuration: type, rules and colours.

    Args:
        dark: for a dark ground.
        scale: factor for type and line widths, from `app.theme.scale`.

    Example:
        >>> altair_config(dark=False)["axis"]["labelFontSize"]
        13.0
    """
    size = TYPE * scale
    text, quiet, rule = INK.on(dark), MUTED.on(dark), GRID.on(dark)
    axis = {
        "labelFontSize": size, "titleFontSize": size, "labelColor": quiet, "titleColor": text, "titleFontWeight": 500,
        "gridColor": rule, "gridWidth": 0.7 * scale, "domainColor": rule, "tickColor": rule, "labelFlush": False,
        "titlePadding": 8, "labelPadding": 5, "gridOpacity": 0.7, "domain": False, "ticks": False,
    }  # fmt: skip
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": axis,
        "legend": {
            "labelFontSize": size, "titleFontSize": size, "labelColor": text, "titleColor": text, "orient": "top",
            "symbolStrokeWidth": 2.5 * scale, "symbolSize": 110 * scale, "title": None, "labelLimit": 400,
        },
        "title": {"fontSize": 1.1 * size, "color": text, "anchor": "start", "fontWeight": 600},
        "line": {"strokeWidth": 2.2 * scale, "strokeCap": "round", "strokeJoin": "round"},
        "rule": {"strokeWidth": 1.6 * scale},
        "point": {"size": 45 * scale, "filled": True},
        "text": {"fontSize": size, "color": text, "font": FONT},
        "range": {"category": [ACCENTS[m].on(dark) for m in ("model", "data", "base", "latent")]},
    }  # fmt: skip


def layered(
    *layers: alt.Chart,
    description: str,
    height: float,
    width: float | None = None,
    title: str = "",
    dark: bool = False,
    scale: float = 1.0,
) -> Mapping[str, Any]:
    """The Vega-Lite specification of layers as one chart of fixed height in this house's look.

    It is built and validated here, which takes tens of milliseconds: keep it for all figures of the same look.

    Args:
        layers: drawn from back to front.
        description: what a screen reader says.
        height, width: pixels at a desk; no width for all there is.
        title: above the chart; empty for none.
        dark, scale: see `altair_config`.
    """
    chart = alt.LayerChart(
        layer=list(layers),
        height=round(height * scale),
        width="container" if width is None else round(width * scale),
        description=description,
        title=title or alt.Undefined,
    )
    spec: dict[str, Any] = chart.configure(**altair_config(dark, scale)).to_dict()
    return MappingProxyType(spec)


def plotly_layout(dark: bool, scale: float = 1.0) -> dict[str, Any]:
    """Plotly's layout in the same look; show it with ``st.plotly_chart(..., theme=None)``.

    Example:
        >>> plotly_layout(dark=True)["paper_bgcolor"]
        'rgba(0,0,0,0)'
    """
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": TYPE * scale, "color": INK.on(dark)},
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "hoverlabel": {"bgcolor": GROUND.on(dark), "font": {"family": FONT, "color": INK.on(dark)}},
        "legend": {"orientation": "h", "y": 1.0, "x": 0.0, "bgcolor": "rgba(0,0,0,0)", "itemsizing": "constant"},
    }
