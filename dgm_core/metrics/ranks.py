"""At which k a point is covered: the one number a pair from which the metrics of all k follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def rank(squared: np.ndarray, radii: np.ndarray, rows: np.ndarray, strict: bool) -> np.ndarray:
    """The first column of each pair's radii that reaches it, by bisection.

    Args:
        squared: (P,) squared distances.
        radii: (N, K) squared, each row ascending.
        rows: (P,) which row of ``radii`` a pair looks at.
        strict: whether a point on the rim lies outside.

    Returns:
        (P,) int64 columns, K where even the last radius is too small.

    Example:
        >>> rank(np.array([1.0, 4.0, 9.0]), np.array([[1.0, 4.0]]), np.zeros(3, int), strict=False).tolist()
        [0, 1, 2]
        >>> rank(np.array([1.0, 4.0, 9.0]), np.array([[1.0, 4.0]]), np.zeros(3, int), strict=True).tolist()
        [1, 2, 2]
    """
    low, high = np.zeros(len(squared), np.int64), np.full(len(squared), radii.shape[1], np.int64)
    last = radii.shape[1] - 1
    for _ in range(int(radii.shape[1]).bit_length()):
        middle = (low + high) // 2
        at = radii[rows, np.minimum(middle, last)]
        short = (at <= squared) if strict else (at < squared)
        open_ = low < high
        low = np.where(open_ & short, middle + 1, low)
        high = np.where(open_ & ~short, middle, high)
    return low


@dataclass
class Covering:
    """When the balls of one set cover the points of the other, for K radii a ball; K stands for never.

    Args:
        fake_at: (M,), the first column of radii at which a ball around a real point covers the generated one.
        reached_at: (N,), at which a real point's own ball holds a generated point.
        real_at: (N,), at which a ball around a generated point covers the real one.
        pairs: (K,), how many pairs (real ball, generated point) are new at each column.
        balls: (M,), how many real balls hold the generated point at the last column.
    """

    fake_at: np.ndarray
    reached_at: np.ndarray
    real_at: np.ndarray
    pairs: np.ndarray
    balls: np.ndarray

    @classmethod
    def empty(cls, n: int, m: int, columns: int) -> Covering:
        """Nothing covers anything."""
        fake_at, reached_at, real_at = (np.full(size, columns) for size in (m, n, n))
        return cls(fake_at, reached_at, real_at, np.zeros(columns, np.int64), np.zeros(m, np.int64))

    def add_real_balls(self, i: np.ndarray, j: np.ndarray, columns: np.ndarray) -> None:
        """Pairs of a real ball i that covers the generated point j from these columns on."""
        last = len(self.pairs)
        self.pairs += np.bincount(columns, minlength=last + 1)[:last]
        self.balls += np.bincount(j, minlength=len(self.balls))
        np.minimum.at(self.fake_at, j, columns)
        np.minimum.at(self.reached_at, i, columns)

    def add_fake_balls(self, i: np.ndarray, columns: np.ndarray) -> None:
        """Real points i that some generated point's ball covers from these columns on."""
        np.minimum.at(self.real_at, i, columns)
