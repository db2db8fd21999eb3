"""Few dimensions: neighbours and balls from a k-d tree, exact in float64."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np
from scipy.spatial import cKDTree

from dgm_core.metrics.distances import squared_plane
from dgm_core.metrics.ranks import Covering, rank

MOST_DIMENSIONS = 4
"""Up to here a tree is faster than products of matrices."""
PAIRS = 2_000_000
"""Pairs held at once."""
SLACK = 1 + 1e-9
"""By how much the tree looks further than a radius; whether a pair counts is then decided exactly."""


def neighbour_squares(x: np.ndarray, k: int) -> np.ndarray:
    """Squared distances to the k nearest others, ascending.

    Args:
        x: (N, D) float64.
        k: below N.

    Returns:
        (N, k) float64.
    """
    out = np.empty((len(x), k))
    tree, step = cKDTree(x), max(1, PAIRS // (k + 1))
    for start in range(0, len(x), step):
        rows = np.arange(start, min(start + step, len(x)))
        _, found = tree.query(x[rows], k + 1)
        # Of duplicates the tree may leave the point itself out; then it is one of them that is dropped.
        squares = squared_plane(x, x, np.repeat(rows, k + 1), found.ravel()).reshape(-1, k + 1)
        out[rows] = np.sort(squares, axis=1)[:, 1:]
    return out


def cross_squares(x: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """Squared distances from each x_i (N, D) to its k nearest y_j (M, D), ascending: (N, k) float64."""
    _, found = cKDTree(y).query(x, np.arange(1, k + 1))
    squares = squared_plane(x, y, np.repeat(np.arange(len(x)), k), found.ravel())
    return np.sort(squares.reshape(-1, k), axis=1)


def covering(
    x: np.ndarray, y: np.ndarray, radii_x: np.ndarray, radii_y: np.ndarray, strict: bool
) -> Covering:  # fmt: skip
    """When the balls of either set cover the points of the other.

    Args:
        x, y: (N, D) real and (M, D) generated points, float64.
        radii_x, radii_y: (N, K) and (M, K) squared radii, ascending.
        strict: see `rank`.
    """
    columns = radii_x.shape[1]
    found = Covering.empty(len(x), len(y), columns)
    for i, j in _within(x, y, radii_x[:, -1]):
        at = rank(squared_plane(x, y, i, j), radii_x, i, strict)
        inside = at < columns
        found.add_real_balls(i[inside], j[inside], at[inside])
    for j, i in _within(y, x, radii_y[:, -1]):
        at = rank(squared_plane(x, y, i, j), radii_y, j, strict)
        found.add_fake_balls(i, at)
    return found


def _within(x: np.ndarray, y: np.ndarray, squared_radii: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of pairs (i, j) with y_j in the ball of x_i, and few that are just outside."""
    tree, radii = cKDTree(y), np.sqrt(squared_radii) * SLACK
    counts = tree.query_ball_point(x, radii, return_length=True)
    ends = np.cumsum(counts)
    start = 0
    while start < len(x):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + PAIRS, side="right")))
        rows, lengths = slice(start, stop), counts[start:stop]
        lists = tree.query_ball_point(x[rows], radii[rows])
        j = np.fromiter(chain.from_iterable(lists), np.int64, int(lengths.sum()))
        yield np.repeat(np.arange(start, stop), lengths), j
        start = stop
