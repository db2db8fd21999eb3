"""Trajectories in space and time, a figure to be turned: Plotly."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.figures.colourmaps import table
from app.figures.palette import GRID, MUTED, Meaning, accent
from app.figures.theme import plotly_layout

HEIGHT = 520


def trajectories_3d(
    paths: np.ndarray, times: np.ndarray, *, chosen: int | None = None, dark: bool = False, scale: float = 1.0
) -> go.Figure:
    """Paths of points in (x, y, t), t upwards: from the base at the bottom to the data on top.

    Args:
        paths: (T, N, 2) positions.
        times: (T,).
        chosen: index of one path to stand out.
        dark, scale: see `app.figures.theme`.

    Raises:
        ValueError: when paths and times do not fit.
    """
    paths, times = np.asarray(paths, dtype=np.float32), np.asarray(times, dtype=np.float32)
    if paths.ndim != 3 or paths.shape[0] != len(times) or paths.shape[2] != 2:
        raise ValueError(f"paths of shape (T, N, 2) are needed for {len(times)} times; these have {paths.shape}")
    traces = [_lines(paths, times, scale), _ends(paths[0], times[0], "base", dark, scale)]
    traces.append(_ends(paths[-1], times[-1], "model", dark, scale))
    if chosen is not None:
        traces.append(_one(paths[:, chosen], times, dark, scale))
    figure = go.Figure(traces)
    figure.update_layout(**plotly_layout(dark, scale), height=round(HEIGHT * scale), scene=_scene(dark))
    return figure


def _lines(paths: np.ndarray, times: np.ndarray, scale: float) -> go.Scatter3d:
    """All paths as one line with gaps, coloured by time: one trace draws faster than hundreds."""
    points = paths.shape[1]
    gap = np.full((1, points, 2), np.nan, dtype=np.float32)
    xy = np.concatenate([paths, gap]).transpose(1, 0, 2).reshape(-1, 2)
    t = np.tile(np.append(times, np.nan), points)
    return go.Scatter3d(
        x=xy[:, 0], y=xy[:, 1], z=t, mode="lines", name="trajectories", showlegend=False, opacity=0.8,
        line={"color": np.nan_to_num(t), "colorscale": _viridis(), "width": 2.5 * scale},
        hovertemplate="x %{x:.2f}, y %{y:.2f}, t %{z:.2f}<extra></extra>",
    )  # fmt: skip


def _ends(points: np.ndarray, t: float, meaning: Meaning, dark: bool, scale: float) -> go.Scatter3d:
    name, symbol = ("base, t = 0", "circle") if meaning == "base" else ("samples, t = 1", "diamond")
    return go.Scatter3d(
        x=points[:, 0], y=points[:, 1], z=np.full(len(points), t), mode="markers", name=name,
        marker={"size": 2.6 * scale, "color": accent(meaning, dark), "symbol": symbol},
        hovertemplate="x %{x:.2f}, y %{y:.2f}<extra></extra>",
    )  # fmt: skip


def _one(path: np.ndarray, times: np.ndarray, dark: bool, scale: float) -> go.Scatter3d:
    return go.Scatter3d(
        x=path[:, 0], y=path[:, 1], z=times, mode="lines", name="chosen",
        line={"color": accent("latent", dark), "width": 7 * scale},
        hovertemplate="x %{x:.2f}, y %{y:.2f}, t %{z:.2f}<extra></extra>",
    )  # fmt: skip


def _scene(dark: bool) -> dict[str, object]:
    axis = {
        "showbackground": False, "gridcolor": GRID.on(dark), "zerolinecolor": GRID.on(dark), "color": MUTED.on(dark),
        "showspikes": False,
    }  # fmt: skip
    return {
        "xaxis": {**axis, "title": {"text": "x"}},
        "yaxis": {**axis, "title": {"text": "y"}},
        "zaxis": {**axis, "title": {"text": "t"}},
        "aspectmode": "manual",
        "aspectratio": {"x": 1, "y": 1, "z": 1.1},
        "camera": {"eye": {"x": 1.65, "y": 1.65, "z": 0.7}},
        "dragmode": "turntable",
    }


def _viridis() -> list[tuple[float, str]]:
    colours = table("viridis")[::17]
    return [(k / (len(colours) - 1), f"rgb({r},{g},{b})") for k, (r, g, b) in enumerate(colours.tolist())]
