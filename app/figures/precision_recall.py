"""Figures of the page ``precision_recall``: the four numbers with intervals, along an axis, and the PRD curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from app.figures.figure import Figure, columns, source, thinned
from app.figures.palette import INK, Meaning, accent
from app.figures.theme import layered

NAMES = ("precision", "recall", "density", "coverage")
HUES: dict[str, Meaning] = {"precision": "model", "recall": "data", "density": "latent", "coverage": "base"}
MAPPED = 1500
"""Points of a set on a map."""
DASHES = {"precision": [1, 0], "recall": [7, 3], "density": [2, 3], "coverage": [9, 3, 2, 3]}
"""Each line has its own dash, so that none is told by its colour alone."""


def _colour(dark: bool, legend: alt.Legend | None = None) -> alt.Color:
    hues = [accent(HUES[name], dark) for name in NAMES]
    return alt.Color("name:N", scale=alt.Scale(domain=list(NAMES), range=hues), legend=legend)


def interval_chart(
    names: Sequence[str],
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """The four numbers, a row each, with whiskers.

    Args:
        names: (4,), from `NAMES`.
        values, low, high: (4,).
        dark, scale: see `app.figures.theme`.
    """
    text = np.array([f"{value:.3f}" for value in values])
    rows = columns(name=np.array(names), value=values, low=low, high=high, text=text)
    return Figure(_interval_spec(dark, scale), {"rows": rows})


@lru_cache(maxsize=8)
def _interval_spec(dark: bool, scale: float) -> Mapping[str, Any]:
    x = alt.X("value:Q", title=None, scale=alt.Scale(domainMin=0, nice=True), axis=alt.Axis(tickCount=5))
    y = alt.Y("name:N", sort=list(NAMES), title=None)
    rows, colour = source("rows"), _colour(dark)
    tips = [alt.Tooltip("name:N"), *(alt.Tooltip(f"{name}:Q", format=".4f") for name in ("value", "low", "high"))]
    text = rows.mark_text(align="center", dy=-13 * scale, color=INK.on(dark))
    return layered(
        rows.mark_rule(strokeWidth=3 * scale, opacity=0.55).encode(alt.X("low:Q"), alt.X2("high:Q"), y, colour),
        rows.mark_point(size=80 * scale, opacity=1).encode(x, y, colour, tooltip=tips),
        text.encode(x, y, text="text:N"),
        description="Precision, recall, density and coverage with their bootstrap intervals",
        height=230,
        dark=dark,
        scale=scale,
    )


def prd_chart(precision: np.ndarray, recall: np.ndarray, *, dark: bool = False, scale: float = 1.0) -> Figure:
    """The PRD curve: which precision can be had at which recall.

    Args:
        precision: (A,) α(λ).
        recall: (A,) β(λ).
        dark, scale: see `app.figures.theme`.
    """
    order = np.arange(len(precision))
    return Figure(_prd_spec(dark, scale), {"curve": columns(precision=precision, recall=recall, order=order)})


@lru_cache(maxsize=8)
def _prd_spec(dark: bool, scale: float) -> Mapping[str, Any]:
    unit = alt.Scale(domain=[0, 1])
    axis = alt.Axis(tickCount=5)
    x = alt.X("recall:Q", title="recall β", scale=unit, axis=axis)
    y = alt.Y("precision:Q", title="precision α", scale=unit, axis=axis)
    tips = [alt.Tooltip("recall:Q", format=".3f"), alt.Tooltip("precision:Q", format=".3f")]
    curve = source("curve").mark_line(color=accent("model", dark))
    return layered(
        source("curve").mark_area(color=accent("model", dark), opacity=0.12).encode(x, y, order="order:Q"),
        curve.encode(x, y, order="order:Q", tooltip=tips),
        description="Precision against recall on the histograms over common clusters",
        height=230,
        dark=dark,
        scale=scale,
    )


def curves_chart(
    x: np.ndarray,
    mean: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    theory: np.ndarray,
    *,
    title: str,
    logarithmic: bool,
    domain: tuple[float, float],
    height: int = 380,
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """The four numbers along an axis, with bands, and what theory expects of density and coverage.

    Args:
        x: (P,), increasing.
        mean, low, high: (P, 4) in the order of `NAMES`.
        theory: (P, 2), density and coverage, NaN where theory says nothing.
        title: of the axis.
        logarithmic: whether the axis is.
        domain: of the axis, so that it stays while the curves grow.
        height: pixels.
        dark, scale: see `app.figures.theme`.
    """
    count = len(x)
    names, places = np.repeat(NAMES, count), np.tile(x, 4)
    curves = columns(
        x=places, value=mean.T.ravel(), low=low.T.ravel(), high=high.T.ravel(), name=names,
    )  # fmt: skip
    expected = columns(x=np.tile(x, 2), value=theory.T.ravel(), name=np.repeat(("density", "coverage"), count))
    return Figure(_curves_spec(title, logarithmic, domain, height, dark, scale), {"curves": curves, "theory": expected})


@lru_cache(maxsize=32)
def _curves_spec(
    title: str, logarithmic: bool, domain: tuple[float, float], height: int, dark: bool, scale: float
) -> Mapping[str, Any]:  # fmt: skip
    kind: Any = "log" if logarithmic else "linear"
    x = alt.X(
        "x:Q", title=title, scale=alt.Scale(type=kind, nice=False, domain=list(domain)), axis=alt.Axis(tickCount=8)
    )
    y = alt.Y("value:Q", title=None, scale=alt.Scale(domainMin=0), axis=alt.Axis(tickCount=6))
    legend = alt.Legend(symbolType="stroke", symbolOpacity=1)
    dash = alt.StrokeDash(
        "name:N", scale=alt.Scale(domain=list(NAMES), range=[DASHES[name] for name in NAMES]), legend=None
    )
    curves = source("curves")
    tips = [
        alt.Tooltip("name:N"),
        alt.Tooltip("x:Q", title=title, format=".4~g"),
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high")),
    ]
    ring = source("theory").mark_point(shape="circle", filled=False, size=120 * scale, strokeWidth=1.6 * scale)
    return layered(
        curves.mark_area(opacity=0.14).encode(x, alt.Y("low:Q"), alt.Y2("high:Q"), _colour(dark, legend)),
        curves.mark_line(strokeCap="butt").encode(x, y, _colour(dark, legend), dash),
        curves.mark_point(size=26 * scale).encode(x, y, _colour(dark, legend), tooltip=tips),
        ring.encode(x, y, _colour(dark, legend)),
        description="Precision, recall, density and coverage along the axis, rings where theory fixes the mean",
        height=height,
        dark=dark,
        scale=scale,
    )


def trade_off(
    temperatures: np.ndarray, precision: np.ndarray, recall: np.ndarray, *, dark: bool = False, scale: float = 1.0
) -> Figure:  # fmt: skip
    """Precision against recall as the temperature moves.

    Args:
        temperatures, precision, recall: (P,).
        dark, scale: see `app.figures.theme`.
    """
    text = np.array([f"{t:g}" for t in temperatures])
    marks = columns(t=temperatures, precision=precision, recall=recall, text=text)
    return Figure(_trade_spec(dark, scale), {"marks": marks})


@lru_cache(maxsize=8)
def _trade_spec(dark: bool, scale: float) -> Mapping[str, Any]:
    free = alt.Scale(zero=False, padding=12)
    x = alt.X("recall:Q", title="recall", scale=free, axis=alt.Axis(tickCount=5))
    y = alt.Y("precision:Q", title="precision", scale=free, axis=alt.Axis(tickCount=5))
    marks, hue = source("marks"), accent("model", dark)
    tips = [alt.Tooltip("t:Q", title="temperature"), alt.Tooltip("precision:Q", format=".3f"),
            alt.Tooltip("recall:Q", format=".3f")]  # fmt: skip
    return layered(
        marks.mark_line(color=hue, opacity=0.5).encode(x, y, order="t:Q"),
        marks.mark_point(color=hue, size=60 * scale).encode(x, y, tooltip=tips),
        marks.mark_text(align="left", dx=8 * scale, dy=-6 * scale).encode(x, y, text="text:N"),
        description="Precision against recall, a mark for each temperature",
        height=380,
        dark=dark,
        scale=scale,
    )


def map_chart(
    real: np.ndarray,
    fake: np.ndarray,
    real_covered: np.ndarray,
    fake_covered: np.ndarray,
    *,
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """Two sets in a plane, filled where they are covered.

    Args:
        real, fake: (N, 2) and (M, 2).
        real_covered, fake_covered: (N,) and (M,) bool.
        dark, scale: see `app.figures.theme`.
    """
    keep_real, keep_fake = thinned(len(real), MAPPED), thinned(len(fake), MAPPED)
    points = np.concatenate([real[keep_real], fake[keep_fake]])
    covered = np.concatenate([real_covered[keep_real], fake_covered[keep_fake]])
    names = np.repeat(("real", "generated"), (len(keep_real), len(keep_fake)))
    said = np.where(covered, "covered", "not covered")
    return Figure(_map_spec(dark, scale), {"points": columns(x=points[:, 0], y=points[:, 1], name=names, covered=said)})


@lru_cache(maxsize=8)
def _map_spec(dark: bool, scale: float) -> Mapping[str, Any]:
    free, bare = alt.Scale(zero=False), alt.Axis(labels=False)
    hues = [accent("data", dark), accent("model", dark)]
    colour = alt.Color("name:N", scale=alt.Scale(domain=["real", "generated"], range=hues), legend=alt.Legend())
    opacity = alt.Opacity(
        "covered:N", scale=alt.Scale(domain=["covered", "not covered"], range=[0.75, 0.0]), legend=None
    )
    points = source("points")
    x, y = alt.X("x:Q", title=None, scale=free, axis=bare), alt.Y("y:Q", title=None, scale=free, axis=bare)
    return layered(
        points.mark_point(filled=True, size=22 * scale).encode(x, y, colour, opacity),
        points.mark_point(filled=False, size=22 * scale, strokeWidth=0.9 * scale).encode(
            x, y, colour, tooltip=[alt.Tooltip("name:N"), alt.Tooltip("covered:N")]
        ),
        description="Both sets on the first two principal axes, filled where they are covered",
        height=260,
        dark=dark,
        scale=scale,
    )
