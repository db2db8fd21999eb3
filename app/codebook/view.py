"""A codebook and what it does to images, as plain arrays: everything that the browser of a codebook shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

CODES = (2, 4096)
IMAGES = 64
"""The most images that are shown with their pixels; the code maps of many more can be shown."""
MAPS = 20_000
CELLS = 4096
"""The most cells of one code map."""
NEIGHBOURS = 8
PIXELS = 256
"""The longest edge of an image."""


@dataclass(frozen=True, eq=False)
class CodebookView:
    """K codes, N code maps of h × w cells, and the images of the first B of them.

    Args:
        tiles: (K, a, b) or (K, a, b, 3) uint8, the decoded patch of each code.
        usage: (K,) how many cells of the whole set chose each code.
        batch_perplexity: exp H of the codes of one batch, on average.
        set_perplexity: exp H of ``usage``.
        positions: (K, 2) the codes in a projection.
        outputs: (M, 2) encoder outputs in the same projection.
        owner: (M,) the code that each of them chose.
        neighbours: (K, R) the nearest other codes, nearest first, R ≤ 8; −1 where there is none.
        images: (B, H, W) or (B, H, W, 3) uint8, 1 ≤ B ≤ 64; H and W are multiples of h and w.
        reconstructions: as ``images``.
        maps: (N, h, w) codes, B ≤ N ≤ 20,000.
        first: (B or N, h, w) distance of each encoder output to its code.
        second: (B or N, h, w) distance to the second nearest code.
        patches: (K, P) flat places image·h·w + cell that chose the code, −1 where there are fewer.
        usage_over_training: (T, K) how often each code was chosen, or None.
        steps: (T,) the training steps of these, or None.
        crops: (K, P, c, d) or (K, P, c, d, 3) uint8, the pixels at ``patches``; None cuts them out of ``images``.
        similarity: (K,) the codes in an order in which like stands beside like; None makes one from the tiles.

    Raises:
        ValueError: when the arrays do not fit each other, in one sentence.
    """

    tiles: np.ndarray
    usage: np.ndarray
    batch_perplexity: float
    set_perplexity: float
    positions: np.ndarray
    outputs: np.ndarray
    owner: np.ndarray
    neighbours: np.ndarray
    images: np.ndarray
    reconstructions: np.ndarray
    maps: np.ndarray
    first: np.ndarray
    second: np.ndarray
    patches: np.ndarray
    usage_over_training: np.ndarray | None = None
    steps: np.ndarray | None = None
    crops: np.ndarray | None = None
    similarity: np.ndarray | None = None

    def __post_init__(self) -> None:
        self._check_codes()
        self._check_images()
        self._check_maps()
        self._check_places()

    @property
    def codes(self) -> int:
        """K."""
        return len(self.tiles)

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of a code map."""
        return self.maps.shape[1], self.maps.shape[2]

    @property
    def colour(self) -> bool:
        """Whether the images are RGB; otherwise they are grey."""
        return self.images.ndim == 4

    def _check_codes(self) -> None:
        _pictures("tiles", self.tiles, 1)
        count = len(self.tiles)
        if not CODES[0] <= count <= CODES[1]:
            raise ValueError(f"the codebook has {count} codes; {CODES[0]} to {CODES[1]:,} can be shown")
        _shape("usage", self.usage, (count,))
        _shape("positions", self.positions, (count, 2))
        _shape("outputs", self.outputs, (None, 2))
        _shape("owner", self.owner, (len(self.outputs),))
        _shape("neighbours", self.neighbours, (count, None))
        if self.neighbours.shape[1] > NEIGHBOURS:
            raise ValueError(f"there are {self.neighbours.shape[1]} neighbours a code; {NEIGHBOURS} can be shown")
        if (np.asarray(self.usage) < 0).any():
            raise ValueError("a code's usage is negative")
        _within("owner", self.owner, 0, count)
        _within("neighbours", self.neighbours, -1, count)
        for name in ("batch_perplexity", "set_perplexity"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ValueError(f"{name} is {getattr(self, name)}; it must be a number and not negative")
        if self.similarity is not None and not np.array_equal(np.sort(self.similarity), np.arange(count)):
            raise ValueError(f"similarity must name each of the {count} codes once")

    def _check_images(self) -> None:
        _pictures("images", self.images, 1)
        if not 1 <= len(self.images) <= IMAGES:
            raise ValueError(f"there are {len(self.images)} images; 1 to {IMAGES} can be shown")
        if max(self.images.shape[1:3]) > PIXELS:
            raise ValueError(f"the images have {self.images.shape[1:3]} pixels; at most {PIXELS} a side can be shown")
        if self.reconstructions.dtype != np.uint8:
            raise ValueError(f"reconstructions have dtype {self.reconstructions.dtype}; they must be uint8")
        _shape("reconstructions", self.reconstructions, self.images.shape)
        if (self.tiles.ndim == 4) != self.colour:
            raise ValueError("tiles and images must both be grey or both be RGB")

    def _check_maps(self) -> None:
        _shape("maps", self.maps, (None, None, None))
        count, (h, w) = len(self.maps), self.grid
        if not len(self.images) <= count <= MAPS:
            raise ValueError(
                f"there are {count} code maps for {len(self.images)} images; at most {MAPS:,} can be shown"
            )
        if h * w > CELLS or self.images.shape[1] % h or self.images.shape[2] % w:
            raise ValueError(f"a code map of {h} × {w} cells does not divide images of {self.images.shape[1:3]} pixels")
        _within("maps", self.maps, 0, self.codes)
        for name in ("first", "second"):
            array = getattr(self, name)
            _shape(name, array, (None, h, w))
            if len(array) < len(self.images):
                raise ValueError(f"{name} has distances of {len(array)} images; {len(self.images)} are shown")

    def _check_places(self) -> None:
        _shape("patches", self.patches, (self.codes, None))
        _within("patches", self.patches, -1, self.maps.size)
        if self.crops is not None:
            _pictures("crops", self.crops, 2)
            if self.crops.shape[:2] != self.patches.shape or (self.crops.ndim == 5) != self.colour:
                raise ValueError(f"crops have shape {self.crops.shape}; they must be the pixels at the patches")
        if (self.usage_over_training is None) != (self.steps is None):
            raise ValueError("usage_over_training and steps must be given together")
        if self.usage_over_training is not None and self.steps is not None:
            _shape("usage_over_training", self.usage_over_training, (len(self.steps), self.codes))


def _shape(name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> None:
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("any" if want is None else str(want) for want in shape)
        raise ValueError(f"{name} has shape {array.shape}; the browser needs ({wanted})")
    if 0 in array.shape[1:]:
        raise ValueError(f"{name} of shape {array.shape} is empty")


def _pictures(name: str, array: np.ndarray, leading: int) -> None:
    ranks = (leading + 2, leading + 3)
    if array.dtype != np.uint8 or array.ndim not in ranks or (array.ndim == ranks[1] and array.shape[-1] != 3):
        raise ValueError(f"{name} must be grey or RGB images of dtype uint8; they have {array.shape} and {array.dtype}")
    if 0 in array.shape[leading:]:
        raise ValueError(f"{name} of shape {array.shape} are empty")


def _within(name: str, array: np.ndarray, low: int, high: int) -> None:
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} has dtype {array.dtype}; it must hold whole numbers")
    if array.size and (array.min() < low or array.max() >= high):
        raise ValueError(f"{name} holds {array.min()} to {array.max()}; it must stay within {low} to {high - 1}")
