"""A plane's view as the few bytes that the stage in the browser reads."""

from __future__ import annotations

import hashlib
import math
import weakref
from dataclasses import dataclass

import numpy as np

from app.voronoi.view import PlaneView
from dgm_core.pack import pack

LONGEST = 0.06
"""Of the window's width: as long is drawn the arrow that nine in ten are shorter than."""
PLAIN = (1, 2, 5)


@dataclass(frozen=True)
class PlaneBytes:
    """A view ready to send: its compressed bytes and the digest by which the browser knows it again."""

    packed: bytes
    digest: str


def encode(view: PlaneView) -> PlaneBytes:
    """Pack and compress a view; the same object is encoded once."""
    known = _encoded.get(id(view))
    if known is not None and known[0]() is view:
        return known[1]
    window = view.window
    wide = window[1] - window[0]
    meta = {
        "extent": list(window), "kmeans_distortion": view.kmeans_distortion,
        "code_scale": enlargement([view.codebook], wide),
        "output_scale": enlargement([view.commitment, view.gradient], wide),
    }  # fmt: skip
    packed = pack(meta, _arrays(view), compress=True)
    made = PlaneBytes(packed, hashlib.blake2b(packed, digest_size=12).hexdigest())
    key = id(view)
    _encoded[key] = (weakref.ref(view, lambda _: _encoded.pop(key, None)), made)
    return made


def enlargement(arrows: list[np.ndarray | None], width: float) -> float:
    """By what plain number arrows are drawn longer than they are: 1, 2, 5, 10, …; the same for all of them.

    Args:
        arrows: (T, …, 2) each, or None.
        width: of the window.

    Example:
        >>> enlargement([np.full((1, 10, 2), 0.01)], 6.0)
        20.0
        >>> enlargement([np.zeros((1, 10, 2)), None], 4.0)
        1.0
    """
    lengths = [np.linalg.norm(a, axis=-1).ravel() for a in arrows if a is not None]
    together = np.concatenate(lengths) if lengths else np.zeros(0)
    moving = together[np.isfinite(together) & (together > 1e-6 * width)]
    if not len(moving):
        return 1.0
    wanted = LONGEST * width / float(np.quantile(moving, 0.9))
    if wanted <= 1:
        return 1.0
    power = 10 ** math.floor(math.log10(wanted))
    return float(power * max(step for step in PLAIN if step * power <= wanted))


_encoded: dict[int, tuple[weakref.ref[PlaneView], PlaneBytes]] = {}


def _arrays(view: PlaneView) -> dict[str, np.ndarray]:
    """Single precision: cells of codes that nearly coincide stay where they are."""
    arrays: dict[str, np.ndarray] = {
        "times": view.steps.astype(np.float64), "distortion": view.distortion.astype(np.float32),
        "assignment": view.assignment.astype(np.uint8), "alive": view.alive,
    }  # fmt: skip
    names = ("points", "codes", "outputs", "codebook", "commitment", "gradient", "kmeans_codes", "reconstruction")
    for name in names:
        array = getattr(view, name)
        if array is not None:
            arrays[name] = array.astype(np.float32)
    if view.restarted is not None:
        arrays["restarted"] = np.asarray(view.restarted, bool)
    return arrays
