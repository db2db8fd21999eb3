"""What a solver did, ready to be drawn: an exact flow and, for several settings of a solver, the steps over it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from dgm_core.film import Extent
from dgm_core.pack import pack, unpack


@dataclass(frozen=True)
class Trace:
    """One run of a solver.

    Args:
        label: what was set, e.g. ``"L = 8"``.
        nfe: evaluations of the field.
        error: root mean square over the points of |z − z(t₁)| at the end.
        times: (M,) ends of the steps, the start first.
        states: (M, N, D) float32.
        stage_points: (M − 1, K, D) float32 where the first point's stages are evaluated; K = 0 where none are kept.
        stage_moves: (M − 1, K, D) float32, h kᵢ.
        rejected_times: (R,) to where steps were tried that were not taken.
        rejected_states: (R, D) float32 where the first point stood then.
    """

    label: str
    nfe: int
    error: float
    times: np.ndarray
    states: np.ndarray
    stage_points: np.ndarray
    stage_moves: np.ndarray
    rejected_times: np.ndarray
    rejected_states: np.ndarray


ARRAYS = tuple(field.name for field in fields(Trace) if field.name not in ("label", "nfe", "error"))


@dataclass(frozen=True)
class Scene:
    """An exact flow and the traces over it.

    Args:
        times: (T,).
        flow: (T, N, D) float32.
        window: of the first two coordinates; of one coordinate (low, high, 0, 1).
        field: (G, G, 2) float32 at the centres of a lattice of cells over the window; (0, 0, 2) unless D = 2.
        traces: by rising effort.
        notes: sentences: what broke off, and when.
    """

    times: np.ndarray
    flow: np.ndarray
    window: Extent
    field: np.ndarray
    traces: tuple[Trace, ...]
    notes: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Compressed, without loss (`dgm_core.pack`)."""
        meta = {
            "window": list(self.window), "notes": list(self.notes),
            "traces": [{"label": t.label, "nfe": t.nfe, "error": t.error} for t in self.traces],
        }  # fmt: skip
        arrays = {"times": self.times, "flow": self.flow, "field": self.field}
        for k, trace in enumerate(self.traces):
            arrays |= {f"{name}{k}": getattr(trace, name) for name in ARRAYS}
        return pack(meta, arrays, compress=True)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these bytes are no scene.
        """
        meta, arrays = unpack(packed)
        try:
            told: list[dict[str, Any]] = [
                {**one, **{name: arrays[f"{name}{k}"] for name in ARRAYS}} for k, one in enumerate(meta["traces"])
            ]
            traces = tuple(Trace(**one) for one in told)
            base = {name: arrays[name] for name in ("times", "flow", "field")}
            return cls(window=tuple(meta["window"]), notes=tuple(meta["notes"]), traces=traces, **base)
        except (KeyError, TypeError) as error:
            raise ValueError(f"these bytes are no scene: {error}") from error
