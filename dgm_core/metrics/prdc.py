"""Precision, recall, density and coverage: how well two sets of points cover each other with balls.

With R_k(x; X) the distance from x to its k-th nearest other point of X, real points X (N) and generated ones Y (M):

    precision = 1/M Σ_j 1[∃i: ‖y_j − x_i‖ ≤ R_k(x_i; X)]
    recall    = 1/N Σ_i 1[∃j: ‖x_i − y_j‖ ≤ R_k(y_j; Y)]
    density   = 1/(kM) Σ_j Σ_i 1[‖y_j − x_i‖ ≤ R_k(x_i; X)]
    coverage  = 1/N Σ_i 1[∃j: ‖x_i − y_j‖ ≤ R_k(x_i; X)]

A point on the rim counts as covered, as in the papers; ``strict`` leaves it out, as the package ``prdc`` does: with
constant features all four are then 0 instead of 1.

References:
    Kynkäänniemi, Karras, Laine, Lehtinen, Aila: Improved precision and recall metric for assessing generative models,
    2019, equations 1 and 2. Naeem, Oh, Uh, Choi, Yoo: Reliable fidelity and diversity metrics for generative models,
    2020, equations 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from dgm_core.metrics import neighbours, plane, products
from dgm_core.metrics.clouds import Points, as_pair, as_points, require_neighbours
from dgm_core.metrics.ranks import Covering
from dgm_core.metrics.screen import Frame, to_tensor


@dataclass(frozen=True)
class PRDC:
    """The four numbers; density may exceed 1, the others lie in [0, 1]."""

    precision: float
    recall: float
    density: float
    coverage: float


@dataclass(frozen=True)
class PRDCCurve:
    """The four numbers at every k.

    Args:
        k: (K,), 1 … k_max.
        precision, recall, density, coverage: (K,).
    """

    k: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    density: np.ndarray
    coverage: np.ndarray

    def at(self, k: int) -> PRDC:
        """The numbers at one k.

        Raises:
            DataError: unless 1 ≤ k ≤ k_max.
        """
        require_neighbours(np.empty((len(self.k) + 1, 1)), k, "curve")
        row = k - 1
        return PRDC(*(float(c[row]) for c in (self.precision, self.recall, self.density, self.coverage)))


def knn_radii(x: Points, k: int, *, device: str | None = None) -> np.ndarray:
    """The distance from each point to its k-th nearest other point; a duplicate is another point, at distance 0.

    Args:
        x: (N, D).
        k: below N.
        device: where to compute; None for where the points are, or CUDA where there is some and it is worth it.

    Returns:
        (N,) float64, equal to the exhaustive search in float64.

    Raises:
        DataError: when x is no such set or k ≥ N.

    Example:
        >>> knn_radii([[0.0], [1.0], [3.0]], k=1).tolist()
        [1.0, 1.0, 2.0]
    """
    return np.sqrt(neighbour_squares(x, k, device=device)[:, -1])


def neighbour_squares(x: Points, k: int, *, device: str | None = None) -> np.ndarray:
    """Squared distances to the k nearest others, ascending: (N, k) float64. See `knn_radii`."""
    points = as_points(x)
    require_neighbours(points, k)
    if points.shape[1] <= plane.MOST_DIMENSIONS:
        return plane.neighbour_squares(points.astype(np.float64), k)
    here = to_tensor(points, _device(x, device))
    return neighbours.neighbour_squares(here, k, Frame(here, here)).cpu().numpy()


def prdc(real: Points, fake: Points, k: int = 5, *, strict: bool = False, device: str | None = None) -> PRDC:
    """Precision, recall, density and coverage of generated against real points.

    Args:
        real: (N, D).
        fake: (M, D).
        k: neighbours that set a ball's radius; below N and M.
        strict: whether a point on a ball's rim lies outside.
        device: see `knn_radii`.

    Returns:
        The four numbers, equal to the exhaustive computation in float64.

    Raises:
        DataError: when the sets are none, differ in dimension, or are too small for k.

    Example:
        >>> points = np.random.default_rng(0).normal(size=(100, 2))
        >>> prdc(points, points, k=3)
        PRDC(precision=1.0, recall=1.0, density=1.3333333333333333, coverage=1.0)
    """
    found = _covering(real, fake, k, [k], strict, device)
    return _curve(found, np.array([k])).at(1)


def prdc_curve(
    real: Points, fake: Points, k_max: int = 50, *, strict: bool = False, device: str | None = None
) -> PRDCCurve:  # fmt: skip
    """The same for every k from 1 to ``k_max`` at once; see `prdc`.

    Example:
        >>> points = np.random.default_rng(0).normal(size=(100, 2))
        >>> prdc_curve(points, points + 0.1, k_max=9).at(3) == prdc(points, points + 0.1, k=3)
        True
    """
    return _curve(covering(real, fake, k_max, strict=strict, device=device), np.arange(1, k_max + 1))


def points_at(
    real: Points, fake: Points, k: int, *, strict: bool = False, device: str | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """What each of the four numbers is the mean of, see `prdc`.

    Returns:
        Whether a real ball covers each generated point (M,), whether a generated ball covers each real one (N,), how
        many real balls hold each generated point (M,), whether each real ball holds a generated point (N,).

    Example:
        >>> points = np.random.default_rng(0).normal(size=(100, 2))
        >>> [float(part.mean()) for part in points_at(points, points, k=3)]
        [1.0, 1.0, 4.0, 1.0]
    """
    found = _covering(real, fake, k, [k], strict, device)
    return found.fake_at == 0, found.real_at == 0, found.balls, found.reached_at == 0


def covering(
    real: Points, fake: Points, k_max: int = 50, *, strict: bool = False, device: str | None = None
) -> Covering:  # fmt: skip
    """At which k each point is first covered: column c stands for k = c + 1, column k_max for never. See `prdc`."""
    return _covering(real, fake, k_max, range(1, k_max + 1), strict, device)


def _covering(
    real: Points, fake: Points, k_max: int, ks: list[int] | range, strict: bool, device: str | None
) -> Covering:  # fmt: skip
    x, y = as_pair(real, fake)
    require_neighbours(x, k_max, "real")
    require_neighbours(y, k_max, "generated")
    kept = np.array(ks) - 1
    if x.shape[1] <= plane.MOST_DIMENSIONS:
        x, y = x.astype(np.float64), y.astype(np.float64)
        radii_x, radii_y = (plane.neighbour_squares(points, k_max)[:, kept] for points in (x, y))
        return plane.covering(x, y, radii_x, radii_y, strict)
    here = _device(real, device)
    a, b = to_tensor(x, here), to_tensor(y, here)
    frame = Frame(a, b)
    every = len(kept) > 1
    squares_a, squares_b = (neighbours.neighbour_squares(points, k_max, frame, all_k=every) for points in (a, b))
    return products.covering(a, b, squares_a, squares_b, strict, frame)


def _device(points: Points, device: str | None) -> torch.device:
    if device is not None:
        return torch.device(device)
    if isinstance(points, torch.Tensor):
        return points.device
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _curve(found: Covering, k: np.ndarray) -> PRDCCurve:
    columns = len(found.pairs)

    def share(first: np.ndarray) -> np.ndarray:
        return np.cumsum(np.bincount(first, minlength=columns + 1)[:columns]) / len(first)

    density = np.cumsum(found.pairs) / (k * len(found.fake_at))
    numbered = np.arange(1, columns + 1)
    return PRDCCurve(numbered, share(found.fake_at), share(found.real_at), density, share(found.reached_at))
