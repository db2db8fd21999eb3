"""Figures of the page ``precision_recall``: the four numbers along an axis, and precision against recall."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import altair as alt
import numpy as np

from app.figures.figure import Figure, columns, source
from app.figures.palette import INK, MUTED, accent
from app.figures.precision_recall import NAMES, colour_of
from app.figures.theme import layered

DASHES = {"precision": [1, 0], "recall": [7, 3], "density": [2, 3], "coverage": [9, 3, 2, 3]}
"""Each line has its own dash, so that none is told by its colour alone."""
SHARES = ("precision", "recall", "coverage")
EDGE = 44
"""Pixels for the labels of a vertical axis, the same in both panels, so that these stand above each other."""
ROOM = 0.06
"""How far apart, in precision or recall, the places on a trade-off curve are that are named."""


class Axis(NamedTuple):
    """A horizontal axis.

    Args:
        title: what is varied.
        domain: from where to where, so that it stays while the curves grow.
        logarithmic: whether it is.
    """

    title: str
    domain: tuple[float, float]
    logarithmic: bool = False


class Curves(NamedTuple):
    """The four numbers along an axis.

    Args:
        x: (P,), increasing.
        mean, low, high: (P, 4) in the order of `NAMES`.
        theory: (P, 2), what is expected of density and coverage, NaN where theory says nothing.
    """

    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    theory: np.ndarray


def shares_chart(
    curves: Curves, axis: Axis, *, at: float = np.nan, height: int = 300, dark: bool = False, scale: float = 1.0
) -> Figure:
    """Precision, recall and coverage, shares between 0 and 1, with bands and what theory expects.

    Args:
        curves: the numbers.
        axis: what they stand against.
        at: where a line is drawn; NaN for none.
        height: pixels.
        dark, scale: see `app.figures.theme`.
    """
    return Figure(_spec(SHARES, axis, height, dark, scale), _tables(curves, SHARES, at))


def density_chart(
    curves: Curves, axis: Axis, *, at: float = np.nan, height: int = 120, dark: bool = False, scale: float = 1.0
) -> Figure:
    """Density alone, with its own vertical axis: it has no upper bound, and would press the others flat.

    Args:
        curves, axis, at, height, dark, scale: see `shares_chart`.
    """
    return Figure(_spec(("density",), axis, height, dark, scale), _tables(curves, ("density",), at))


def _tables(curves: Curves, names: tuple[str, ...], at: float) -> dict[str, Any]:
    rows = [NAMES.index(name) for name in names]
    count, several = len(curves.x), len(names)
    flat = {
        part: values[:, rows].T.ravel()
        for part, values in (("value", curves.mean), ("low", curves.low), ("high", curves.high))
    }
    lines = columns(x=np.tile(curves.x, several), name=np.repeat(names, count), **flat)
    which = "density" if names == ("density",) else "coverage"
    expected = curves.theory[:, ("density", "coverage").index(which)]
    return {
        "curves": lines, "theory": columns(x=curves.x, value=expected, name=np.repeat(which, count)),
        "marked": columns(x=np.array([at])),
    }  # fmt: skip


@lru_cache(maxsize=64)
def _spec(names: tuple[str, ...], axis: Axis, height: int, dark: bool, scale: float) -> Mapping[str, Any]:
    kind: Any = "log" if axis.logarithmic else "linear"
    title: Any = axis.title if names == SHARES else None
    along = alt.Scale(type=kind, nice=False, domain=list(axis.domain))
    x = alt.X("x:Q", title=axis.title, scale=along, axis=alt.Axis(tickCount=8, title=title))
    side = alt.Axis(tickCount=5 if names == SHARES else 3, minExtent=EDGE * scale)
    reach = alt.Scale(domain=[0, 1]) if names == SHARES else alt.Scale(domainMin=0)
    y = alt.Y("value:Q", title=None, scale=reach, axis=side)
    colour = colour_of(dark, alt.Legend(symbolType="stroke", symbolOpacity=1), names)
    dash = alt.StrokeDash(
        "name:N", scale=alt.Scale(domain=list(names), range=[DASHES[name] for name in names]), legend=None
    )
    curves, tips = source("curves"), [
        alt.Tooltip("name:N"), alt.Tooltip("x:Q", title=axis.title, format=".4~g"),
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high")),
    ]  # fmt: skip
    ring = source("theory").mark_point(shape="circle", filled=False, size=120 * scale, strokeWidth=1.6 * scale)
    return layered(
        source("marked").mark_rule(color=MUTED.on(dark), opacity=0.7).encode(alt.X("x:Q", scale=along)),
        curves.mark_area(opacity=0.14).encode(x, alt.Y("low:Q"), alt.Y2("high:Q"), colour),
        curves.mark_line(strokeCap="butt").encode(x, y, colour, dash),
        curves.mark_point(size=26 * scale).encode(x, y, colour, tooltip=tips),
        ring.encode(x, y, colour),
        description=f"{', '.join(names).capitalize()} along the axis, rings where theory fixes the mean",
        height=height,
        dark=dark,
        scale=scale,
    )


def trade_off(
    curves: Curves, knob: str, *, reference: np.ndarray | None = None, at: float = np.nan, height: int = 380,
    dark: bool = False, scale: float = 1.0,
) -> Figure:  # fmt: skip
    """Precision against recall as a knob is turned, a mark with its intervals for each place.

    Args:
        curves: along the knob.
        knob: its name.
        reference: (4,), what real images get in the generator's place; a ring.
        at: the place that is emphasised; NaN for none.
        height: pixels.
        dark, scale: see `app.figures.theme`.
    """
    named = _apart(curves.mean[:, :2], np.isclose(curves.x, at))
    text = np.array([f"{place:g}" if row in named else "" for row, place in enumerate(curves.x)])
    (precision, recall), (p_low, r_low), (p_high, r_high) = (
        values[:, :2].T for values in (curves.mean, curves.low, curves.high)
    )
    marks = columns(
        place=curves.x, precision=precision, recall=recall, text=text, p_low=p_low, p_high=p_high, r_low=r_low,
        r_high=r_high, chosen=np.isclose(curves.x, at),
    )  # fmt: skip
    pair = np.full(2, np.nan) if reference is None else reference[:2]
    ring = columns(precision=pair[:1], recall=pair[1:], name="real images as generated")
    return Figure(_trade_spec(knob, height, dark, scale), {"marks": marks, "ring": ring})


def _apart(points: np.ndarray, first: np.ndarray) -> set[int]:
    """The rows of (P, 2) whose names do not run into each other: the chosen one, the ends, then all that have room.

    Example:
        >>> sorted(_apart(np.array([[0.0, 0.0], [0.01, 0.0], [0.5, 0.5], [1.0, 1.0]]), np.zeros(4, bool)))
        [0, 2, 3]
    """
    order = [*np.flatnonzero(first), 0, len(points) - 1, *range(len(points))]
    named: list[int] = []
    for row in map(int, order):
        if all(np.abs(points[row] - points[other]).max() >= ROOM for other in named):
            named.append(row)
    return set(named)


@lru_cache(maxsize=16)
def _trade_spec(knob: str, height: int, dark: bool, scale: float) -> Mapping[str, Any]:
    unit = alt.Scale(domain=[0, 1.02], nice=False)
    x = alt.X("recall:Q", title="recall", scale=unit, axis=alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1]))
    y = alt.Y("precision:Q", title="precision", scale=unit, axis=alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1]))
    marks, hue = source("marks"), accent("model", dark)
    tips = [
        alt.Tooltip("place:Q", title=knob, format=".4~g"), alt.Tooltip("precision:Q", format=".3f"),
        alt.Tooltip("recall:Q", format=".3f"),
    ]  # fmt: skip
    size = alt.Size("chosen:N", scale=alt.Scale(domain=[False, True], range=[60 * scale, 260 * scale]), legend=None)
    ring, real = source("ring"), accent("data", dark)
    circle = ring.mark_point(shape="circle", filled=False, size=170 * scale, strokeWidth=2 * scale, color=real)
    return layered(
        marks.mark_line(color=hue, opacity=0.5).encode(x, y, order="place:Q"),
        marks.mark_rule(color=hue, opacity=0.4).encode(alt.X("r_low:Q"), alt.X2("r_high:Q"), y),
        marks.mark_rule(color=hue, opacity=0.4).encode(x, alt.Y("p_low:Q"), alt.Y2("p_high:Q")),
        marks.mark_point(color=hue, opacity=1).encode(x, y, size, tooltip=tips),
        circle.encode(x, y, tooltip=[alt.Tooltip("name:N"), *tips[1:]]),
        marks.mark_text(align="left", dx=8 * scale, dy=11 * scale, color=INK.on(dark)).encode(x, y, text="text:N"),
        description=f"Precision against recall, a mark for each {knob}",
        height=height,
        dark=dark,
        scale=scale,
    )
