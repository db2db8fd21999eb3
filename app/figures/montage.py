"""Small images side by side as one picture."""

from __future__ import annotations

import numpy as np

from app.figures.palette import GROUND

SIDE = 288
"""Pixels that a row of images is at least wide, each a whole multiple of what it was."""


def montage(images: np.ndarray, *, columns: int, dark: bool = False) -> np.ndarray:
    """Images in rows, with gaps of the page's colour.

    Args:
        images: (N, H, W) uint8, or (N, H, W, 3).
        columns: in a row.
        dark: on a dark ground.

    Returns:
        (height, width, 3) uint8.

    Example:
        >>> montage(np.zeros((3, 8, 8), np.uint8), columns=2).shape
        (296, 296, 3)
    """
    count, height, width = images.shape[:3]
    factor = max(1, round(SIDE / (columns * width)))
    rows, gap = -(-count // columns), 2 * max(1, factor // 2) if factor > 1 else 2
    gap = min(gap, 8)
    ground = tuple(int(GROUND.on(dark)[k : k + 2], 16) for k in (1, 3, 5))
    tall, wide = factor * height + gap, factor * width + gap
    sheet = np.full((rows * tall - gap, columns * wide - gap, 3), ground, np.uint8)
    coloured = images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=-1)
    for index, image in enumerate(coloured):
        row, column = divmod(index, columns)
        big = image.repeat(factor, axis=0).repeat(factor, axis=1)
        sheet[row * tall : row * tall + factor * height, column * wide : column * wide + factor * width] = big
    return sheet


def tiles(images: np.ndarray) -> np.ndarray:
    """Images (…, C, H, W) as a page shows them: (…, H, W) of one channel, (…, H, W, 3) of three."""
    return images[..., 0, :, :] if images.shape[-3] == 1 else np.ascontiguousarray(np.moveaxis(images, -3, -1))
