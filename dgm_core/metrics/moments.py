"""Distances between whole laws: the Fréchet distance of two Gaussians, and the kernel distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dgm_core.errors import DataError
from dgm_core.metrics.clouds import Points, as_pair

BLOCK = 2**22
"""Numbers of a kernel matrix held at once."""


def frechet_distance(real: Points, fake: Points) -> float:
    """The squared Fréchet (2-Wasserstein) distance of two Gaussians with the sets' moments; of Inception features: FID.

    d² = ‖μ − ν‖² + tr Σ + tr Ω − 2 tr (ΣΩ)^½, with covariances that divide by N − 1. With Σ = RᵀR and Ω = SᵀS the last
    trace is the sum of the singular values of R Sᵀ, so that no square root of a matrix is taken and singular
    covariances are fine.

    Args:
        real: (N, D), at least two points.
        fake: (M, D), at least two points.

    Raises:
        DataError: when these are no two sets of one space.

    References:
        Dowson and Landau: The Fréchet distance between multivariate normal distributions, 1982, equation 4. Heusel,
        Ramsauer, Unterthiner, Nessler, Hochreiter: GANs trained by a two time-scale update rule, 2017, equation 6.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(50, 3))
        >>> abs(frechet_distance(x, x + [1.0, 0.0, 2.0]) - 5.0) < 1e-12
        True
    """
    x, y = _doubles(real, fake)
    if min(len(x), len(y)) < 2:
        raise DataError("The Fréchet distance needs at least two points in either set.")
    (mean_x, r), (mean_y, s) = _moments(x), _moments(y)
    cross = torch.linalg.svdvals(r @ s.T).sum()
    distance = (mean_x - mean_y).square().sum() + r.square().sum() + s.square().sum() - 2 * cross
    return max(0.0, float(distance))


def _doubles(real: Points, fake: Points) -> tuple[Tensor, Tensor]:
    """Both sets in float64. Torch multiplies them, for the app holds it to one thread, and NumPy's BLAS it does not."""
    x, y = as_pair(real, fake)
    return torch.from_numpy(x.astype(np.float64)), torch.from_numpy(y.astype(np.float64))


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """The mean (D,) and a factor R, at most D rows, with RᵀR the covariance."""
    mean = x.mean(0)
    centred = (x - mean) / (len(x) - 1) ** 0.5
    return mean, torch.linalg.qr(centred, mode="r").R if len(x) > x.shape[1] else centred


@dataclass(frozen=True)
class KID:
    """The kernel distance, and its standard error over subsets."""

    value: float
    error: float


def kid(real: Points, fake: Points, *, subsets: int = 50, size: int = 1000, seed: int = 0) -> KID:
    """The unbiased squared maximum mean discrepancy with the kernel (x·y / D + 1)³; of Inception features: KID.

    Args:
        real: (N, D), at least two points.
        fake: (M, D), at least two points.
        subsets: over how many pairs of random subsets it is averaged; 0 takes all points at once, without an error.
        size: points of each subset, at most half of the smaller set.
        seed: of the subsets.

    Returns:
        The mean and the standard error of the mean. It may be negative: it is unbiased, and 0 for equal laws.

    Raises:
        DataError: when these are no two sets of one space.

    References:
        Bińkowski, Sutherland, Arbel, Gretton: Demystifying MMD GANs, 2018, section 4. Gretton, Borgwardt, Rasch,
        Schölkopf, Smola: A kernel two-sample test, 2012, equation 3.
    """
    x, y = _doubles(real, fake)
    if min(len(x), len(y)) < 2:
        raise DataError("The kernel distance needs at least two points in either set.")
    if subsets == 0:
        return KID(_discrepancy(x, y), float("nan"))
    random, count = np.random.default_rng(seed), max(2, min(size, len(x) // 2, len(y) // 2))
    found = np.array([
        _discrepancy(*(points[torch.from_numpy(random.choice(len(points), count, False))] for points in (x, y)))
        for _ in range(subsets)
    ])  # fmt: skip
    return KID(float(found.mean()), float(found.std(ddof=1) / np.sqrt(subsets)) if subsets > 1 else float("nan"))


def _discrepancy(x: Tensor, y: Tensor) -> float:
    """MMD²ᵤ: the mean kernel within x, without the diagonal, and within y, less twice that between them."""
    n, m = len(x), len(y)
    within = (_total(x, x) - _diagonal(x)) / (n * (n - 1)) + (_total(y, y) - _diagonal(y)) / (m * (m - 1))
    return float(within - 2 * _total(x, y) / (n * m))


def _total(x: Tensor, y: Tensor) -> float:
    """Σᵢⱼ κ(xᵢ, yⱼ), a block of rows at a time."""
    scaled, step = y.T / x.shape[1], max(1, BLOCK // len(y))
    return sum(float((rows @ scaled).add_(1).pow_(3).sum()) for rows in x.split(step))


def _diagonal(x: Tensor) -> float:
    return float((x.square().sum(1) / x.shape[1] + 1).pow(3).sum())
