"""Voronoi cells clipped to a window, for codes in the plane; also for one, two, equal or collinear codes."""

from __future__ import annotations

import numpy as np

Extent = tuple[float, float, float, float]


def voronoi_cells(codes: np.ndarray, extent: Extent) -> list[np.ndarray]:
    """Each code's cell: the window's points that are nearer to it than to any other code.

    The window is cut along one bisector after the other, nearest codes first, until no further code can reach it.

    Args:
        codes: (K, 2), finite.
        extent: (xmin, xmax, ymin, ymax).

    Returns:
        K polygons (V, 2), corners counter-clockwise; of equal codes the first has the cell, the others none: (0, 2).

    Example:
        >>> [cell.tolist() for cell in voronoi_cells(np.array([[-1.0, 0.0]]), (-1, 1, -1, 1))]
        [[[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]]
    """
    xmin, xmax, ymin, ymax = extent
    window = np.array([[xmin, ymin], [xmax, ymin], [xmax, ymax], [xmin, ymax]], np.float64)
    points = np.asarray(codes, np.float64)
    squared = ((points[:, None] - points[None]) ** 2).sum(-1)
    return [_cell(k, points, squared[k], window) for k in range(len(points))]


def _cell(k: int, points: np.ndarray, squared: np.ndarray, window: np.ndarray) -> np.ndarray:
    cell, here = window, points[k]
    if (squared[:k] == 0).any():
        return np.empty((0, 2))
    for other in np.argsort(squared):
        if squared[other] == 0:
            continue
        if len(cell) == 0 or squared[other] > 4 * ((cell - here) ** 2).sum(1).max():
            break
        towards = points[other] - here
        cell = _cut(cell, towards, float(towards @ (points[other] + here)) / 2)
    return cell


def _cut(polygon: np.ndarray, normal: np.ndarray, level: float) -> np.ndarray:
    """The part of a convex polygon (V, 2) where normal · x ≤ level."""
    beyond = polygon @ normal - level
    inside = beyond <= 0
    if inside.all():
        return polygon
    corners: list[np.ndarray] = []
    for k in range(len(polygon)):
        after = (k + 1) % len(polygon)
        if inside[k]:
            corners.append(polygon[k])
        if inside[k] != inside[after]:
            share = beyond[k] / (beyond[k] - beyond[after])
            corners.append(polygon[k] + share * (polygon[after] - polygon[k]))
    return np.array(corners).reshape(-1, 2)
