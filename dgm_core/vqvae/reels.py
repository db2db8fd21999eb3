"""A training's pictures as reels, and how the codebook's use went on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from dgm_core.nn.code_usage import perplexity
from dgm_core.pack import pack, unpack
from dgm_core.reel import Reel

Previews = Iterable[tuple[int, Mapping[str, np.ndarray]]]
"""Step, and the arrays that `dgm_core.vqvae.training.QuantisedSnapshot.look` reports."""
MOST_TILES = 1_024


@dataclass(frozen=True)
class UsageHistory:
    """How often each code occurred in the held-out images that were looked at, over the training.

    Args:
        steps: (T,) int64.
        counts: (T, K) int32.
        perplexity: (T,) float64.
    """

    steps: np.ndarray
    counts: np.ndarray
    perplexity: np.ndarray

    def to_bytes(self) -> bytes:
        """The history as compressed bytes without loss (`dgm_core.pack`)."""
        return pack({}, {"steps": self.steps, "counts": self.counts, "perplexity": self.perplexity}, compress=True)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these bytes are no history.
        """
        _, arrays = unpack(packed)
        try:
            return cls(**arrays)
        except TypeError as error:
            raise ValueError(f"these bytes are no history of a codebook: {error}") from error


def training_reel(previews: Previews) -> Reel:
    """Held-out images and what comes back, over training steps; one column an image.

    Raises:
        ValueError: when there is no picture yet.
    """
    steps, pictures = _sorted(previews)
    rows = {"inputs": "image", "reconstructions": "from codes"}
    frames = np.stack([np.stack([picture[name] for name in rows]) for picture in pictures])
    return Reel(steps.astype(np.float64), _tiles(frames), tuple(rows.values()), time_label="step")


def codebook_reel(previews: Previews) -> Reel:
    """Every code's tile over training steps, the code that is most used in the end first.

    At most `MOST_TILES` codes are shown, in a grid that is about as high as wide; black fills its last row.

    Raises:
        ValueError: when there is no picture yet.
    """
    steps, pictures = _sorted(previews)
    order = np.argsort(-pictures[-1]["counts"].astype(np.int64), kind="stable")[:MOST_TILES]
    side = int(np.ceil(np.sqrt(len(order))))
    rows = -(-len(order) // side)
    tiles = np.stack([picture["tiles"][order] for picture in pictures])
    grid = np.zeros((len(tiles), rows * side, *tiles.shape[2:]), np.uint8)
    grid[:, : tiles.shape[1]] = tiles
    grid = grid.reshape(len(grid), rows, side, *tiles.shape[2:])
    note = "One tile a code, most used first." if len(order) == len(pictures[-1]["counts"]) else (
        f"The {len(order):,} codes that are most used, most used first."
    )  # fmt: skip
    return Reel(steps.astype(np.float64), _tiles(grid), time_label="step", note=note)


def samples_reel(previews: Previews) -> Reel:
    """Images that a law of codes draws, from the same noise, over its training steps.

    Raises:
        ValueError: when there is no picture yet.
    """
    steps, pictures = _sorted(previews)
    frames = np.stack([picture["samples"] for picture in pictures])[:, None]
    return Reel(steps.astype(np.float64), _tiles(frames), ("drawn",), time_label="step")


def usage_history(previews: Previews) -> UsageHistory:
    """Counts and perplexity over training steps.

    Raises:
        ValueError: when there is no picture yet.
    """
    steps, pictures = _sorted(previews)
    counts = np.stack([picture["counts"] for picture in pictures])
    return UsageHistory(steps, counts, np.array([perplexity(torch.from_numpy(row)) for row in counts]))


def _sorted(previews: Previews) -> tuple[np.ndarray, list[Mapping[str, np.ndarray]]]:
    known = {step: picture for step, picture in previews if picture}
    if not known:
        raise ValueError("the training has no picture yet")
    steps = sorted(known)
    return np.array(steps, np.int64), [known[step] for step in steps]


def _tiles(images: np.ndarray) -> np.ndarray:
    """Images (…, C, H, W) as a reel holds them: (…, H, W) of one channel, (…, H, W, 3) of three."""
    return images[..., 0, :, :] if images.shape[-3] == 1 else np.moveaxis(images, -3, -1)
