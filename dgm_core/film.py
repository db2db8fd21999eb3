"""A film: how a density, particles, a field and a grid change over time, as plain arrays.

Every page that animates something makes one of these; the player in ``app/film`` shows it, the exporters draw it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from dgm_core.pack import pack, unpack

Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class Film:
    """Frames at the same T moments, in the same plane.

    Args:
        times: (T,), increasing; flow time from 0 (base) to 1 (data), or training steps.
        log_prob: (T, H, W) float32 in nats, at the centres of a lattice of cells over ``extent``; row 0 at ymin.
        extent: (xmin, xmax, ymin, ymax).
        particles: (T, N, 2) float32, or None; the same particle keeps its index.
        arrows: (T, G, G, 2) float32 velocities at the centres of a G × G lattice of cells over ``extent``, row 0 at
            ymin, or None.
        grid: (T, L, P, 2) float32, L polylines of P points that the flow deforms, or None.

    Example:
        >>> film = Film(np.array([0.0, 1.0]), np.zeros((2, 8, 8), np.float32), (-1, 1, -1, 1))
        >>> Film.from_bytes(film.to_bytes()).log_prob.shape
        (2, 8, 8)
    """

    times: np.ndarray
    log_prob: np.ndarray
    extent: Extent
    particles: np.ndarray | None = None
    arrows: np.ndarray | None = None
    grid: np.ndarray | None = None

    def __post_init__(self) -> None:
        frames = len(self.times)
        for name in ("log_prob", "particles", "arrows", "grid"):
            array = getattr(self, name)
            if array is not None and len(array) != frames:
                raise ValueError(f"the film has {frames} times but {len(array)} frames of {name}")
        xmin, xmax, ymin, ymax = self.extent
        if not (xmin < xmax and ymin < ymax):
            raise ValueError(f"the film's extent {self.extent} is empty")

    def to_bytes(self) -> bytes:
        """The film as compressed bytes without loss (`dgm_core.pack`)."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "extent"}
        return pack(
            {"extent": [float(edge) for edge in self.extent]},
            {name: array for name, array in arrays.items() if array is not None},
            compress=True,
        )

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these bytes are no film.
        """
        meta, arrays = unpack(packed)
        try:
            return cls(extent=tuple(meta["extent"]), **arrays)
        except (KeyError, TypeError) as error:
            raise ValueError(f"these bytes are no film: {error}") from error


def lattice(extent: Extent, height: int, width: int) -> np.ndarray:
    """Centres of the cells of a lattice over ``extent``: (height, width, 2) float64, row 0 at ymin.

    Example:
        >>> lattice((0, 2, 0, 1), 1, 2).tolist()
        [[[0.5, 0.5], [1.5, 0.5]]]
    """
    xmin, xmax, ymin, ymax = extent
    x = xmin + (np.arange(width) + 0.5) * (xmax - xmin) / width
    y = ymin + (np.arange(height) + 0.5) * (ymax - ymin) / height
    return np.stack(np.meshgrid(x, y), axis=-1)
