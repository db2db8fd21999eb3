"""Random crops of the two photos that ship with scikit-learn, a Chinese temple and a flower, 427 × 640 pixels each."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dgm_core.data.images.areas import area_means_of_sums, sums_above_left
from dgm_core.data.images.imageset import ImageSet, Info
from dgm_core.errors import DataError

PHOTOS = ("china", "flower")
HELD_OUT = 0.2
"""The right part of each photo from which only held-out crops are taken: no pixel is in both halves."""

ZOOM = 4
"""Crops are 1 to 4 times as wide as the image that is made of them."""

MAX_COUNT = 50_000
INFO = Info("photos", "Photos (crops)", (3, 32, 32), PHOTOS, (4000, 1000), "the sample photos of scikit-learn, CC BY")


def photo_crops(size: int = 32, count: int = 4000, seed: int = 0) -> ImageSet:
    """Square crops at random places and scales, resized by area; a fifth as many are held out besides.

    Args:
        size: side of the images, 4 to 64.
        count: images to train with, 2 to 50,000; half of each photo.
        seed: of places and scales.

    Returns:
        (count, 3, size, size), and count / 4 images held out, from the right fifth of the photos.

    Raises:
        DataError: when size or count is out of bounds.

    Example:
        >>> photo_crops(size=8, count=10).train.shape
        (10, 3, 8, 8)
    """
    if not 4 <= size <= 64:
        raise DataError(f"Crops of {size} pixels are asked for; 4 to 64 fit the photos.")
    if not 2 <= count <= MAX_COUNT:
        raise DataError(f"{count:,} crops are asked for; 2 to {MAX_COUNT:,} are made.")
    random = np.random.RandomState(seed)  # its stream is frozen (NEP 19): a seed means the same crops for ever
    train, labels = _crops(size, count, random, held_out=False)
    test, labels_test = _crops(size, max(2, count // 4), random, held_out=True)
    return ImageSet(INFO.name, INFO.title, train, test, labels, labels_test, classes=PHOTOS)


def _crops(size: int, count: int, random: np.random.RandomState, held_out: bool) -> tuple[np.ndarray, np.ndarray]:
    """(count, 3, size, size) uint8 and which photo each is from, (count,) int64."""
    labels = (np.arange(count) % len(PHOTOS)).astype(np.int64)
    u = random.random_sample((count, 3))
    crops = np.empty((count, size, size, 3), dtype=np.uint8)
    for crop, label, (scale, across, down) in zip(crops, labels, u, strict=True):
        sums = _sums(PHOTOS[label])
        height, width = sums.shape[0] - 1, sums.shape[1] - 1
        border = round((1 - HELD_OUT) * width)
        left, right = (border, width) if held_out else (0, border)
        side = size + scale * (min(ZOOM * size, right - left, height) - size)
        x, y = left + across * (right - left - side), down * (height - side)
        crop[:] = np.rint(area_means_of_sums(sums, x, y, side, size))
    return np.ascontiguousarray(crops.transpose(0, 3, 1, 2)), labels


@lru_cache(maxsize=2)
def _sums(name: str) -> np.ndarray:
    return sums_above_left(_photo(name))


def _photo(name: str) -> np.ndarray:
    """(427, 640, 3) uint8."""
    from sklearn.datasets import load_sample_image

    photo: np.ndarray = load_sample_image(f"{name}.jpg")
    return photo
