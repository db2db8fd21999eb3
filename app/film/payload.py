"""A film as the few bytes that the browser's player reads.

Densities travel as one byte a cell: the fourth root of p over its frame's peak. So a linear and a logarithmic scale,
and brightness for each frame or for the whole film, are tables of 256 numbers in the browser and need no new data.
Positions travel in half precision: within four units of the origin that is 0.001 units, a tenth of a screen pixel.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dgm_core.film import Film
from dgm_core.pack import pack

ROOT = 4
"""Which root of the density is quantised: 255 steps then span ROOT·ln 255 = 22.2 nats below the peak."""
FLOAT16_LARGEST = 65504.0


@dataclass(frozen=True)
class FilmBytes:
    """A film ready to send: its compressed bytes and the digest by which the browser knows it again."""

    packed: bytes
    digest: str


def quantise(log_prob: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One byte a cell: q = round(255 (p / p_peak)^¼), p_peak the frame's largest density.

    Half a step of q is an error of 2/q nats to first order: 0.008 nats at the peak, 0.044 at p = p_peak/1000.

    Args:
        log_prob: (T, H, W), nats. −∞ and NaN become q = 0.

    Returns:
        q (T, H, W) uint8 and ln p_peak (T,) float32, 0 for a frame without any finite value.
    """
    finite = np.isfinite(log_prob)
    peaks = np.max(log_prob, axis=(1, 2), where=finite, initial=-np.inf).astype(np.float32)
    peaks[~np.isfinite(peaks)] = 0
    exponent = np.where(finite, (log_prob - peaks[:, None, None]) / ROOT, -np.inf)
    return np.rint(255 * np.exp(exponent)).astype(np.uint8), peaks


def dequantise(q: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """What the player reads out of `quantise`'s bytes: ln p ≈ ln p_peak + 4 ln(q/255), −∞ where q = 0."""
    with np.errstate(divide="ignore"):
        return peaks[:, None, None] + ROOT * np.log(q / np.float32(255))


def positions(points: np.ndarray) -> np.ndarray:
    """Coordinates in half precision, those beyond its range at its border."""
    return np.clip(np.nan_to_num(points, nan=FLOAT16_LARGEST), -FLOAT16_LARGEST, FLOAT16_LARGEST).astype(np.float16)


def encode(film: Film) -> FilmBytes:
    """Quantise and compress a film; the same Film object is encoded once.

    Args:
        film: with at least one frame.

    Raises:
        ValueError: for a film without frames or with a wrong shape, in one sentence.
    """
    known = _encoded.get(id(film))
    if known is not None and known[0]() is film:
        return known[1]
    made = _encode(film)
    key = id(film)
    _encoded[key] = (weakref.ref(film, lambda _: _encoded.pop(key, None)), made)
    return made


def message(film: FilmBytes | None, options: Mapping[str, Any], overlays: Mapping[str, np.ndarray | None]) -> bytes:
    """Everything for one call of the player: options, small overlays and, unless the browser has it, the film.

    Args:
        film: encoded, or None when the player in the browser already holds the film that ``options["digest"]`` names.
        options: JSON-serialisable.
        overlays: small arrays by name; None is left out.
    """
    arrays = {name: np.asarray(array, np.float32) for name, array in overlays.items() if array is not None}
    if film is not None:
        arrays["film"] = np.frombuffer(film.packed, np.uint8)
    return pack(options, arrays)


_encoded: dict[int, tuple[weakref.ref[Film], FilmBytes]] = {}


def _encode(film: Film) -> FilmBytes:
    if film.log_prob.ndim != 3 or 0 in film.log_prob.shape:
        raise ValueError(
            f"a film needs densities of shape (T, H, W), at least one of each; this has {film.log_prob.shape}"
        )
    q, peaks = quantise(film.log_prob)
    arrays = {"times": np.asarray(film.times, np.float64), "q": q, "peaks": peaks}
    speed = 0.0
    if film.particles is not None:
        arrays["particles"] = positions(film.particles)
    if film.grid is not None:
        arrays["grid"] = positions(film.grid)
    if film.arrows is not None:
        arrays["arrows"] = positions(film.arrows)
        speed = float(np.nanquantile(np.linalg.norm(film.arrows, axis=-1), 0.98))
    packed = pack({"extent": [float(edge) for edge in film.extent], "speed": speed}, arrays, compress=True)
    return FilmBytes(packed, hashlib.blake2b(packed, digest_size=12).hexdigest())
