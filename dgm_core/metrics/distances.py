"""Squared distances of listed pairs in float64: the arithmetic that every comparison here comes down to."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

# Said once a process; the one sparse operation that is used here is checked against float64 by the tests.
warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)

BLOCK = 2**16
"""Numbers in one intermediate array: few enough to stay in a core's cache."""


def squared_pairs(x: Tensor, y: Tensor, i: Tensor, j: Tensor) -> Tensor:
    """‖x_i − y_j‖² for pairs of indices, from differences and in float64.

    Args:
        x: (N, D).
        y: (M, D).
        i, j: (P,) indices into the rows of x and y.

    Returns:
        (P,) float64.

    Example:
        >>> x = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
        >>> squared_pairs(x, x, torch.tensor([0]), torch.tensor([1])).tolist()
        [25.0]
    """
    out = torch.empty(len(i), dtype=torch.float64, device=x.device)
    step = max(1, (BLOCK if x.device.type == "cpu" else 2**26) // x.shape[1])
    for start in range(0, len(i), step):
        part = slice(start, start + step)
        difference = x.index_select(0, i[part]).double() - y.index_select(0, j[part]).double()
        torch.linalg.vecdot(difference, difference, out=out[part])
    return out


def dots(x: Tensor, y: Tensor, i: Tensor, j: Tensor) -> Tensor:
    """x_i · y_j for pairs of indices, within (D + 8) 2⁻²³ ‖x_i‖ ‖y_j‖: (P,) float32.

    A product of matrices of which only the listed entries are made: no row is copied to stand beside its partner.

    Args:
        x: (N, D) float32.
        y: (M, D) float32.
        i, j: (P,).

    Example:
        >>> x = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
        >>> dots(x, x, torch.tensor([1, 0, 1]), torch.tensor([1, 1, 0])).tolist()
        [25.0, 3.0, 3.0]
    """
    if len(i) == 0:
        return x.new_empty(0)
    order = i.argsort()
    first, last = int(i[order[0]]), int(i[order[-1]])
    ends = torch.bincount(i - first, minlength=last - first + 1).cumsum(0)
    wanted = torch.sparse_csr_tensor(
        torch.cat([ends.new_zeros(1), ends]), j[order], x.new_zeros(len(i)), (len(ends), len(y)), check_invariants=False
    )
    out = x.new_empty(len(i))
    out[order] = torch.sparse.sampled_addmm(wanted, x[first : last + 1], y.T, beta=0.0).values()
    return out


def rough_unit(dimensions: int) -> float:
    """What `dots` may be off by, in ‖x_i‖ ‖y_j‖: a rounding for each product and sum of D terms."""
    return 2.0**-23 * (dimensions + 8)


def squared_plane(x: np.ndarray, y: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """The same for few dimensions, with arrays: a column at a time.

    Args:
        x: (N, D) float64.
        y: (M, D) float64.
        i, j: (P,).

    Returns:
        (P,) float64.
    """
    total = np.zeros(len(i))
    for x_axis, y_axis in zip(x.T, y.T, strict=True):
        total += np.square(x_axis[i] - y_axis[j])
    return total
