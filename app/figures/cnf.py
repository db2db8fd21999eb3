"""Figures of the page ``cnf``: one point followed through the flow, and gaps side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from app.figures.figure import Columns, Figure, columns, source
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
) -> Figure:
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
    times, base = np.asarray(times), float(base_log_p)
    tables = {
        "film": columns(t=times, value=np.asarray(log_p), way=FILM),
        "integral": columns(t=times, value=base + np.asarray(integral), way=INTEGRAL),
    }
    if finite_difference is not None:
        every = slice(None, None, max(1, len(times) // 15))
        summed = base + np.asarray(finite_difference)
        tables["differences"] = columns(t=times[every], value=summed[every], way=DIFFERENCE)
    return Figure(_along_spec(finite_difference is not None, dark, scale), tables)


@lru_cache(maxsize=16)
def _along_spec(differences: bool, dark: bool, scale: float) -> Mapping[str, Any]:
    colours = {INTEGRAL: accent("model", dark), FILM: accent("data", dark), DIFFERENCE: accent("muted", dark)}
    names = [INTEGRAL, FILM] + [DIFFERENCE] * differences
    colour = alt.Color(
        "way:N",
        scale=alt.Scale(domain=names, range=[colours[name] for name in names]),
        legend=alt.Legend(symbolType="stroke"),
    )
    x = alt.X("t:Q", title="t, from the base to the data", scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("value:Q", title="log density (nats)", scale=alt.Scale(zero=False))
    tips = [alt.Tooltip("way:N"), alt.Tooltip("t:Q", format=".3f"), alt.Tooltip("value:Q", format=".4f", title="nats")]
    layers = [
        source("film").mark_line(strokeWidth=6 * scale, opacity=0.55),
        source("integral").mark_line(),
        source("differences").mark_point(size=45 * scale, filled=False, strokeWidth=1.6 * scale),
    ]
    drawn = [layer.encode(x, y, colour, tooltip=tips) for layer in layers[: 2 + differences]]
    description = "Log density in nats along one trajectory, from the film, from the trace and by differences"
    return layered(*drawn, description=description, height=HEIGHT, dark=dark, scale=scale)


def jacobian_ellipse(jacobian: np.ndarray, *, dark: bool = False, scale: float = 1.0) -> Figure:
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
    ends = (left * singular).T
    tables = {
        "frame": columns(x=np.array([-reach, reach]), y=np.array([-reach, reach])),
        "circle": _path(circle),
        "ellipse": _path(circle @ matrix.T),
        "axes": columns(x=-ends[:, 0], y=-ends[:, 1], x2=ends[:, 0], y2=ends[:, 1], stretch=singular),
        "words": columns(text=[determinant_text(matrix)]),
    }
    return Figure(_ellipse_spec(dark, scale), tables)


@lru_cache(maxsize=8)
def _ellipse_spec(dark: bool, scale: float) -> Mapping[str, Any]:
    free, ticks = alt.Scale(nice=False, zero=False), alt.Axis(tickCount=5)
    x = alt.X("x:Q", title=None, scale=free, axis=ticks)
    y = alt.Y("y:Q", title=None, scale=free, axis=ticks)
    order, colour = alt.Order("k:Q"), accent("model", dark)
    tips = [alt.Tooltip("stretch:Q", format=".3f")]
    words = source("words").mark_text(align="left", baseline="bottom", fontWeight=600, color=INK.on(dark))
    return layered(
        source("frame").mark_point(opacity=0).encode(x, y),
        source("circle").mark_line(color=accent("base", dark), strokeDash=[4, 3]).encode(x, y, order),
        source("ellipse").mark_line(color=colour, fill=colour, fillOpacity=0.15).encode(x, y, order),
        source("axes").mark_rule(color=colour).encode(x, y, alt.X2("x2:Q"), alt.Y2("y2:Q"), tooltip=tips),
        words.encode(x=alt.value(0), y=alt.value(-8 * scale), text=alt.Text("text:N")),
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
) -> Figure:
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
    table = columns(name=list(names), gap=gaps, low=gaps - spread, high=gaps + spread, text=texts)
    return Figure(_gap_spec(len(names), errors is not None, dark, scale), {"gaps": table})


@lru_cache(maxsize=32)
def _gap_spec(ways: int, has_errors: bool, dark: bool, scale: float) -> Mapping[str, Any]:
    y = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=260))
    bar = alt.X("gap:Q", title="gap to the entropy (nats)")
    end = alt.X("high:Q", title="gap to the entropy (nats)")
    text = source("gaps").mark_text(align="left", dx=8, fontWeight=600)
    layers: list[alt.Chart] = [
        source("gaps").mark_bar(color=accent("model", dark), height={"band": 0.55}).encode(bar, y),
        text.encode(end, y, alt.Text("text:N")),
    ]
    if has_errors:
        whisker = source("gaps").mark_rule(color=INK.on(dark))
        layers.append(whisker.encode(alt.X("low:Q"), alt.X2("high:Q"), y))
    described = "Gap to the entropy for each way"
    return layered(*layers, description=described, height=34 * ways + 40, dark=dark, scale=scale)


def _path(points: np.ndarray) -> Columns:
    return columns(x=points[:, 0], y=points[:, 1], k=np.arange(len(points)))
