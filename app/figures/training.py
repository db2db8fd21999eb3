"""Curves of a training: likelihood against entropy, evaluations of the field.

The specification stays the same while a training grows, only the data change: Streamlit then updates a chart in
place, with no blank frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from app.figures.figure import Columns, Figure, columns, source, thinned
from app.figures.palette import accent
from app.figures.theme import layered

HEIGHT = 240
FREE = alt.Scale(zero=False, nice=True)
STEP = alt.X("step:Q", title="training step", axis=alt.Axis(format=",d", tickCount=5))


def training_curve(
    steps: np.ndarray,
    nll: np.ndarray,
    entropy: float | None = None,
    entropy_error: float | None = None,
    *,
    total: int | None = None,
    unit: str = "nats",
    dark: bool = False,
    scale: float = 1.0,
) -> Figure:
    """The NLL as it falls, the target's entropy as the line that it cannot pass, and the gap between them.

    E[−log q] − H(p) = KL(p ‖ q) ≥ 0: the gap is what is left to learn, and below the line is only sampling error.

    Args:
        steps: (T,).
        nll: (T,), negative log-likelihood.
        entropy: the target's, None where it is not known.
        entropy_error: its standard error, drawn as a band of ± 2.
        total: the steps asked for, so that the axis does not grow.
        unit: of both.
        dark, scale: see `app.figures.theme`.
    """
    steps, nll = np.asarray(steps), np.asarray(nll, dtype=float)
    keep = thinned(len(steps))
    curve = columns(step=steps[keep], nll=nll[keep])
    tables = {"span": _span(steps, total), "curve": curve}
    if entropy is not None:
        spread = 2 * (entropy_error or 0.0)
        tables["entropy"] = columns(**tables["span"], nll=entropy, low=entropy - spread, high=entropy + spread)
        tables["entropy_name"] = columns(text=[f"entropy of the target {entropy:.3f} {unit}"])
        tables["gap"] = _gap(curve, entropy, unit)
    return Figure(_training_spec(entropy is not None, bool(entropy_error), unit, dark, scale), tables)


def nfe_curve(
    steps: np.ndarray, nfe: np.ndarray, *, total: int | None = None, dark: bool = False, scale: float = 1.0
) -> Figure:
    """Evaluations of the field for one solve, step by step: a field that learns to bend costs more.

    Args:
        steps: (T,).
        nfe: (T,) number of function evaluations.
        total: the steps asked for.
        dark, scale: see `app.figures.theme`.
    """
    steps = np.asarray(steps)
    keep = thinned(len(steps))
    curve = columns(step=steps[keep], nfe=np.asarray(nfe, dtype=float)[keep])
    return Figure(_nfe_spec(dark, scale), {"span": _span(steps, total), "curve": curve})


def _span(steps: np.ndarray, total: int | None) -> Columns:
    """The axis from the first step to the last one asked for."""
    return columns(step=np.array([0.0, float(total or (steps[-1] if len(steps) else 1))]))


def _gap(curve: Columns, entropy: float, unit: str) -> Columns:
    """The last NLL, the entropy below it and their difference in words; no row while there is no NLL."""
    step, nll = curve["step"][-1:], curve["nll"][-1:]
    texts = [f"gap {value - entropy:+.3f} {unit}".replace("-", "−") for value in nll]
    return columns(step=step, nll=nll, floor=entropy, text=np.array(texts, dtype=str))


@lru_cache(maxsize=32)
def _training_spec(has_entropy: bool, has_error: bool, unit: str, dark: bool, scale: float) -> Mapping[str, Any]:
    y = alt.Y("nll:Q", title=f"NLL ({unit})", scale=FREE, axis=alt.Axis(tickCount=5, format=".3~f"))
    line = source("curve").mark_line(color=accent("model", dark), clip=True).encode(STEP, y)
    layers: list[alt.Chart] = [source("span").mark_point(opacity=0).encode(STEP)]
    described = "Negative log-likelihood by training step"
    if has_entropy:
        layers += _entropy_layers(has_error, dark, scale) + _gap_layers(dark)
        described += ", and the target's entropy, below which it cannot stay"
    hover = _hover(y, unit, dark)
    return layered(*layers, line, hover, description=described, height=HEIGHT, dark=dark, scale=scale)


@lru_cache(maxsize=8)
def _nfe_spec(dark: bool, scale: float) -> Mapping[str, Any]:
    y = alt.Y("nfe:Q", title="NFE a solve", axis=alt.Axis(tickCount=4, format="d"))
    tips = [alt.Tooltip("step:Q", format=",d"), alt.Tooltip("nfe:Q", title="evaluations")]
    line = source("curve").mark_line(interpolate="step-after", color=accent("latent", dark))
    return layered(
        source("span").mark_point(opacity=0).encode(STEP),
        line.encode(STEP, y, tooltip=tips),
        description="Evaluations of the field a solve, by training step",
        height=0.6 * HEIGHT,
        dark=dark,
        scale=scale,
    )


def _entropy_layers(has_error: bool, dark: bool, scale: float) -> list[alt.Chart]:
    """The entropy's line with its name, and the band of its standard error."""
    colour, table = accent("data", dark), source("entropy")
    band = table.mark_area(color=colour, opacity=0.18).encode(STEP, alt.Y("low:Q", scale=FREE), alt.Y2("high:Q"))
    rule = table.mark_line(color=colour, strokeDash=[6, 4]).encode(STEP, alt.Y("nll:Q", scale=FREE))
    return ([band] if has_error else []) + [rule, _corner("entropy_name", 18 * scale, colour)]


def _gap_layers(dark: bool) -> list[alt.Chart]:
    """The distance from the last NLL to the entropy, in words beside its line."""
    table, y = source("gap"), alt.Y("nll:Q", scale=FREE)
    rule = table.mark_rule(color=accent("muted", dark)).encode(STEP, y, alt.Y2("floor:Q"))
    dot = table.mark_point(color=accent("model", dark), size=60).encode(STEP, y)
    return [rule, dot, _corner("gap", 0, accent("model", dark))]


def _corner(table: str, below: float, colour: str) -> alt.Chart:
    """A line of text in the upper right corner: words that move with every step cannot be read."""
    mark = source(table).mark_text(align="right", baseline="top", fontWeight=600, color=colour, clip=True)
    return mark.encode(x=alt.value("width"), y=alt.value(2 + below), text=alt.Text("text:N"))


def _hover(y: alt.Y, unit: str, dark: bool) -> alt.Chart:
    """A point under the pointer with its numbers."""
    nearest = alt.selection_point(on="pointerover", nearest=True, fields=["step"], empty=False, name="step_hover")
    return (
        source("curve")
        .mark_point(color=accent("model", dark))
        .encode(
            STEP,
            y,
            opacity=alt.condition(nearest, alt.value(1), alt.value(0)),
            tooltip=[alt.Tooltip("step:Q", format=",d"), alt.Tooltip("nll:Q", format=".4f", title=f"NLL ({unit})")],
        )
        .properties(name="under_pointer")
        .add_params(nearest)
    )
