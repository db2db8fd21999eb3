"""Figures of the page ``cnf``: one point followed through the flow, and gaps side by side."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from app.figures.frames import frame
from app.figures.palette import INK, accent
from app.figures.theme import layered
from app.figures.training import nfe_curve, training_curve
from app.figures.trajectories import trajectories_3d

__all__ = ["gap_bars", "jacobian_ellipse", "log_prob_along", "nfe_curve", "training_curve", "trajectories_3d"]

HEIGHT = 240
INTEGRAL, FILM, DIFFERENCE = "−∫ tr", "film", "differences"
ANGLES = np.linspace(0, 2 * np.pi, 97)


def log_prob_along(
    times: np.ndarray,
    log_p: np.ndarray,
    integral: np.ndarray,
    finite_difference: np.ndarray | None,
    base_log_p: float,
    *,
    dark: bool = False,
    scale: float = 1.0,
) -> alt.LayerChart:
    """The log-density along one trajectory, three ways that must agree.

    d log p_t(z_t)/dt = −tr ∂f/∂z, so log p_t(z_t) = log p_0(z_0) − ∫_0^t tr ∂f/∂z ds (Chen et al. 2018, theorem 1).

    Args:
        times: (T,), from 0 to 1.
        log_p: (T,) nats, log p_t(z_t) read from the film.
        integral: (T,) nats, −∫_0^t tr ∂f/∂z ds along the trajectory.
        finite_difference: (T,) nats, the change of log p_t(z_t) since t = 0 summed from finite differences, or None.
        base_log_p: log p_0(z_0) in nats.
        dark, scale: see `app.figures.theme`.
    """
    colours = {INTEGRAL: accent("model", dark), FILM: accent("data", dark), DIFFERENCE: accent("muted", dark)}
    names = [INTEGRAL, FILM] + ([DIFFERENCE] if finite_difference is not None else [])
    colour = alt.Color(
        "way:N",
        scale=alt.Scale(domain=names, range=[colours[name] for name in names]),
        legend=alt.Legend(symbolType="stroke"),
    )
    x = alt.X("t:Q", title="t, from the base to the data", scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("value:Q", title="log density (nats)", scale=alt.Scale(zero=False))
    tips = [alt.Tooltip("way:N"), alt.Tooltip("t:Q", format=".3f"), alt.Tooltip("value:Q", format=".4f", title="nats")]

    def layer(values: np.ndarray, way: str, every: int = 1) -> alt.Chart:
        return alt.Chart(frame(t=times[::every], value=values[::every], way=way)).encode(x, y, colour, tooltip=tips)

    layers = [
        layer(np.asarray(log_p), FILM).mark_line(strokeWidth=6 * scale, opacity=0.55),
        layer(base_log_p + np.asarray(integral), INTEGRAL).mark_line(),
    ]
    if finite_difference is not None:
        points = layer(base_log_p + np.asarray(finite_difference), DIFFERENCE, every=max(1, len(times) // 15))
        layers.append(points.mark_point(size=45 * scale, filled=False, strokeWidth=1.6 * scale))
    description = "Log density in nats along one trajectory, from the film, from the trace and by differences"
    return layered(*layers, description=description, height=HEIGHT, dark=dark, scale=scale)


def jacobian_ellipse(jacobian: np.ndarray, *, dark: bool = False, scale: float = 1.0) -> alt.LayerChart:
    """What the flow makes of a small circle about a point: the ellipse J u, |u| = 1, with its principal axes.

    Its half axes are the singular values of J and its area is |det J| times the circle's: log p falls by log |det J|.

    Args:
        jacobian: (2, 2), ∂z_1/∂z_0 at the point.
        dark, scale: see `app.figures.theme`.

    Raises:
        ValueError: for another shape.
    """
    matrix = np.asarray(jacobian, dtype=float)
    if matrix.shape != (2, 2):
        raise ValueError(f"the Jacobian of a flow in the plane has shape (2, 2), this one {matrix.shape}")
    circle = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
    left, singular, _ = np.linalg.svd(matrix)
    reach = 1.15 * max(1.0, float(singular[0]))
    lattice = alt.Scale(domain=[-reach, reach], nice=False)
    ticks = alt.Axis(tickCount=5)
    x = alt.X("x:Q", title=None, scale=lattice, axis=ticks)
    y = alt.Y("y:Q", title=None, scale=lattice, axis=ticks)
    order = alt.Order("k:Q")
    base = alt.Chart(_path(circle)).mark_line(color=accent("base", dark), strokeDash=[4, 3]).encode(x, y, order)
    shape = alt.Chart(_path(circle @ matrix.T)).encode(x, y, order)
    fill = shape.mark_line(color=accent("model", dark), fill=accent("model", dark), fillOpacity=0.15)
    ends = (left * singular).T
    axes = frame(x=-ends[:, 0], y=-ends[:, 1], x2=ends[:, 0], y2=ends[:, 1], stretch=singular)
    rule = (
        alt.Chart(axes)
        .mark_rule(color=accent("model", dark))
        .encode(x, y, alt.X2("x2:Q"), alt.Y2("y2:Q"), tooltip=[alt.Tooltip("stretch:Q", format=".3f")])
    )
    return layered(
        base,
        fill,
        rule,
        title=determinant_text(matrix),
        description="A small circle about the point, and the ellipse that the flow makes of it",
        height=HEIGHT,
        width=HEIGHT,
        dark=dark,
        scale=scale,
    )


def determinant_text(matrix: np.ndarray) -> str:
    """What the ellipse's area says, in words.

    Example:
        >>> determinant_text(np.diag([2.0, 0.25]))
        'area × 0.5, log p + 0.693'
    """
    area = abs(float(np.linalg.det(matrix)))
    if area == 0:
        return "area × 0: not invertible here"
    gain = -np.log(area)
    return f"area × {area:.3g}, log p {'+' if gain >= 0 else '−'} {abs(gain):.3f}"


def gap_bars(
    names: Sequence[str],
    gaps: np.ndarray,
    errors: np.ndarray | None = None,
    *,
    dark: bool = False,
    scale: float = 1.0,
) -> alt.LayerChart:
    """How many nats each way stays above the target's entropy: shorter is better.

    Args:
        names: (K,), of the ways.
        gaps: (K,) nats.
        errors: (K,) standard errors; a whisker spans ± 2.
        dark, scale: see `app.figures.theme`.
    """
    spread = np.zeros(len(names)) if errors is None else 2 * np.asarray(errors)
    gaps = np.asarray(gaps, dtype=float)
    texts = [f"{gap:.3f}" for gap in gaps]
    table = frame(name=list(names), gap=gaps, low=gaps - spread, high=gaps + spread, text=texts)
    y = alt.Y("name:N", title=None, sort=list(names), axis=alt.Axis(labelLimit=260))
    x = alt.X("gap:Q", title="gap to the entropy (nats)")
    bars = alt.Chart(table).mark_bar(color=accent("model", dark), height={"band": 0.55}).encode(x, y)
    text = (
        alt.Chart(table)
        .mark_text(align="left", dx=8, fontWeight=600)
        .encode(alt.X("high:Q", title="gap to the entropy (nats)"), y, alt.Text("text:N"))
    )
    layers: list[alt.Chart] = [bars, text]
    if errors is not None:
        layers.append(alt.Chart(table).mark_rule(color=INK.on(dark)).encode(alt.X("low:Q"), alt.X2("high:Q"), y))
    height = 34 * len(names) + 40
    return layered(*layers, description="Gap to the entropy for each way", height=height, dark=dark, scale=scale)


def _path(points: np.ndarray) -> pd.DataFrame:
    return frame(x=points[:, 0], y=points[:, 1], k=np.arange(len(points)))
