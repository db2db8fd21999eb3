"""Figures of the page ``precision_recall``: the four numbers with intervals, the PRD curve, and a map of two sets."""

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
REACH = 1.6
"""Where the axis of the intervals ends: density has no upper bound, and would press the others together."""
MAPPED = 1500
"""Points of a set on a map."""


def colour_of(dark: bool, legend: alt.Legend | None = None, names: Sequence[str] = NAMES) -> alt.Color:
    """Each number's colour, the same in all figures."""
    hues = [accent(HUES[name], dark) for name in names]
    return alt.Color("name:N", scale=alt.Scale(domain=list(names), range=hues), legend=legend)


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
    text = np.array([f"{value:.3f}" + (" →" if value > REACH else "") for value in values])
    inside = {part: np.minimum(ends, REACH) for part, ends in (("at", values), ("low", low), ("high", high))}
    rows = columns(name=np.array(names), value=values, text=text, **inside)
    return Figure(_interval_spec(dark, scale), {"rows": rows})


@lru_cache(maxsize=8)
def _interval_spec(dark: bool, scale: float) -> Mapping[str, Any]:
    x = alt.X("at:Q", title=None, scale=alt.Scale(domainMin=0, nice=True), axis=alt.Axis(tickCount=5))
    y = alt.Y("name:N", sort=list(NAMES), title=None)
    rows, colour = source("rows"), colour_of(dark)
    tips = [alt.Tooltip("name:N"), alt.Tooltip("value:Q", format=".4f")]
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
