"""Hubness: in many dimensions few points are everybody's neighbours, and many are nobody's."""

from __future__ import annotations

import numpy as np
import torch

from dgm_core.metrics.clouds import Points, as_points, require_neighbours

BLOCK = 2**22
"""Distances held at once."""


def occurrences(x: Points, k: int) -> np.ndarray:
    """How many others have each point among their k nearest neighbours: N_k, of mean k.

    Args:
        x: (N, D).
        k: below N.

    Returns:
        (N,) int64. Distances are taken in float64; of equal ones any may be the nearer.

    References:
        Radovanović, Nanopoulos, Ivanović: Hubs in space: popular nearest neighbors in high-dimensional data, 2010,
        definition 1.

    Example:
        >>> occurrences([[0.0], [1.0], [2.1]], k=1).tolist()
        [1, 2, 0]
    """
    points = as_points(x)
    require_neighbours(points, k)
    here = torch.from_numpy(points.astype(np.float64))
    counts = torch.zeros(len(here), dtype=torch.int64)
    for rows in torch.arange(len(here)).split(max(1, BLOCK // len(here))):
        distances = torch.cdist(here[rows], here, compute_mode="use_mm_for_euclid_dist")
        distances[torch.arange(len(rows)), rows] = torch.inf
        counts += torch.bincount(distances.topk(k, dim=1, largest=False).indices.ravel(), minlength=len(here))
    return counts.numpy()


def orphans(x: Points, k: int) -> float:
    """The share of points that are among nobody's k nearest neighbours; see `occurrences`."""
    return float((occurrences(x, k) == 0).mean())
