"""A phase view as the few bytes that the stage in the browser reads."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.phase.view import PhaseView
from dgm_core.pack import pack


@dataclass(frozen=True)
class PhaseBytes:
    """A view ready to send: its compressed bytes and the digest by which the browser knows it again."""

    packed: bytes
    digest: str


_encoded: dict[int, tuple[weakref.ref[PhaseView], PhaseBytes]] = {}


def encode(view: PhaseView) -> PhaseBytes:
    """Pack and compress a view; the same object is encoded once."""
    known = _encoded.get(id(view))
    if known is not None and known[0]() is view:
        return known[1]
    packed = pack(_meta(view), _arrays(view), compress=True)
    made = PhaseBytes(packed, hashlib.blake2b(packed, digest_size=12).hexdigest())
    key = id(view)
    _encoded[key] = (weakref.ref(view, lambda _: _encoded.pop(key, None)), made)
    return made


def _meta(view: PhaseView) -> dict[str, Any]:
    plots = [
        {
            "title": plot.title, "over": plot.over, "log": plot.log, "x_name": plot.x_name, "length": len(plot.x),
            "series": [{"name": series.name, "colour": series.colour} for series in plot.series],
        }
        for plot in view.plots
    ]  # fmt: skip
    return {
        "extent": [float(edge) for edge in view.window], "drive": view.drive, "number": view.number,
        "dimensions": view.dimensions, "axes": list(view.axes), "plots": plots, "spans": spans(view),
        "labels": [variant.label for variant in view.variants],
        "stages": [variant.stages for variant in view.variants],
    }  # fmt: skip


def spans(view: PhaseView) -> list[list[float]]:
    """The least and the largest of each coordinate: the window's for two, the flow's for a third.

    Example:
        >>> spans(PhaseView(np.array([0.0]), (-1, 1, -2, 2), flow=np.full((1, 4, 3), 5.0)))
        [[-1.0, 1.0], [-2.0, 2.0], [4.0, 6.0]]
    """
    x0, x1, y0, y1 = (float(edge) for edge in view.window)
    found = [[x0, x1], [y0, y1]]
    if view.dimensions == 3:
        held = [view.flow] if view.flow is not None else [variant.states for variant in view.variants]
        depths = np.concatenate([states[..., 2].ravel() for states in held])
        depths = depths[np.isfinite(depths)]
        low, high = (float(depths.min()), float(depths.max())) if len(depths) else (0.0, 0.0)
        found.append([low, high] if high - low > 1e-6 * (1 + abs(low)) else [low - 1, high + 1])
    return found


def _arrays(view: PhaseView) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {"times": view.times.astype(np.float64)}
    for name in ("flow", "field", "points", "point_times", "arrow_points", "arrow_moves", "shown_times"):
        if (array := getattr(view, name)) is not None:
            arrays[name] = np.asarray(array, np.float32)
    for name in ("kinds", "point_kinds"):
        if (array := getattr(view, name)) is not None:
            arrays[name] = np.asarray(array, np.uint8)
    if view.surface is not None:
        arrays["surface"] = (255 * np.clip(view.surface, 0, 1)).round().astype(np.uint8)
    return arrays | _of_variants(view) | _of_plots(view)


def _of_variants(view: PhaseView) -> dict[str, np.ndarray]:
    """All variants one after the other, and how long each is."""
    if not (variants := view.variants):
        return {}
    return {
        "counts": np.array([len(v.times) for v in variants], np.int32),
        "knots": np.concatenate([v.times for v in variants]).astype(np.float64),
        "states": _joined(v.states for v in variants),
        "tried": np.array([0 if v.rejected_times is None else len(v.rejected_times) for v in variants], np.int32),
        "tried_times": _joined(v.rejected_times for v in variants),
        "tried_states": _joined(v.rejected_states for v in variants),
        "stage_points": _joined(v.stage_points for v in variants),
        "stage_moves": _joined(v.stage_moves for v in variants),
    }


def _of_plots(view: PhaseView) -> dict[str, np.ndarray]:
    if not view.plots:
        return {}
    return {
        "plot_x": _joined(plot.x for plot in view.plots),
        "plot_y": _joined(series.values for plot in view.plots for series in plot.series),
    }


def _joined(arrays: Iterable[np.ndarray | None]) -> np.ndarray:
    flat = [np.asarray(array, np.float32).ravel() for array in arrays if array is not None]
    return np.concatenate(flat) if flat else np.zeros(0, np.float32)
