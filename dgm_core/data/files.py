"""The readers of people's own files: points from text and NumPy files, pictures as ink.

Whatever comes in, what goes out is good data or a `DataError` with one sentence. Sizes are looked at before anything is
unpacked, nothing is ever unpickled.
"""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from dgm_core.data.array_files import points_from_npy, points_from_npz
from dgm_core.data.image_files import ink_from_image
from dgm_core.data.points import Standardised, standardise
from dgm_core.data.text_files import points_from_text
from dgm_core.errors import DataError

__all__ = ["MAX_BYTES", "MAX_POINTS", "DataError", "Standardised", "read_image", "read_points", "standardise"]

MAX_BYTES = 20 * 2**20
"""Bytes of an uploaded file."""

MAX_POINTS = 1_000_000

_LARGEST = 1e30
"""Beyond it squares leave float32's range."""


def read_points(name: str, blob: bytes | BinaryIO, max_points: int = MAX_POINTS) -> np.ndarray:
    """Points from CSV, TSV, plain text, NPY or NPZ (its first array of two columns); the content decides which.

    Args:
        name: the file's, for the messages.
        blob: its content, or a binary file at any position.
        max_points: more rows are refused.

    Returns:
        (N, 2) float64 as they stand in the file, N ≥ 2, finite, not all equal; `standardise` moves them to the window
        and makes them float32 (first, since a large offset would cost float32 its digits).

    Raises:
        DataError: when there are no such points.

    Example:
        >>> read_points("two.csv", b"x,y\\n0,1\\n2,3\\n").tolist()
        [[0.0, 1.0], [2.0, 3.0]]
    """
    content = content_of(name, blob)
    if content.startswith(b"\x93NUMPY"):
        points = points_from_npy(name, content, max_points)
    elif content.startswith(b"PK"):
        points = points_from_npz(name, content, max_points)
    else:
        points = points_from_text(name, content, max_points)
    _require_usable(name, points)
    return points


def read_image(name: str, blob: bytes | BinaryIO, invert: bool | None = None) -> np.ndarray:
    """A picture's ink from PNG, JPEG, WebP or the first frame of a GIF, longer side at most 256 pixels.

    Args:
        name: the file's, for the messages.
        blob: its content, or a binary file at any position.
        invert: whether light is ink; None decides by the border (`dgm_core.data.pictures.ink_of`).

    Returns:
        (H, W) float32 in [0, 1], row 0 at the top.

    Raises:
        DataError: when it is no such picture, too large, damaged or blank.
    """
    return ink_from_image(name, content_of(name, blob), invert)


def content_of(name: str, blob: bytes | BinaryIO) -> bytes:
    """The file's bytes; never more than one above the limit is read."""
    if not isinstance(blob, bytes | bytearray | memoryview):
        if blob.seekable():
            blob.seek(0)
        blob = blob.read(MAX_BYTES + 1)
    if len(blob) > MAX_BYTES:
        raise DataError(
            f"{name} is larger than {MAX_BYTES // 2**20} MiB; choose a smaller file, or every tenth row of it."
        )
    if not len(blob):
        raise DataError(f"{name} is empty; choose a file that holds something.")
    return bytes(blob)


def _require_usable(name: str, points: np.ndarray) -> None:
    if len(points) < 2:
        count = ("no points", "one point")[len(points)]
        raise DataError(f"{name} holds {count}; at least two different ones are needed.")
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise DataError(
            f"{name} has NaN or infinity in {len(bad):,} of its rows, first in point {bad[0] + 1:,}; remove them."
        )
    largest = float(np.abs(points).max())
    if largest > _LARGEST:
        raise DataError(
            f"{name} holds a number as large as {largest:.0e}; rescale the points, up to {_LARGEST:.0e} is fine."
        )
    spread = float((points.max(axis=0) - points.min(axis=0)).max())
    if spread < 1e-30 or spread <= 1e-12 * largest:
        raise DataError(f"All {len(points):,} points in {name} are equal; at least two different ones are needed.")
