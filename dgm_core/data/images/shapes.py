"""Procedural pictures: one coloured shape on a plain ground, each made from factors that are known.

The factors are those of the sprites that disentanglement is measured on (Matthey et al., dSprites, 2017), with colour.
"""

from __future__ import annotations

import numpy as np

from dgm_core.data.images.imageset import ImageSet, Info
from dgm_core.errors import DataError

SHAPES = ("disc", "square", "triangle", "cross")
FACTORS = ("shape", "x", "y", "radius", "angle", "hue", "ground")
"""x, y, radius in parts of the picture's side, angle in radians, hue and ground in [0, 1]."""

MAX_COUNT = 50_000
BLOCK = 512
INFO = Info("shapes", "Shapes", (3, 32, 32), SHAPES, (4000, 1000), "made here from known factors")


def draw_shapes(size: int = 32, count: int = 4000, seed: int = 0) -> ImageSet:
    """Shapes at random places, sizes, angles and colours; each kind equally often.

    Args:
        size: side of the pictures, 8 to 64.
        count: pictures to train with, 4 to 50,000; a quarter as many are held out besides.
        seed: of the factors.

    Returns:
        (count, 3, size, size), the kind as label, all factors as `FACTORS` names them.

    Raises:
        DataError: when size or count is out of bounds.

    Example:
        >>> draw_shapes(size=16, count=8).factors_train.shape
        (8, 7)
    """
    if not 8 <= size <= 64:
        raise DataError(f"Shapes of {size} pixels are asked for; 8 to 64 are drawn.")
    if not 4 <= count <= MAX_COUNT:
        raise DataError(f"{count:,} shapes are asked for; 4 to {MAX_COUNT:,} are drawn.")
    random = np.random.RandomState(seed)  # its stream is frozen (NEP 19): a seed means the same shapes for ever
    train, test = draw_factors(count, random), draw_factors(max(4, count // 4), random)
    return ImageSet(
        INFO.name, INFO.title, render(train, size), render(test, size),
        train[:, 0].astype(np.int64), test[:, 0].astype(np.int64), classes=SHAPES,
        factors_train=train, factors_test=test, factors=FACTORS,
    )  # fmt: skip


def draw_factors(count: int, random: np.random.RandomState) -> np.ndarray:
    """Independent, uniform factors: (count, 7) float32, columns as in `FACTORS`; the shape lies inside the picture."""
    u = random.random_sample((count, 6))
    radius = 0.14 + 0.16 * u[:, 2]
    x, y = (radius + (1 - 2 * radius) * u[:, k] for k in (0, 1))
    columns = (np.arange(count) % len(SHAPES), x, y, radius, 2 * np.pi * u[:, 3], u[:, 4], 0.25 * u[:, 5])
    return np.stack(columns, axis=1).astype(np.float32)


def render(factors: np.ndarray, size: int) -> np.ndarray:
    """Draw what the factors say, edges one pixel wide.

    The part of a pixel that is covered is taken from the signed distance d of its middle, in pixels: clip(½ − d, 0, 1).

    Args:
        factors: (N, 7) as `FACTORS` names them.
        size: side of the pictures.

    Returns:
        (N, 3, size, size) uint8.
    """
    blocks = [_render(block, size) for block in np.split(factors, range(BLOCK, len(factors), BLOCK))]
    return np.concatenate(blocks)


def _render(factors: np.ndarray, size: int) -> np.ndarray:
    kind, x, y, radius, angle, hue, ground = (column[:, None, None] for column in factors.T.astype(np.float32))
    middle = (np.arange(size, dtype=np.float32) + 0.5) / size
    across, down = middle[None, None, :] - x, middle[None, :, None] - y
    cosine, sine = np.cos(angle), np.sin(angle)
    u, v = (cosine * across + sine * down) / radius, (cosine * down - sine * across) / radius
    distances = (_disc(u, v), _square(u, v), _triangle(u, v), _cross(u, v))
    distance = np.choose(kind.astype(np.int64), distances) * radius * size
    cover = np.clip(0.5 - distance, 0, 1)[:, None]
    colour, paper = _colour(hue[:, 0, 0]), ground[:, None]
    return np.rint(255 * (cover * colour[:, :, None, None] + (1 - cover) * paper)).astype(np.uint8)


def _disc(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.hypot(u, v) - 1


def _square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Inscribed in the unit circle: half a side is 1/√2."""
    return np.maximum(np.abs(u), np.abs(v)) - np.float32(0.5**0.5)


def _triangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Equilateral, inscribed in the unit circle: each side is ½ from the middle."""
    slanted = np.float32(0.75**0.5) * np.abs(u) - v / 2
    return np.maximum(slanted, v) - np.float32(0.5)


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Two bars of 1.8 × 0.6, whose corners lie inside the unit circle."""
    u, v = np.abs(u), np.abs(v)
    flat, upright = (
        np.maximum(u - np.float32(0.9), v - np.float32(0.3)),
        np.maximum(v - np.float32(0.9), u - np.float32(0.3)),
    )
    return np.minimum(flat, upright)


def _colour(hue: np.ndarray) -> np.ndarray:
    """Full, bright colours: (N,) hue in [0, 1] to (N, 3) red, green, blue (HSV with saturation 0.8 and value 1)."""
    angle = (6 * hue[:, None] + np.array([5.0, 3.0, 1.0])) % 6
    return (1 - 0.8 * np.clip(np.minimum(angle, 4 - angle), 0, 1)).astype(np.float32)
