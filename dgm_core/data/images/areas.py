"""Resizing by area: each new pixel is the mean of what it covers, parts of pixels counted as parts.

Pillow's box filter takes a pixel whole or not at all, which leaves stripes where sizes do not divide each other.
"""

from __future__ import annotations

import numpy as np

ROWS = 256
"""Rows that are numbers at one time; the rest stay bytes."""


def area_means(pixels: np.ndarray, left: float, top: float, side: float, size: int) -> np.ndarray:
    """A square part of an image on a grid of size × size cells.

    Args:
        pixels: (H, W, C) of any numbers; with C = 4 the last is opacity, 0 to 255, and what lies below is white, 255.
        left, top, side: of the square, in pixels; it lies inside the image.
        size: cells a side.

    Returns:
        (size, size, C) float32, C = 3 for 4.

    Example:
        >>> area_means(np.array([[[0], [30], [60]]] * 3), 0, 0, 3, 2)[0, :, 0].tolist()
        [10.0, 50.0]
    """
    first_row, down = _weights(top, side, size, pixels.shape[0])
    first_column, across = _weights(left, side, size, pixels.shape[1])
    part = pixels[first_row : first_row + down.shape[1], first_column : first_column + across.shape[1]]
    means = np.zeros((size, across.shape[1], min(part.shape[2], 3)), dtype=np.float32)
    for start in range(0, len(part), ROWS):
        rows = _on_white(part[start : start + ROWS].astype(np.float32))
        means += (down[:, start : start + ROWS] @ rows.reshape(len(rows), -1)).reshape(means.shape)
    return np.matmul(across, means)


def sums_above_left(pixels: np.ndarray) -> np.ndarray:
    """What `area_means_of_sums` needs of an image from which many parts are taken: (H + 1, W + 1, C) float64."""
    height, width, channels = pixels.shape
    sums = np.zeros((height + 1, width + 1, channels))
    np.cumsum(np.cumsum(pixels, axis=0, dtype=np.float64), axis=1, out=sums[1:, 1:])
    return sums


def area_means_of_sums(sums: np.ndarray, left: float, top: float, side: float, size: int) -> np.ndarray:
    """As `area_means`, in a time that does not grow with the part: S interpolated between pixels is its integral.

    A cell's mean is (S(y₁, x₁) − S(y₀, x₁) − S(y₁, x₀) + S(y₀, x₀)) / area, S the sums above and left of a point.

    References:
        F. C. Crow: Summed-area tables for texture mapping, SIGGRAPH 1984.
    """
    steps = np.arange(size + 1) * (side / size)
    rows = _between(sums, top + steps, axis=0, columns=slice(int(left), int(np.ceil(left + side)) + 1))
    at = _between(rows, left - int(left) + steps, axis=1)
    return np.diff(np.diff(at, axis=0), axis=1) / (side / size) ** 2


def _between(sums: np.ndarray, edges: np.ndarray, axis: int, columns: slice = slice(None)) -> np.ndarray:
    """Linear interpolation along an axis at the edges."""
    before = np.clip(edges.astype(np.int64), 0, sums.shape[axis] - 2)
    part = (edges - before).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    sums = sums[:, columns]
    low, high = np.take(sums, before, axis), np.take(sums, before + 1, axis)
    return low + part * (high - low)


def _weights(start: float, side: float, size: int, length: int) -> tuple[int, np.ndarray]:
    """The first pixel that is touched, and which part of a cell is which pixel's: (size, touched), rows sum to 1."""
    edges = start + np.arange(size + 1) * (side / size)
    first, last = max(0, int(np.floor(edges[0]))), min(length, int(np.ceil(edges[-1])))
    pixels = np.arange(first, last)
    cover = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    cover = np.maximum(cover, 0)
    return first, (cover / cover.sum(axis=1, keepdims=True)).astype(np.float32)


def _on_white(pixels: np.ndarray) -> np.ndarray:
    if pixels.shape[-1] != 4:
        return pixels
    opacity = pixels[..., 3:] / 255
    return pixels[..., :3] * opacity + 255 * (1 - opacity)
