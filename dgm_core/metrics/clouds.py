"""What every metric takes: a set of points as an array, checked at the border."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from dgm_core.errors import DataError

MOST = 1e150
"""Larger coordinates have squares that float64 cannot hold."""

Points = ArrayLike | Tensor
"""(N, D) real numbers: an array, a tensor on any device, or nested lists."""


def as_points(points: Points, name: str = "points") -> np.ndarray:
    """Points as an array of floats.

    Args:
        points: (N, D).
        name: of the set, for the messages.

    Returns:
        (N, D) float32 or float64, whichever the points have; integers and half precision become float64.

    Raises:
        DataError: when it is no such set, is empty, or holds what is no finite number.

    Example:
        >>> as_points([[0, 1], [2, 3]]).dtype.name
        'float64'
    """
    raw: Any = points.detach().cpu() if isinstance(points, Tensor) else points
    if isinstance(raw, Tensor) and raw.dtype in (torch.bfloat16, torch.float16):
        raw = raw.double()
    try:
        array = np.asarray(raw)
    except ValueError as error:
        raise DataError(f"{name}: rows of different lengths; an N × D array is needed.") from error
    if array.ndim != 2 or 0 in array.shape:
        raise DataError(f"{name}: an array of shape {array.shape}; N × D is needed, with at least one of each.")
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name}: values of type {array.dtype}; real numbers are needed.")
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    largest = max(float(array.max()), -float(array.min()))  # NaN wherever there is one
    if not np.isfinite(largest):
        bad = ~np.isfinite(array).all(axis=1)
        raise DataError(f"{name}: {bad.sum():,} of {len(array):,} rows hold NaN or infinity; drop them.")
    if largest > MOST:
        raise DataError(f"{name}: numbers beyond {MOST:g}; scale the data down.")
    return np.ascontiguousarray(array)


def as_pair(real: Points, fake: Points) -> tuple[np.ndarray, np.ndarray]:
    """Two sets in one space, see `as_points`.

    Raises:
        DataError: also when their dimensions differ.
    """
    reals, fakes = as_points(real, "real"), as_points(fake, "generated")
    if reals.shape[1] != fakes.shape[1]:
        raise DataError(
            f"The real points have {reals.shape[1]} dimensions and the generated ones {fakes.shape[1]}; "
            "both need the same."
        )
    return reals, fakes


def require_neighbours(points: np.ndarray, k: int, name: str = "points") -> None:
    """Refuse a k that a set is too small for.

    Raises:
        DataError: unless 1 ≤ k < N.
    """
    if k < 1:
        raise DataError(f"k is {k}; at least 1 neighbour is needed.")
    if k >= len(points):
        raise DataError(
            f"{name}: {len(points):,} points have at most {len(points) - 1:,} neighbours each, and k is {k:,}; "
            "take a smaller k or more points."
        )
