"""The curve of precision against recall of two laws, on the histograms over common clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dgm_core.errors import DataError
from dgm_core.metrics.clouds import Points, as_pair


@dataclass(frozen=True)
class PRDCurve:
    """A trade-off: each point is what precision can be had at that recall.

    Args:
        precision: (A,) α(λ).
        recall: (A,) β(λ).
    """

    precision: np.ndarray
    recall: np.ndarray

    def f_beta(self, beta: float) -> float:
        """The largest F_β on the curve; β > 1 weighs recall more.

        Example:
            >>> PRDCurve(np.array([1.0]), np.array([0.5])).f_beta(1.0)
            0.6666666666666666
        """
        a, b = self.precision, self.recall
        scores = (1 + beta**2) * a * b / np.maximum(beta**2 * a + b, 1e-300)
        return float(scores.max())


def prd_of_histograms(real: np.ndarray, fake: np.ndarray, angles: int = 1001) -> PRDCurve:
    """α(λ) = Σ min(λ p, q) and β(λ) = Σ min(p, q / λ), with λ the tangent of evenly spaced angles.

    Args:
        real: p (B,), weights of the real law.
        fake: q (B,), weights of the generated law.
        angles: A.

    References:
        Sajjadi, Bachem, Lučić, Bousquet, Gelly: Assessing generative models via precision and recall, 2018, theorem 2
        and algorithm 1.

    Example:
        >>> curve = prd_of_histograms(np.array([1.0, 1.0]), np.array([1.0, 0.0]))
        >>> float(curve.precision.max().round(6)), float(curve.recall.max().round(6))
        (1.0, 0.5)
    """
    p, q = real / real.sum(), fake / fake.sum()
    slopes = np.tan(np.linspace(1e-10, np.pi / 2 - 1e-10, angles))
    precision = np.minimum(slopes[:, None] * p, q).sum(axis=1)
    # The sums may exceed 1 by rounding.
    return PRDCurve(np.clip(precision, 0, 1), np.clip(precision / slopes, 0, 1))


def prd_curve(
    real: Points, fake: Points, *, clusters: int = 20, angles: int = 1001, runs: int = 10, seed: int = 0
) -> PRDCurve:  # fmt: skip
    """The PRD curve of two sets of points, averaged over several clusterings of their union.

    Args:
        real: (N, D).
        fake: (M, D).
        clusters: of k-means on the union; no more than there are points.
        angles: points of the curve.
        runs: clusterings that are averaged.
        seed: of the clusterings.

    Raises:
        DataError: when these are no two sets of one space, or there are too few points.

    References:
        Sajjadi et al., 2018, see `prd_of_histograms`; section 3.2 for clusters and averaging.
    """
    from sklearn.cluster import MiniBatchKMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    x, y = as_pair(real, fake)
    union = np.concatenate([x, y]).astype(np.float64)
    if not 1 <= clusters <= len(union):
        raise DataError(f"{clusters} clusters cannot be made of {len(union):,} points.")
    total = np.zeros((2, angles))
    for run in range(runs):
        with threadpool_limits(1):  # its parallel loops are so short that they wait for each other
            labels = MiniBatchKMeans(clusters, n_init=3, random_state=seed + run).fit(union).labels_
        p, q = (np.bincount(part, minlength=clusters).astype(float) for part in (labels[: len(x)], labels[len(x) :]))
        curve = prd_of_histograms(p, q, angles)
        total += curve.precision, curve.recall
    return PRDCurve(*(total / runs))
