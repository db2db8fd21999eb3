"""People's own points as a target, and how they are moved into the window."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dgm_core.data.target import Target
from dgm_core.errors import DataError

HALF_WIDTH = 3.5
"""Half the width of the window's part that standardised points fill."""


class Standardised(NamedTuple):
    """Points in the window, and the way back: original = points · scale + mean.

    Args:
        points: (N, 2) float32.
        mean: (2,) float64, what became the origin.
        scale: how long the window's unit was; one number, so that shapes keep their aspect.
    """

    points: np.ndarray
    mean: np.ndarray
    scale: float


def standardise(points: np.ndarray) -> Standardised:
    """Move points into the window [−3.5, 3.5]² by one shift and one scale.

    The middle 99 % along each axis decides, so that a few outliers do not shrink the rest to a dot; they come to lie
    outside of the window.

    Args:
        points: (N, 2), finite, not all equal.

    Raises:
        DataError: when all points are equal.

    Example:
        >>> standardise(np.array([[0.0, 0.0], [10.0, 5.0]])).mean.tolist()
        [5.0, 2.5]
    """
    points = np.asarray(points, dtype=np.float64)
    low, high = np.quantile(points, [0.005, 0.995], axis=0)
    # Two points alone are their own range; also where more than 99 % of the points coincide.
    if len(points) < 100 or not (high - low).max() > 0:
        low, high = points.min(axis=0), points.max(axis=0)
    middle, scale = (low + high) / 2, float((high - low).max()) / (2 * HALF_WIDTH)
    if not scale > 0:
        raise DataError("All points are equal; at least two different ones are needed.")
    return Standardised(((points - middle) / scale).astype(np.float32), middle, scale)


def points_target(points: np.ndarray | Tensor, name: str = "points", title: str = "Points") -> Target:
    """The points themselves as a law: each draw is one of them, with replacement; it has no density.

    Args:
        points: (N, 2) in the window's coordinates, finite, N ≥ 1; see `standardise`.
        name, title: the target's.

    Raises:
        DataError: when the array is none of that.
    """
    fixed = torch.as_tensor(points).to("cpu", torch.float32, copy=True)
    if fixed.ndim != 2 or fixed.shape[1] != 2 or not len(fixed):
        raise DataError(f"The points have shape {tuple(fixed.shape)}; N rows of two numbers are needed.")
    if not fixed.isfinite().all():
        raise DataError("Some points are not finite numbers; remove them.")

    def draw(n: int, generator: torch.Generator) -> Tensor:
        return fixed[torch.randint(len(fixed), (n,), generator=generator)]

    return Target(name, title, draw)
