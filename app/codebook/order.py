"""Codes in an order in which like stands beside like."""

from __future__ import annotations

import numpy as np


def similarity_order(vectors: np.ndarray) -> np.ndarray:
    """A greedy chain: each code is followed by the nearest one that is not yet in it.

    It begins at the end of the first principal component.

    Args:
        vectors: (K, …) one vector or picture a code.

    Returns:
        (K,) int32, a permutation.

    Example:
        >>> similarity_order(np.array([[0.0], [5.0], [1.0], [4.0]])).tolist() in ([0, 2, 3, 1], [1, 3, 2, 0])
        True
    """
    x = np.asarray(vectors, np.float32).reshape(len(vectors), -1)
    x = x - x.mean(0)
    squares = (x * x).sum(1)
    apart = squares[:, None] + squares[None, :] - 2 * x @ x.T
    principal = x @ np.linalg.svd(x, full_matrices=False)[2][0]
    order = np.empty(len(x), np.int32)
    order[0] = np.argmin(principal)
    for place in range(1, len(x)):
        apart[:, order[place - 1]] = np.inf
        order[place] = np.argmin(apart[order[place - 1]])
    return order
