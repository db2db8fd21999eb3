"""The plane over time: frames of arrays that a player shows, step by step or running."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from dgm_core.nn.kmeans import kmeans
from dgm_core.pack import pack, unpack
from dgm_core.vqvae.plane import Moment, Plane, Rules

MOST_NUMBERS = 2_000_000
"""In one film: 8 MB before they are compressed."""
FINEST = {
    "z": 2**-10, "codes": 2**-10, "decoded_codes": 2**-10, "straight": 2**-14, "commit": 2**-14, "pull": 2**-14,
}  # fmt: skip
"""What places and arrows are rounded to, in units of the plane: no eye sees it, and half as many bytes travel."""
TRIES = 5
"""Of k-means, from different first centres; the best one is what the codes are compared with."""


@dataclass(frozen=True)
class PlaneFilm:
    """T moments of N points and K codes; arrows of a frame are what the step after it does.

    Args:
        steps: (T,) int32, increasing.
        points: (N, 2), x.
        z: (T, N, 2) encoder outputs.
        codes: (T, K, 2).
        indices: (T, N) uint16.
        decoded_codes: (T, K, 2), the decoder at each code.
        straight, commit: (T, N, 2), see `Moment`.
        pull: (T, K, 2).
        restarted: (T, K) bool, codes that started anew since the frame before.
        reconstruction, distortion, perplexity, used: (T,) float32.
        kmeans_codes: (K, 2), where k-means puts as many centres for the points themselves.
        kmeans_distortion: what it reaches, the best of `TRIES`.
    """

    steps: np.ndarray
    points: np.ndarray
    z: np.ndarray
    codes: np.ndarray
    indices: np.ndarray
    decoded_codes: np.ndarray
    straight: np.ndarray
    commit: np.ndarray
    pull: np.ndarray
    restarted: np.ndarray
    reconstruction: np.ndarray
    distortion: np.ndarray
    perplexity: np.ndarray
    used: np.ndarray
    kmeans_codes: np.ndarray
    kmeans_distortion: float

    def to_bytes(self) -> bytes:
        """The film as compressed bytes without loss (`dgm_core.pack`)."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "kmeans_distortion"}
        return pack({"kmeans_distortion": self.kmeans_distortion}, arrays, compress=True)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these bytes are no such film.
        """
        meta, arrays = unpack(packed)
        values: dict[str, Any] = {**meta, **arrays}
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"these bytes are no film of the plane: {error}") from error


def run(points: Tensor, rules: Rules, steps: int, every: int = 1) -> PlaneFilm:
    """Let the plane move.

    Args:
        points: (N, 2).
        rules: how it moves.
        steps: in all; frames are the start, every ``every`` steps, and the end.
        every: steps between two frames.

    Raises:
        ValueError: when there are fewer points than codes, or the film would be too large.

    Example:
        >>> import torch
        >>> film = run(torch.rand(50, 2, generator=torch.Generator().manual_seed(0)), Rules(codes=3), 10, every=4)
        >>> film.steps.tolist(), film.codes.shape
        ([0, 4, 8, 10], (4, 3, 2))
    """
    shown = sorted({*range(0, steps + 1, every), steps})
    if len(shown) * len(points) * 8 > MOST_NUMBERS:
        raise ValueError(f"{len(shown):,} frames of {len(points):,} points are too many; take fewer of either.")
    plane, moments = Plane(points, rules), []
    restarted = plane.restarted.clone()
    for step in range(steps + 1):
        restarted |= plane.restarted
        if step in shown:
            moments.append((plane.look(), restarted.numpy().copy()))
            restarted.zero_()
        if step < steps:
            plane.step()
    best = min((kmeans(points, rules.codes, _generator(k)) for k in range(TRIES)), key=lambda found: found.distortion)
    return PlaneFilm(
        points=points.numpy(), restarted=np.stack([mask for _, mask in moments]),
        kmeans_codes=best.centres.numpy(), kmeans_distortion=best.distortion,
        **_stacked([moment for moment, _ in moments]),
    )  # fmt: skip


def _stacked(moments: list[Moment]) -> dict[str, Any]:
    arrays = {
        name: _rounded(np.stack([getattr(moment, name) for moment in moments]), finest)
        for name, finest in FINEST.items()
    }
    figures = {name: np.array([m.figures[name] for m in moments], np.float32) for name in moments[0].figures}
    steps = np.array([moment.step for moment in moments], np.int32)
    indices = np.stack([moment.indices for moment in moments]).astype(np.uint16)
    return {"steps": steps, "indices": indices, **arrays, **figures}


def _rounded(values: np.ndarray, finest: float) -> np.ndarray:
    rounded: np.ndarray = (np.round(values / finest) * finest).astype(np.float32)
    return rounded


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
