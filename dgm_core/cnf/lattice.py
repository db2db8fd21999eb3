"""The lattice on which a flow map is kept: the picture's cells, and beyond its edges as many as the flow needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from dgm_core.cnf.fast import FastField
from dgm_core.cnf.fields import Field
from dgm_core.film import Extent
from dgm_core.nn.solvers import State, grid, step
from dgm_core.nn.threads import alone

PADDING = 3 / 32
"""Share of the picture by which the lattice goes beyond each edge at least: points traced back leave the picture."""
MOST = 2.5
"""A lattice with more nodes than this many pictures does not pay."""
_RINGS = (1.0, 2.0, 3.0, 4.0)
"""Radii of base points to follow: beyond 4 the base's density is below 1/2,980 of its peak."""
_POINTS_PER_RING = 48


@dataclass(frozen=True)
class Lattice:
    """Cells' centres over an extent, with margins of cells around it.

    Args:
        extent: (xmin, xmax, ymin, ymax) of the picture.
        size: cells of the picture along each axis.
        margins: cells beyond the left, right, lower and upper edge.

    Example:
        >>> Lattice((0, 1, 0, 1), 4, (1, 0, 0, 2)).shape
        (6, 5)
    """

    extent: Extent
    size: int
    margins: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, margins included."""
        left, right, bottom, top = self.margins
        return self.size + bottom + top, self.size + left + right

    def nodes(self, like: Tensor) -> Tensor:
        """All centres, row by row from the lowest: (rows · columns, 2)."""
        left, right, bottom, top = self.margins
        x = self._axis(*self.extent[:2], left, right, like)
        y = self._axis(*self.extent[2:], bottom, top, like)
        return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(-1, 2)

    def positions(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Points (N, 2) in cells from the first node, those outside moved to the border: columns, then rows."""
        xmin, xmax, ymin, ymax = self.extent
        left, _, bottom, _ = self.margins
        rows, columns = self.shape
        column = (points[:, 0] - xmin) * (self.size / (xmax - xmin)) + (left - 0.5)
        row = (points[:, 1] - ymin) * (self.size / (ymax - ymin)) + (bottom - 0.5)
        return column.clamp_(0, columns - 1), row.clamp_(0, rows - 1)

    def _axis(self, low: float, high: float, before: int, after: int, like: Tensor) -> Tensor:
        cells = torch.arange(-before, self.size + after, dtype=torch.float64)
        return (low + (cells + 0.5) * (high - low) / self.size).to(like)


def covering(field: Field, extent: Extent, size: int) -> Lattice | None:
    """A lattice that holds the picture and the way back to the base of all mass that the picture ever shows.

    The ways are those of points on rings around the origin, radii 1 to 4, up to the last time they are in the picture.
    None where such a lattice would be much larger than the picture.
    """
    xmin, xmax, ymin, ymax = extent
    low_x, high_x, low_y, high_y = _reach(field, extent)
    least = max(4, round(PADDING * size))
    across, up = (xmax - xmin) / size, (ymax - ymin) / size
    beyond = ((xmin - low_x) / across, (high_x - xmax) / across, (ymin - low_y) / up, (high_y - ymax) / up)
    # Three cells more, so that a spline read there has its neighbours.
    left, right, bottom, top = (max(least, math.ceil(cells) + 3 if cells > 0 else 0) for cells in beyond)
    lattice = Lattice(extent, size, (left, right, bottom, top))
    rows, columns = lattice.shape
    return lattice if rows * columns <= MOST * size * size else None


@torch.no_grad()
def _reach(field: Field, extent: Extent) -> Extent:
    """The box around those ways."""
    like, fast = next(field.parameters()), FastField(field)
    angle = torch.arange(_POINTS_PER_RING, dtype=torch.float64) * (2 * math.pi / _POINTS_PER_RING)
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    state: State = (torch.cat([radius * circle for radius in _RINGS]).to(like),)
    path = [state[0]]
    knots = grid(0.0, 1.0, 16)
    with alone():
        for start, end in pairwise(knots):
            state = step(lambda t, y: (fast.velocity(float(t), y[0]),), "midpoint", start, end - start, state)
            path.append(state[0])
    ways = torch.stack(path)
    x, y = ways[..., 0], ways[..., 1]
    shown = (x >= extent[0]) & (x <= extent[1]) & (y >= extent[2]) & (y <= extent[3])
    # At each time: is the point in the picture then or later?
    later = shown.flip(0).cummax(0).values.flip(0)
    x, y = x[later], y[later]
    if x.numel() == 0:
        return extent
    return float(x.min()), float(x.max()), float(y.min()), float(y.max())
