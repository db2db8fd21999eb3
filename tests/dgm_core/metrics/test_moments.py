"""Fréchet distance against scipy's matrix square root and closed forms; KID against plain double sums."""

import numpy as np
import pytest
import scipy.linalg

from dgm_core.errors import DataError
from dgm_core.metrics import frechet_distance, kid


def by_square_root(x, y):
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(a @ b).real
    return np.square(x.mean(0) - y.mean(0)).sum() + np.trace(a + b - 2 * root)


@pytest.mark.parametrize("dimensions", [2, 8, 30])
def test_frechet_against_scipy(dimensions):
    random = np.random.default_rng(0)
    mix = random.normal(size=(dimensions, dimensions))
    x, y = random.normal(size=(200, dimensions)), 0.5 + random.normal(size=(150, dimensions)) @ mix
    assert frechet_distance(x, y) == pytest.approx(by_square_root(x, y), rel=1e-9)


def test_frechet_with_fewer_points_than_dimensions():
    """Rank-deficient covariances: the eigenvalues of the Gram matrix give the trace."""
    random = np.random.default_rng(1)
    x, y = random.normal(size=(12, 40)), random.normal(size=(9, 40)) + 1
    a, b = ((p - p.mean(0)) / np.sqrt(len(p) - 1) for p in (x, y))
    cross = a @ b.T
    trace = np.sqrt(np.clip(np.linalg.eigvalsh(cross @ cross.T), 0, None)).sum()
    expected = np.square(x.mean(0) - y.mean(0)).sum() + (a**2).sum() + (b**2).sum() - 2 * trace
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


def test_frechet_closed_forms():
    x = np.random.default_rng(2).normal(size=(100, 5))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-10)
    # A scaled copy: (s − 1)² tr Σ + (s − 1)² ‖μ‖²
    expected = 4 * (np.trace(np.cov(x, rowvar=False)) + np.square(x.mean(0)).sum())
    assert frechet_distance(x, 3 * x) == pytest.approx(expected, rel=1e-10)


def test_kid_against_double_sums():
    random = np.random.default_rng(3)
    x, y = random.normal(size=(14, 3)), 0.4 + random.normal(size=(11, 3))

    def kernel(a, b):
        return (sum(p * q for p, q in zip(a, b, strict=True)) / 3 + 1) ** 3

    def within(points):
        pairs = [kernel(a, b) for i, a in enumerate(points) for j, b in enumerate(points) if i != j]
        return np.mean(pairs)

    expected = within(x) + within(y) - 2 * np.mean([kernel(a, b) for a in x for b in y])
    assert kid(x, y, subsets=0).value == pytest.approx(expected, rel=1e-10)


def test_kid_is_unbiased_and_says_its_error():
    random = np.random.default_rng(4)
    found = np.array(
        [kid(random.normal(size=(60, 4)), random.normal(size=(50, 4)), subsets=0).value for _ in range(80)]
    )
    assert abs(found.mean()) < 4 * found.std(ddof=1) / np.sqrt(len(found))
    x, y = random.normal(size=(400, 4)), 1 + random.normal(size=(400, 4))
    some = kid(x, y, subsets=30, size=100)
    assert abs(some.value - kid(x, y, subsets=0).value) < 5 * some.error


def test_too_few_points():
    for metric in (frechet_distance, kid):
        with pytest.raises(DataError, match="at least two points"):
            metric(np.zeros((1, 2)), np.zeros((5, 2)))
