"""Figures of the page neural_ode: a fit over time, and errors and evaluations as a training goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from app.figures.figure import Columns, Figure, columns, source, thinned
from app.figures.palette import accent
from app.figures.theme import layered

HEIGHT = 240
FITTED, LINEAR, TRUTH, HELD_BACK, SEEN = "neural ODE", "linear field", "truth", "held back", "observed"


def fit_over_time(
    times: np.ndarray,
    curve: np.ndarray,
    linear: np.ndarray,
    seen: np.ndarray,
    beyond: np.ndarray,
    last_seen: float,
    names: Sequence[str],
    *,
    known: bool,
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """Each variable over time: what was observed, what was fitted to it, and how it goes on beyond the data.

    Args:
        times: (P,).
        curve, linear: (P, D).
        seen, beyond: (N, 1 + D) tables, NaN in the gaps.
        last_seen: after it all is extrapolation.
        names: (D,) of the variables.
        known: whether ``beyond`` is the truth rather than further observations.
        dark, scale: see `app.figures.theme`.
    """
    reach = _reach(seen, beyond)
    lines = _stacked([(FITTED, times, curve), (LINEAR, times, linear)], names, reach)
    table = _stacked([(TRUTH if known else HELD_BACK, beyond[:, 0], beyond[:, 1:])], names, reach)
    dots = _stacked([(SEEN, seen[:, 0], seen[:, 1:])], names, reach)
    later = columns(start=np.array([last_seen]), end=np.array([float(times[-1])]))
    tables = {"later": later, "held": table, "lines": lines, "dots": dots}
    return Figure(_fit_spec(tuple(names), known, dark, scale), tables)


def _reach(seen: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """(2, D): what is drawn of each variable, so that a curve that leaves does not flatten the others."""
    values = np.concatenate([seen[:, 1:], beyond[:, 1:]])
    low, high = np.nanmin(values, 0), np.nanmax(values, 0)
    return np.stack([low - 0.5 * (high - low), high + 0.5 * (high - low)])


def _stacked(
    given: Sequence[tuple[str, np.ndarray, np.ndarray]], names: Sequence[str], reach: np.ndarray
) -> Columns:  # fmt: skip
    parts: dict[str, list[np.ndarray]] = {"t": [], "x": [], "what": [], "variable": []}
    for what, times, values in given:
        keep = thinned(len(times))
        for d, name in enumerate(names):
            column = np.array(values[keep, d], float)
            column[(column < reach[0, d]) | (column > reach[1, d])] = np.nan
            parts["t"].append(np.asarray(times, float)[keep])
            parts["x"].append(column)
            parts["what"].append(np.full(len(keep), what))
            parts["variable"].append(np.full(len(keep), name))
    return columns(**{name: np.concatenate(arrays) for name, arrays in parts.items()})


@lru_cache(maxsize=16)
def _fit_spec(names: tuple[str, ...], known: bool, dark: bool, scale: float) -> Mapping[str, Any]:
    held = TRUTH if known else HELD_BACK
    x = alt.X("t:Q", title="t", scale=alt.Scale(nice=False))
    y = alt.Y("x:Q", title=" · ".join(names), scale=alt.Scale(zero=False))
    colours = [accent(meaning, dark) for meaning in ("model", "muted", "base", "data")]
    colour = alt.Color(
        "what:N",
        scale=alt.Scale(domain=[FITTED, LINEAR, held, SEEN], range=colours),
        legend=alt.Legend(symbolType="stroke"),
    )
    dash = alt.StrokeDash("variable:N", legend=None, sort=list(names))
    later = source("later").mark_rect(color=accent("muted", dark), opacity=0.1)
    held_mark = source("held").mark_line(strokeWidth=2.6 * scale, opacity=0.75) if known else source("held").mark_point(
        size=26 * scale, filled=False
    )  # fmt: skip
    dots = source("dots").mark_point(size=24 * scale, opacity=0.85)
    shape = alt.Shape("variable:N", legend=None, sort=list(names))
    tips = [alt.Tooltip("variable:N"), alt.Tooltip("t:Q", format=".3~f"), alt.Tooltip("x:Q", format=".4~g")]
    held_code = (x, y, colour, dash) if known else (x, y, colour, shape)
    return layered(
        later.encode(alt.X("start:Q"), alt.X2("end:Q")),
        held_mark.encode(*held_code),
        source("lines").mark_line(strokeWidth=1.8 * scale).encode(x, y, colour, dash),
        dots.encode(x, y, colour, shape, tooltip=tips),
        description="Observed values, the fitted solution and the linear field's over time; grey: after the data",
        height=HEIGHT + 20,
        dark=dark,
        scale=scale,
    )


def fit_errors(
    steps: np.ndarray, inside: np.ndarray, beyond: np.ndarray, *, total: int, dark: bool = False, scale: float = 1.0
) -> Figure:
    """The error on what is held back, within the time seen and beyond it, as the training goes on.

    Args:
        steps: (T,).
        inside, beyond: (T,) in standard deviations of the observations.
        total: the steps asked for, so that the axis does not grow.
        dark, scale: see `app.figures.theme`.
    """
    rows = [("within the data", inside), ("beyond the data", beyond)]
    table = columns(
        step=np.tile(np.asarray(steps, float), 2), error=np.concatenate([values for _, values in rows]),
        what=np.repeat([name for name, _ in rows], len(steps)),
    )  # fmt: skip
    positive = table["error"] > 0
    span = columns(step=np.array([0.0, float(total)]))
    return Figure(_errors_spec(dark, scale), {"span": span, "errors": {k: v[positive] for k, v in table.items()}})


@lru_cache(maxsize=8)
def _errors_spec(dark: bool, scale: float) -> Mapping[str, Any]:
    x = alt.X("step:Q", title="training step", axis=alt.Axis(format=",d", tickCount=5))
    y = alt.Y(
        "error:Q", title="error (standard deviations)", scale=alt.Scale(type="log"),
        axis=alt.Axis(tickCount=4, format="~g"),
    )  # fmt: skip
    colours = [accent("model", dark), accent("data", dark)]
    colour = alt.Color("what:N", scale=alt.Scale(domain=["within the data", "beyond the data"], range=colours))
    tips = [alt.Tooltip("what:N"), alt.Tooltip("step:Q", format=",d"), alt.Tooltip("error:Q", format=".3~g")]
    return layered(
        source("span").mark_point(opacity=0).encode(x),
        source("errors").mark_line(point=True).encode(x, y, colour, tooltip=tips),
        description="Error on held-back values by training step",
        height=0.8 * HEIGHT,
        dark=dark,
        scale=scale,
    )


def step_sizes(
    starts: np.ndarray,
    sizes: np.ndarray,
    rejected_ends: np.ndarray,
    rejected: int,
    end: float,
    *,
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """The size of each step where it starts, and where steps were tried in vain.

    Args:
        starts, sizes: (S,).
        rejected_ends: (R,) to where rejected steps would have gone.
        rejected: R.
        end: of the time.
        dark, scale: see `app.figures.theme`.
    """
    level = float(np.max(sizes)) * 1.25 if len(sizes) else 1.0
    tables = {
        "span": columns(t=np.array([0.0, end])),
        "steps": columns(t=starts, h=sizes, what="taken"),
        "tried": columns(t=rejected_ends, h=np.full(rejected, level), what="rejected"),
    }
    return Figure(_sizes_spec(dark, scale), tables)


@lru_cache(maxsize=8)
def _sizes_spec(dark: bool, scale: float) -> Mapping[str, Any]:
    x = alt.X("t:Q", title="t", scale=alt.Scale(nice=False))
    y = alt.Y("h:Q", title="step h", scale=alt.Scale(type="log"), axis=alt.Axis(tickCount=3, format="~g"))
    tips = [alt.Tooltip("what:N"), alt.Tooltip("t:Q", format=".4~g"), alt.Tooltip("h:Q", format=".3~g")]
    line = source("steps").mark_line(
        interpolate="step-after", color=accent("model", dark),
        point={"size": 22 * scale, "color": accent("model", dark)},
    )  # fmt: skip
    cross = source("tried").mark_point(
        shape="cross", angle=45, color=accent("bad", dark), size=55 * scale, filled=True
    )  # fmt: skip
    return layered(
        source("span").mark_point(opacity=0).encode(x),
        line.encode(x, y, tooltip=tips),
        cross.encode(x, y, tooltip=tips),
        description="The size of each step by time; crosses where a step was rejected",
        height=0.4 * HEIGHT,
        dark=dark,
        scale=scale,
    )


def work_precision(
    lines: Mapping[str, tuple[np.ndarray, np.ndarray, int]],
    chosen: str,
    size: float,
    *,
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """Error against evaluations, a line a method, the chosen one in colour with its order and its fitted slope.

    Args:
        lines: title → (K,) evaluations, (K,) errors, and the order that theory gives.
        chosen: the title in colour.
        size: of the solution, for judging which errors show the order.
        dark, scale: see `app.figures.theme`.
    """
    parts: dict[str, list[np.ndarray]] = {"nfe": [], "error": [], "method": [], "lit": []}
    ends: dict[str, list[Any]] = {"nfe": [], "error": [], "text": [], "lit": []}
    for title, (nfe, error, order) in lines.items():
        keep = (error > 1e-13) & (nfe > 0) & (error < 1e3 * size)
        if not keep.any():
            continue
        parts["nfe"].append(nfe[keep])
        parts["error"].append(error[keep])
        parts["method"].append(np.full(int(keep.sum()), title))
        parts["lit"].append(np.full(int(keep.sum()), title == chosen))
        if title == chosen:
            ends["nfe"].append(float(nfe[keep][-1]))
            ends["error"].append(float(error[keep][-1]))
            ends["text"].append(f"{title}: order {order}, fitted {fitted_slope(nfe, error, size)}")
            ends["lit"].append(True)
    curves = columns(**{name: np.concatenate(arrays) for name, arrays in parts.items()}) if parts["nfe"] else {}
    words = columns(text=np.array(ends["text"] or [""], str))
    return Figure(_work_spec(dark, scale), {"curves": curves, "words": words})


def fitted_slope(nfe: np.ndarray, error: np.ndarray, size: float) -> str:
    """The slope of log error on log NFE with its standard error, where the error shows the order; a dash elsewhere.

    Example:
        >>> n = np.array([10.0, 20.0, 40.0, 80.0])
        >>> fitted_slope(n, n**-2.0, 1.0)
        '2.00 ± 0.00'
    """
    keep = (error > 1e-11 * size) & (error <= 1e-2 * size)
    if keep.sum() < 3:
        return "–"
    x, y = np.log(nfe[keep]), np.log(error[keep])
    x = x - x.mean()
    slope = float(x @ y / (x @ x))
    left = y - y.mean() - slope * x
    return f"{-slope:.2f} ± {np.sqrt(left @ left / (len(x) - 2) / (x @ x)):.2f}"


@lru_cache(maxsize=8)
def _work_spec(dark: bool, scale: float) -> Mapping[str, Any]:
    logarithmic = alt.Scale(type="log", nice=False)
    x = alt.X("nfe:Q", title="evaluations of the field", scale=logarithmic, axis=alt.Axis(tickCount=4, format="~s"))
    y = alt.Y("error:Q", title="error at t₁", scale=logarithmic, axis=alt.Axis(tickCount=5, format=".0e"))
    lit = alt.datum.lit == True  # noqa: E712
    colour = alt.condition(lit, alt.value(accent("model", dark)), alt.value(accent("muted", dark)))
    opacity = alt.condition(lit, alt.value(1.0), alt.value(0.45))
    tips = [alt.Tooltip("method:N"), alt.Tooltip("nfe:Q", format=",d"), alt.Tooltip("error:Q", format=".2e")]
    curves, detail = source("curves"), alt.Detail("method:N")
    words = source("words").mark_text(align="right", baseline="top", fontWeight=600, color=accent("model", dark))
    return layered(
        curves.mark_line(strokeWidth=1.8 * scale).encode(x, y, detail, color=colour, opacity=opacity),
        curves.mark_point(size=34 * scale).encode(x, y, detail, color=colour, opacity=opacity, tooltip=tips),
        words.encode(x=alt.value("width"), y=alt.value(2), text=alt.Text("text:N")),
        description="Error at the end against evaluations of the field, a line for each method",
        height=HEIGHT + 40,
        dark=dark,
        scale=scale,
    )


def gradient_errors(
    settings: np.ndarray, lines: Mapping[str, np.ndarray], name: str, *, dark: bool = False, scale: float = 1.0
) -> Figure:
    """The relative error of a gradient against the tolerance, or the steps, a line a way.

    Args:
        settings: (K,).
        lines: way → (K,), NaN where it was not measured.
        name: what the settings are.
        dark, scale: see `app.figures.theme`.
    """
    return Figure(_errors_of_ways(name, tuple(lines), dark, scale), {"lines": _ways(settings, lines)})


def cost_lines(
    steps: np.ndarray, lines: Mapping[str, np.ndarray], title: str, *, dark: bool = False, scale: float = 1.0
) -> Figure:
    """Memory or time of a gradient against the number of steps, a line a way.

    Args:
        steps: (K,).
        lines: way → (K,).
        title: of what is measured, with its unit.
        dark, scale: see `app.figures.theme`.
    """
    return Figure(_cost_spec(title, tuple(lines), dark, scale), {"lines": _ways(steps, lines)})


def _ways(x: np.ndarray, lines: Mapping[str, np.ndarray]) -> Columns:
    return columns(
        x=np.tile(np.asarray(x, float), len(lines)), y=np.concatenate([np.asarray(v, float) for v in lines.values()]),
        way=np.repeat(list(lines), len(x)),
    )  # fmt: skip


def _way_colour(names: tuple[str, ...], dark: bool) -> alt.Color:
    colours = [accent(meaning, dark) for meaning in ("model", "data", "muted")][: len(names)]
    return alt.Color("way:N", scale=alt.Scale(domain=list(names), range=colours))


@lru_cache(maxsize=16)
def _errors_of_ways(name: str, names: tuple[str, ...], dark: bool, scale: float) -> Mapping[str, Any]:
    log, tight = alt.Scale(type="log"), name == "tolerance"
    x = alt.X("x:Q", title=name, scale=log, sort="descending" if tight else "ascending",
              axis=alt.Axis(format=".0e" if tight else "d", tickCount=5))  # fmt: skip
    y = alt.Y("y:Q", title="relative error", scale=log, axis=alt.Axis(tickCount=4, format=".0e"))
    tips = [alt.Tooltip("way:N"), alt.Tooltip("x:Q", title=name, format=".0e"), alt.Tooltip("y:Q", format=".2e")]
    marks = source("lines").mark_line(point={"size": 30 * scale})
    return layered(
        marks.encode(x, y, _way_colour(names, dark), tooltip=tips),
        description=f"Relative error of the gradient against the {name}, a line for each way",
        height=0.9 * HEIGHT,
        dark=dark,
        scale=scale,
    )


@lru_cache(maxsize=16)
def _cost_spec(title: str, names: tuple[str, ...], dark: bool, scale: float) -> Mapping[str, Any]:
    x = alt.X("x:Q", title="steps", axis=alt.Axis(format="d", tickCount=5))
    y = alt.Y("y:Q", title=title, axis=alt.Axis(tickCount=4))
    tips = [alt.Tooltip("way:N"), alt.Tooltip("x:Q", title="steps", format="d"), alt.Tooltip("y:Q", format=".4~g")]
    return layered(
        source("lines").mark_line(point={"size": 30 * scale}).encode(x, y, _way_colour(names, dark), tooltip=tips),
        description=f"{title} of a gradient against the number of steps",
        height=0.6 * HEIGHT,
        dark=dark,
        scale=scale,
    )
