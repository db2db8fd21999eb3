"""Curves of a training: likelihood against entropy, evaluations of the field.

The specification stays the same while a training grows, only the data change: Streamlit then updates a keyed chart in
place, with no blank frame.
"""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from app.figures.frames import frame, thinned
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
) -> alt.LayerChart:
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
    curve = frame(step=steps[keep], nll=nll[keep])
    span = frame(step=np.array([0.0, float(total or (steps[-1] if len(steps) else 1))]))
    y = alt.Y("nll:Q", title=f"NLL ({unit})", scale=FREE, axis=alt.Axis(tickCount=5, format=".3~f"))
    line = alt.Chart(curve).mark_line(color=accent("model", dark), clip=True).encode(STEP, y)
    hover = _hover(curve, y, unit, dark)
    layers: list[alt.Chart] = [alt.Chart(span).mark_point(opacity=0).encode(STEP)]
    if entropy is not None:
        layers += _entropy(span, entropy, entropy_error, unit, dark, scale)
        layers += _gap(curve, entropy, unit, dark)
    return layered(*layers, line, hover, description=_described(entropy), height=HEIGHT, dark=dark, scale=scale)


def nfe_curve(
    steps: np.ndarray, nfe: np.ndarray, *, total: int | None = None, dark: bool = False, scale: float = 1.0
) -> alt.LayerChart:
    """Evaluations of the field for one solve, step by step: a field that learns to bend costs more.

    Args:
        steps: (T,).
        nfe: (T,) number of function evaluations.
        total: the steps asked for.
        dark, scale: see `app.figures.theme`.
    """
    keep = thinned(len(steps))
    table = frame(step=np.asarray(steps)[keep], nfe=np.asarray(nfe, dtype=float)[keep])
    span = frame(step=np.array([0.0, float(total or (steps[-1] if len(steps) else 1))]))
    y = alt.Y("nfe:Q", title="NFE a solve", axis=alt.Axis(tickCount=4, format="d"))
    tips = [alt.Tooltip("step:Q", format=",d"), alt.Tooltip("nfe:Q", title="evaluations")]
    line = alt.Chart(table).mark_line(interpolate="step-after", color=accent("latent", dark))
    return layered(
        alt.Chart(span).mark_point(opacity=0).encode(STEP),
        line.encode(STEP, y, tooltip=tips),
        description="Evaluations of the field a solve, by training step",
        height=0.6 * HEIGHT,
        dark=dark,
        scale=scale,
    )


def _entropy(
    span: pd.DataFrame, entropy: float, error: float | None, unit: str, dark: bool, scale: float
) -> list[alt.Chart]:
    """The entropy's line with its name, and the band of its standard error."""
    colour = accent("data", dark)
    table = frame(step=span["step"], nll=entropy, low=entropy - 2 * (error or 0.0), high=entropy + 2 * (error or 0.0))
    band = (
        alt.Chart(table)
        .mark_area(color=colour, opacity=0.18)
        .encode(STEP, alt.Y("low:Q", scale=FREE), alt.Y2("high:Q"))
    )
    rule = alt.Chart(table).mark_line(color=colour, strokeDash=[6, 4]).encode(STEP, alt.Y("nll:Q", scale=FREE))
    name = frame(step=table["step"][:1].to_numpy(), text=[f"entropy of the target {entropy:.3f} {unit}"])
    return ([band] if error else []) + [rule, _corner(name, 18 * scale, colour)]


def _corner(table: pd.DataFrame, below: float, colour: str) -> alt.Chart:
    """A line of text in the upper right corner: words that move with every step cannot be read."""
    mark = alt.Chart(table).mark_text(align="right", baseline="top", fontWeight=600, color=colour, clip=True)
    return mark.encode(x=alt.value("width"), y=alt.value(2 + below), text=alt.Text("text:N"))


def _gap(curve: pd.DataFrame, entropy: float, unit: str, dark: bool) -> list[alt.Chart]:
    """The distance from the last NLL to the entropy, in words beside its line."""
    last = curve.iloc[-1:]
    texts = [f"gap {value - entropy:+.3f} {unit}".replace("-", "−") for value in last["nll"]]
    table = frame(step=last["step"].to_numpy(), nll=last["nll"].to_numpy(), floor=entropy, text=texts)
    rule = (
        alt.Chart(table)
        .mark_rule(color=accent("muted", dark))
        .encode(STEP, alt.Y("nll:Q", scale=FREE), alt.Y2("floor:Q"))
    )
    dot = alt.Chart(table).mark_point(color=accent("model", dark), size=60).encode(STEP, alt.Y("nll:Q", scale=FREE))
    return [rule, dot, _corner(table, 0, accent("model", dark))]


def _hover(curve: pd.DataFrame, y: alt.Y, unit: str, dark: bool) -> alt.Chart:
    """A point under the pointer with its numbers."""
    nearest = alt.selection_point(on="pointerover", nearest=True, fields=["step"], empty=False, name="step_hover")
    return (
        alt.Chart(curve)
        .mark_point(color=accent("model", dark))
        .encode(
            STEP,
            y,
            opacity=alt.condition(nearest, alt.value(1), alt.value(0)),
            tooltip=[alt.Tooltip("step:Q", format=",d"), alt.Tooltip("nll:Q", format=".4f", title=f"NLL ({unit})")],
        )
        .properties(name="under_pointer")  # Altair would name the view after its data, a new name at every step
        .add_params(nearest)
    )


def _described(entropy: float | None) -> str:
    line = ", and the target's entropy, below which it cannot stay" if entropy is not None else ""
    return f"Negative log-likelihood by training step{line}"
