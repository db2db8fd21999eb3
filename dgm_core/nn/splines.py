"""Quintic spline interpolation of values on a square lattice: read anywhere, error of order h⁶.

f(x, y) = Σ_jk c_jk β⁵(x − j) β⁵(y − k), the coefficients c chosen so that f agrees with the values at the nodes. Its
error constant is about 1/150 of six-point Lagrange interpolation's, which reads as many values.

References:
    Unser, Splines: a perfect fit for signal and image processing (1999).
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from dgm_core.nn.threads import spread

_TAPS = 6
_BLOCK = 2048
_NODE_WEIGHTS = (1 / 120, 26 / 120, 66 / 120, 26 / 120, 1 / 120)
"""β⁵ at −2…2."""
_POLYNOMIALS = (
    (1, -5, 10, -10, 5, -1),
    (26, -50, 20, 20, -20, 5),
    (66, 0, -60, 0, 30, -10),
    (26, 50, 20, -20, -20, 10),
    (1, 5, 10, 10, 5, -5),
    (0, 0, 0, 0, 0, 1),
)
"""120 β⁵(u − j) for j = −2…3 as polynomials in u ∈ [0, 1], constant term first."""


def weights(u: Tensor) -> Tensor:
    """β⁵(u − j) for j = −2…3: (N,) in [0, 1] → (N, 6), summing to 1.

    Example:
        >>> bool(torch.allclose(weights(torch.rand(4)).sum(1), torch.ones(4)))
        True
    """
    powers = torch.stack([torch.ones_like(u), u, u * u, u**3, u**4, u**5], dim=1)
    table = torch.tensor(_POLYNOMIALS, dtype=u.dtype, device=u.device) / 120
    return powers @ table.T


@lru_cache(maxsize=32)
def _coefficients(nodes: int) -> Tensor:
    """The matrix (nodes + 4, nodes), float64, from values at nodes to coefficients −2 … nodes + 1.

    At both ends the coefficients outside continue those inside as a polynomial of degree 5.
    """
    size = nodes + 4
    system = torch.zeros(size, size, dtype=torch.float64)
    for row in range(nodes):
        system[row + 2, row : row + 5] = torch.tensor(_NODE_WEIGHTS, dtype=torch.float64)
    difference = torch.tensor([1.0, -6, 15, -20, 15, -6, 1], dtype=torch.float64)
    for edge in range(2):
        system[edge, edge : edge + 7] = difference
        system[size - 1 - edge, size - 7 - edge : size - edge] = difference
    return torch.linalg.inv(system)[:, 2:-2].contiguous()


def coefficients(values: Tensor) -> Tensor:
    """Spline coefficients (H + 4, W + 4, C) of values (H, W, C) at the nodes of a lattice, H and W at least 5."""
    rows = _coefficients(values.shape[0]).to(values)
    columns = _coefficients(values.shape[1]).to(values)
    return torch.einsum("ai,ijc,bj->abc", rows, values, columns)


def read(spline: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The spline's values at points given in cells from the first node; beyond the outer nodes the border polynomial.

    Args:
        spline: from `coefficients`, (H + 4, W + 4, C).
        x: column positions, (N,), from 0 to W − 1 inside.
        y: row positions, (N,).

    Returns:
        (N, C).

    Example:
        >>> nodes = torch.arange(9, dtype=torch.float64)
        >>> plane = (nodes[:, None] * 2 + nodes[None, :]).unsqueeze(-1)
        >>> x, y = torch.tensor([2.25], dtype=torch.float64), torch.tensor([3.5], dtype=torch.float64)
        >>> round(read(coefficients(plane), x, y).item(), 9)
        9.25
    """
    if spline.device.type != "cpu":
        return _read(spline, x, y)
    values = spline.new_empty(len(x), spline.shape[2])

    def share(_: int, rows: slice) -> None:
        for start in range(rows.start, rows.stop, _BLOCK):
            block = slice(start, min(start + _BLOCK, rows.stop))
            values[block] = _read(spline, x[block], y[block])

    spread(share, len(x), _BLOCK)
    return values


def _read(spline: Tensor, x: Tensor, y: Tensor) -> Tensor:
    height, width, channels = spline.shape
    column = x.floor().clamp_(0, width - _TAPS)
    row = y.floor().clamp_(0, height - _TAPS)
    across, down = weights(x - column), weights(y - row)
    offsets = torch.arange(_TAPS, device=x.device)
    first = row.long() * width + column.long()
    index = first.unsqueeze(1) + (offsets.unsqueeze(1) * width + offsets).flatten()
    weight = (down.unsqueeze(2) * across.unsqueeze(1)).flatten(1)
    return embedding_bag(index, spline.reshape(-1, channels), per_sample_weights=weight, mode="sum")


def resample(spline: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The spline's values on the lattice of columns x (M,) and rows y (K,), in cells from the first node: (K, M, C)."""

    def matrix(positions: Tensor, size: int) -> Tensor:
        cell = positions.floor().clamp(0, size - _TAPS)
        rows = positions.new_zeros(len(positions), size)
        index = cell.long().unsqueeze(1) + torch.arange(_TAPS, device=positions.device)
        return rows.scatter_(1, index, weights(positions - cell))

    return torch.einsum("ka,abc,mb->kmc", matrix(y, spline.shape[0]), spline, matrix(x, spline.shape[1]))
