"""The backward flow map on a lattice, composed frame by frame.

Φ_t takes a point x at time t to its base point z at time 0, and s_t(x) = ∫_0^t tr ∂f/∂z along the way. From one frame
to the next every lattice node is traced back one short step to X, where the last frame's map is read off by a spline:

    Φ_{t+h}(x) = Φ_t(X),   s_{t+h}(x) = s_t(X) + h tr ∂f/∂z,   log p_t(x) = log N(Φ_t(x); 0, I) − s_t(x).

Integrating each frame apart costs a number of steps that grows with t; here each frame costs one step. The step is the
implicit midpoint rule with the midpoint's velocity extrapolated from the two frames before (a semi-Lagrangian scheme),
so that the field is evaluated once a frame.

References:
    Staniforth and Côté, Semi-Lagrangian integration schemes for atmospheric models: a review (1991), section 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from dgm_core.cnf.fast import FastField
from dgm_core.cnf.fields import Field
from dgm_core.cnf.flow import standard_normal_log_prob
from dgm_core.film import Extent
from dgm_core.nn import splines
from dgm_core.nn.threads import alone

PADDING = 1 / 16
"""Share of the picture that the lattice goes on beyond each edge, so that points traced back are still on it."""


@dataclass(frozen=True)
class Lattice:
    """Square cells' centres over an extent, with a margin of cells around it.

    Args:
        extent: (xmin, xmax, ymin, ymax) of the picture.
        size: cells of the picture along each axis.
        margin: cells beyond each edge.
    """

    extent: Extent
    size: int
    margin: int

    def nodes(self, like: Tensor) -> Tensor:
        """All centres, margin included, row by row from ymin: (M·M, 2) with M = size + 2 margin."""
        x, y = self._axis(*self.extent[:2], like), self._axis(*self.extent[2:], like)
        return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(-1, 2)

    def positions(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Points (N, 2) in cells from the first node, those outside moved to the border."""
        xmin, xmax, ymin, ymax = self.extent
        last = self.size + 2 * self.margin - 1
        column = (points[:, 0] - xmin) * (self.size / (xmax - xmin)) + (self.margin - 0.5)
        row = (points[:, 1] - ymin) * (self.size / (ymax - ymin)) + (self.margin - 0.5)
        return column.clamp_(0, last), row.clamp_(0, last)

    def _axis(self, low: float, high: float, like: Tensor) -> Tensor:
        cells = torch.arange(-self.margin, self.size + self.margin, dtype=torch.float64, device="cpu")
        return (low + (cells + 0.5) * (high - low) / self.size).to(like)


@torch.no_grad()
def composed_log_prob(
    field: Field, times: list[float], size: int, extent: Extent, *, picture: int | None = None
) -> Iterator[Tensor]:
    """log p_t on a lattice, one time after another.

    Args:
        field: f.
        times: increasing, the first being 0. The steps go from one to the next: 1/60 gives errors below 0.01 nats.
        size: cells of the map along each axis.
        extent: what the picture shows.
        picture: cells of the picture along each axis; the map is read between its nodes where they differ.

    Yields:
        (picture, picture) nats, row 0 at ymin, one for each time.
    """
    like = next(field.parameters())
    lattice = Lattice(extent, size, max(4, round(PADDING * size)))
    side = size + 2 * lattice.margin
    nodes, fast = lattice.nodes(like), FastField(field)
    # The displacement z − x and s: smoother than z itself, and zero at t = 0.
    state = torch.zeros(len(nodes), 3, dtype=like.dtype, device=like.device)
    shown = _Picture(lattice, picture or size, like)
    yield shown.log_prob(state)
    velocity, before = fast.velocity(0.0, nodes), None
    for start, end in pairwise(times):
        h = end - start
        with alone():
            guess = velocity if before is None else 2 * velocity - before
            before = velocity
            velocity, trace = fast.with_trace((start + end) / 2, nodes - (h / 2) * guess)
            departure = nodes - h * velocity
            spline = splines.coefficients(state.view(side, side, 3))
            state = splines.read(spline, *lattice.positions(departure))
            state[:, :2] -= h * velocity
            state[:, 2] += h * trace
            frame = shown.log_prob(state)
        yield frame


class _Picture:
    """Turns a map's state on the padded lattice into log-density on the picture."""

    def __init__(self, lattice: Lattice, size: int, like: Tensor) -> None:
        self.side, self.margin, self.same = lattice.size + 2 * lattice.margin, lattice.margin, size == lattice.size
        self.x = Lattice(lattice.extent, size, 0).nodes(like).view(size, size, 2)
        cells = torch.arange(size, dtype=torch.float64)
        positions = (cells + 0.5) * (lattice.size / size) + (lattice.margin - 0.5)
        self.positions = positions.to(like)

    def log_prob(self, state: Tensor) -> Tensor:
        square = state.view(self.side, self.side, 3)
        if self.same:
            inside = slice(self.margin, self.side - self.margin)
            square = square[inside, inside]
        else:
            square = splines.resample(splines.coefficients(square), self.positions, self.positions)
        return standard_normal_log_prob(self.x + square[..., :2]) - square[..., 2]
