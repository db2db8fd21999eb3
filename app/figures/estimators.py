"""Figures of the estimator bench: bias against variance as the temperature moves, cost, and the race."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from app.figures.figure import Figure, columns, source
from app.figures.palette import accent
from app.figures.theme import layered

HEIGHT = 400
UNBIASED, BIASED = "unbiased, whatever f is", "biased"


def bias_variance(
    names: Sequence[str],
    unbiased: np.ndarray,
    bias: np.ndarray,
    std: np.ndarray,
    now: int,
    *,
    reach: tuple[float, float],
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """One mark an estimator: how far its mean is from the gradient, and how far one sample is from its mean.

    Args:
        names: (E,).
        unbiased: (E,) bool.
        bias: (T, E), ‖mean − gradient‖ / ‖gradient‖ at T temperatures.
        std: (T, E), standard deviation of one sample / ‖gradient‖.
        now: the temperature that is chosen, an index below T.
        reach: the largest bias and std to show, so that the axes stay as the temperature moves.
        dark, scale: see `app.figures.theme`.
    """
    count = len(names)
    kind = np.where(np.asarray(unbiased), UNBIASED, BIASED)
    steps = np.repeat(np.arange(len(bias)), count)
    trail = columns(
        name=np.tile(names, len(bias)), x=bias.ravel(), y=std.ravel(), k=steps, kind=np.tile(kind, len(bias))
    )
    words = apart(bias[now], std[now], reach)
    short = np.array([name.replace("Straight-through ", "ST ") for name in names])
    marks = columns(name=np.array(names), x=bias[now], y=std[now], kind=kind, words=words, short=short)
    frame = columns(x=np.array([0.0, reach[0]]), y=np.array([0.0, reach[1]]))
    return Figure(_bias_spec(dark, scale), {"frame": frame, "trail": trail, "marks": marks})


def apart(x: np.ndarray, y: np.ndarray, reach: tuple[float, float]) -> np.ndarray:
    """Heights for labels to the right of marks, moved up where two would be written over each other.

    Args:
        x, y: (E,) places of the marks; heights go by the square root, as on the chart.
        reach: of the axes; a label is taken to be 0.3 of the width long and 0.055 of the height high.

    Returns:
        (E,) heights.

    Example:
        >>> apart(np.array([0.0, 0.1, 0.9]), np.array([1.0, 1.0, 1.0]), (1.0, 4.0)).round(2).tolist()
        [1.0, 1.23, 1.0]
    """
    placed, line = np.sqrt(np.asarray(y, dtype=float)), 0.055 * np.sqrt(reach[1])
    order = np.argsort(y, kind="stable")
    for rank, index in enumerate(order):
        for other in order[:rank]:
            near = abs(x[index] - x[other]) < 0.3 * reach[0]
            if near and placed[index] < placed[other] + line:
                placed[index] = placed[other] + line
    moved: np.ndarray = placed**2
    return moved


@lru_cache(maxsize=8)
def _bias_spec(dark: bool, scale: float) -> Mapping[str, Any]:
    axis = alt.Axis(tickCount=6, format=".2~f")
    x = alt.X("x:Q", title="bias, relative to the gradient's length", axis=axis)
    root = alt.Scale(type="sqrt")
    y = alt.Y("y:Q", title="standard deviation of one sample, relative", axis=axis, scale=root)
    colour = _kinds(dark)
    tips = [
        alt.Tooltip("name:N", title="estimator"),
        alt.Tooltip("x:Q", title="bias", format=".3f"),
        alt.Tooltip("y:Q", title="standard deviation", format=".3f"),
    ]
    trail = source("trail").mark_line(strokeWidth=1.5 * scale, opacity=0.35, interpolate="monotone", clip=True)
    marks = source("marks").mark_point(size=110 * scale, clip=True)
    words = source("marks").mark_text(align="left", dx=9 * scale, clip=False)
    beside = alt.Y("words:Q", title="standard deviation of one sample, relative", scale=root)
    return layered(
        source("frame").mark_point(opacity=0).encode(x, y),
        trail.encode(x, y, colour, alt.Detail("name:N"), alt.Order("k:Q")),
        marks.encode(x, y, colour, alt.Shape("kind:N", legend=None), tooltip=tips),
        words.encode(x, beside, alt.Text("short:N")),
        description="Relative bias against relative standard deviation of one sample, a mark for each estimator",
        height=HEIGHT + 100,
        dark=dark,
        scale=scale,
    )


def _kinds(dark: bool) -> alt.Color:
    colours = [accent("good", dark), accent("model", dark)]
    legend = alt.Legend(symbolType="circle", symbolOpacity=1)
    return alt.Color("kind:N", scale=alt.Scale(domain=[UNBIASED, BIASED], range=colours), legend=legend)


def cost_bars(
    names: Sequence[str], microseconds: np.ndarray, evaluations: np.ndarray, *, dark: bool = False, scale: float = 1.0
) -> Figure:
    """What one sample costs: time, and evaluations of f beside it.

    Args:
        names: (E,).
        microseconds: (E,), measured.
        evaluations: (E,), of f.
        dark, scale: see `app.figures.theme`.
    """
    texts = [f"{m:.2g} µs · f × {int(n)}" for m, n in zip(microseconds, evaluations, strict=True)]
    table = columns(name=np.array(names), cost=np.asarray(microseconds, float), text=np.array(texts))
    return Figure(_cost_spec(len(names), dark, scale), {"costs": table})


@lru_cache(maxsize=8)
def _cost_spec(count: int, dark: bool, scale: float) -> Mapping[str, Any]:
    y = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=320))
    x = alt.X("cost:Q", title="time for a sample (µs)", axis=alt.Axis(tickCount=4))
    bars = source("costs").mark_bar(color=accent("latent", dark), height={"band": 0.5})
    words = source("costs").mark_text(align="left", dx=6 * scale)
    return layered(
        bars.encode(x, y),
        words.encode(x, y, alt.Text("text:N")),
        description="Time and evaluations of f for one sample, by estimator",
        height=HEIGHT - 160,
        dark=dark,
        scale=scale,
    )


def race_curves(
    names: Sequence[str],
    steps: np.ndarray,
    values: np.ndarray,
    best: float,
    *,
    chosen: Sequence[str] = (),
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """The same optimisation with each estimator: how far the exact E[f] is from the best, against the steps.

    Args:
        names: (E,).
        steps: (T,).
        values: (E, T), mean over seeds of E[f].
        best: min f, which no distribution beats.
        chosen: drawn in colour, at most six; the others grey.
        dark, scale: see `app.figures.theme`.
    """
    lit = [name in chosen for name in names]
    gaps, rows = np.asarray(values, float) - best, len(steps)
    tables = {
        kind: columns(
            name=np.repeat(np.array(names)[keep], rows), step=np.tile(steps, int(keep.sum())), value=gaps[keep].ravel()
        )
        for kind, keep in (("chosen", np.array(lit)), ("others", ~np.array(lit)))
    }
    return Figure(_race_spec(tuple(name for name, on in zip(names, lit, strict=True) if on), dark, scale), tables)


@lru_cache(maxsize=64)
def _race_spec(chosen: tuple[str, ...], dark: bool, scale: float) -> Mapping[str, Any]:
    x = alt.X("step:Q", title="step", axis=alt.Axis(tickCount=6))
    log = alt.Scale(type="log", nice=False)
    y = alt.Y("value:Q", title="E[f] − min f, exact", scale=log, axis=alt.Axis(tickCount=5))
    hues = [accent(m, dark) for m in ("model", "data", "base", "latent", "bad", "muted")]
    colour = alt.Color(
        "name:N",
        scale=alt.Scale(domain=list(chosen), range=[hues[k % len(hues)] for k in range(len(chosen))]),
        legend=alt.Legend(symbolType="stroke", columns=5),
    )
    tips = [alt.Tooltip("name:N", title="estimator"), alt.Tooltip("step:Q"), alt.Tooltip("value:Q", format=".4f")]
    grey = source("others").mark_line(color=accent("muted", dark), opacity=0.35, strokeWidth=1.2 * scale)
    return layered(
        grey.encode(x, y, alt.Detail("name:N"), tooltip=tips),
        source("chosen").mark_line().encode(x, y, colour, tooltip=tips),
        description="Distance of the exact expectation of f from its minimum, a line for each estimator",
        height=HEIGHT - 80,
        dark=dark,
        scale=scale,
    )
