"""What the plane's stage shows: points, encoder outputs and codes over time, as plain arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from dgm_core.vqvae.plane_film import PlaneFilm

CODES = 64
POINTS = 5_000
NUMBERS = 4_000_000
"""The most coordinates of one view."""


@dataclass(frozen=True, eq=False)
class PlaneView:
    """T frames of N points and K codes; the arrows of a frame are what the step after it does.

    Args:
        steps: (T,) increasing.
        points: (N, 2), x.
        codes: (T, K, 2), K ≤ 64.
        assignment: (T, N) each output's code.
        distortion: (T,) mean squared distance of the outputs to their codes.
        reconstruction: (T,) mean squared distance of the points to what is decoded, or None.
        outputs: (T, N, 2), z; None where there is no encoder and z = x.
        used: (T, K) bool; None takes it from ``assignment``.
        codebook: (T, K, 2) where the codebook term moves each code, or None.
        commitment: (T, N, 2) where the commitment term moves each output, or None.
        gradient: (T, N, 2) where the gradient that is handed straight through moves each output, or None.
        restarted: (T, K) bool, codes that have started anew since the frame before, or None.
        kmeans_codes: (K, 2) where k-means puts as many codes, or None.
        kmeans_distortion: what k-means reaches, or None.

    Raises:
        ValueError: when the arrays do not fit each other, in one sentence.

    Example:
        >>> codes = np.zeros((1, 2, 2))
        >>> PlaneView(np.array([0]), np.zeros((3, 2)), codes, np.zeros((1, 3), int), np.zeros(1)).alive.tolist()
        [[True, False]]
    """

    steps: np.ndarray
    points: np.ndarray
    codes: np.ndarray
    assignment: np.ndarray
    distortion: np.ndarray
    reconstruction: np.ndarray | None = None
    outputs: np.ndarray | None = None
    used: np.ndarray | None = None
    codebook: np.ndarray | None = None
    commitment: np.ndarray | None = None
    gradient: np.ndarray | None = None
    restarted: np.ndarray | None = None
    kmeans_codes: np.ndarray | None = None
    kmeans_distortion: float | None = None

    def __post_init__(self) -> None:
        frames, number = len(self.steps), len(self.points)
        count = self.codes.shape[1] if self.codes.ndim == 3 else 0
        if not (frames and number and 1 <= count <= CODES and number <= POINTS):
            raise ValueError(
                f"a plane needs frames, 1 to {POINTS:,} points and 1 to {CODES} codes; this has {frames} frames, "
                f"{number} points and codes of shape {self.codes.shape}"
            )
        if frames * (number + count) * 2 > NUMBERS:
            raise ValueError(f"{frames:,} frames of {number:,} points are too many; show fewer of either")
        at_points, at_codes = (frames, number, 2), (frames, count, 2)
        shapes = {
            "steps": (frames,), "points": (number, 2), "codes": at_codes, "assignment": (frames, number),
            "distortion": (frames,), "reconstruction": (frames,), "outputs": at_points,
            "used": at_codes[:2], "codebook": at_codes,
            "commitment": at_points, "gradient": at_points, "restarted": at_codes[:2], "kmeans_codes": (count, 2),
        }  # fmt: skip
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array is not None and array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}; this plane needs {shape}")
        self._check_values(count)

    def _check_values(self, count: int) -> None:
        if not (np.isfinite(self.steps).all() and (np.diff(self.steps) > 0).all()):
            raise ValueError("the steps of a plane must be finite and increasing")
        if self.assignment.dtype.kind not in "iu" or self.assignment.min() < 0 or self.assignment.max() >= count:
            raise ValueError(f"an assignment must be one of the {count} codes")
        if self.kmeans_distortion is not None and not math.isfinite(self.kmeans_distortion):
            raise ValueError("the distortion of k-means must be a number or None")

    @classmethod
    def of(cls, film: PlaneFilm, encoder: bool = True) -> Self:
        """The view of a film of the plane; ``encoder``: whether its outputs can differ from the points."""
        return cls(
            steps=film.steps, points=film.points, codes=film.codes, assignment=film.indices,
            distortion=film.distortion, reconstruction=film.reconstruction if encoder else None,
            outputs=film.z if encoder else None, codebook=film.pull,
            commitment=film.commit if encoder else None, gradient=film.straight if encoder else None,
            restarted=film.restarted, kmeans_codes=film.kmeans_codes, kmeans_distortion=film.kmeans_distortion,
        )  # fmt: skip

    @property
    def alive(self) -> np.ndarray:
        """(T, K) bool, the codes that some output has chosen."""
        if self.used is not None:
            return np.asarray(self.used, bool)
        count = self.codes.shape[1]
        return np.stack([np.bincount(chosen, minlength=count) > 0 for chosen in self.assignment])

    @property
    def window(self) -> tuple[float, float, float, float]:
        """(xmin, xmax, ymin, ymax): a square with everything in it, but no more than five times the points' size.

        Example:
            >>> one = np.array([[[0.0, 0.0]]])
            >>> PlaneView(np.array([0]), np.eye(2), one, np.zeros((1, 2), int), np.zeros(1)).window
            (-0.08, 1.08, -0.08, 1.08)
        """
        low, high = _box(self.points)
        centre, size = (low + high) / 2, max(float((high - low).max()), 1e-6)
        reach = np.concatenate([a.reshape(-1, 2) for a in (self.points, self.outputs, self.codes) if a is not None])
        low, high = _box(np.clip(reach, centre - 2.5 * size, centre + 2.5 * size))
        half = max(float((high - low).max()), 1e-6) / 2 * 1.16
        x, y = (float(value) for value in (low + high) / 2)
        return tuple(round(edge, 6) for edge in (x - half, x + half, y - half, y + half))  # type: ignore[return-value]


def _box(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    finite = places[np.isfinite(places).all(-1)].astype(np.float64)
    return (finite.min(0), finite.max(0)) if len(finite) else (np.zeros(2), np.ones(2))
