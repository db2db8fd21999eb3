"""How generated points are made to disagree with real ones."""

from __future__ import annotations

import numpy as np

OUTLIER_DISTANCE = 10.0
"""How far from the origin outliers lie: the targets end at 4.5."""
INVENTED, INVENTED_SPREAD = (3.4, 3.4), 0.25
"""Where the mode lies that the data do not have, and its standard deviation."""
UNIFORM_REACH = 12.0
"""Half the side of the square of uniform noise."""


def without_sector(points: np.ndarray, share: float) -> np.ndarray:
    """The points outside of a sector around the positive x-axis.

    Args:
        points: (N, 2).
        share: of the full turn; ⅛ takes just one of eight Gaussians on a circle.

    Example:
        >>> without_sector(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.1]]), 0.125).tolist()
        [[0.0, 1.0]]
    """
    angle = np.abs(np.arctan2(points[:, 1], points[:, 0]))
    kept: np.ndarray = points[angle > np.pi * share] if share > 0 else points
    return kept


def moved(points: np.ndarray, shift: float, scale: float, collapse: float) -> np.ndarray:
    """Points scaled about their mean, drawn towards it, then shifted along x.

    Args:
        points: (N, 2).
        shift: along x.
        scale: factor of the distance from the mean.
        collapse: 0 … 1, the share of the way to the mean.

    Example:
        >>> moved(np.array([[0.0, 0.0], [2.0, 2.0]]), shift=5, scale=1, collapse=1).tolist()
        [[6.0, 1.0], [6.0, 1.0]]
    """
    mean = points.mean(axis=0)
    return mean + scale * (1 - collapse) * (points - mean) + (shift, 0.0)


def with_invented(points: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """The points with a share of them, the last, replaced by draws of a mode that the data do not have."""
    count = round(share * len(points))
    invented = random.normal(INVENTED, INVENTED_SPREAD, (count, 2))
    return np.concatenate([points[: len(points) - count], invented])


def with_copies(points: np.ndarray, real: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """The points with a share of them, the first, replaced by copies of real ones, each copied once while there are."""
    count = round(share * len(points))
    order = np.concatenate([random.permutation(len(real)) for _ in range(-(-count // len(real)))] or [np.zeros(0, int)])
    return np.concatenate([real[order[:count]], points[count:]])


def outliers(count: int, random: np.random.Generator) -> np.ndarray:
    """Points evenly spread in random directions, `OUTLIER_DISTANCE` from the origin: (count, 2)."""
    angle = 2 * np.pi * (random.random() + np.arange(count) / max(1, count))
    return OUTLIER_DISTANCE * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def uniform(count: int, random: np.random.Generator) -> np.ndarray:
    """Uniform noise on the square of half side `UNIFORM_REACH`: (count, 2)."""
    return random.uniform(-UNIFORM_REACH, UNIFORM_REACH, (count, 2))
