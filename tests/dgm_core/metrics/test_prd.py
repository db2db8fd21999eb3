"""The PRD curve against its definition: linear programs over the splits of two histograms."""

import numpy as np
import pytest
from scipy.optimize import linprog

from dgm_core.errors import DataError
from dgm_core.metrics import prd_curve
from dgm_core.metrics.prd import prd_of_histograms


def best_precision(p, q, slope):
    """The largest α with α μ ≤ q and (α / slope) μ ≤ p for some law μ: definition 1 with β = α / slope."""
    # Unknown: the measure m = α μ ≥ 0; maximise its mass.
    solved = linprog(-np.ones(len(p)), bounds=[(0, min(a * slope, b)) for a, b in zip(p, q, strict=True)])
    return -solved.fun


def test_against_linear_programs():
    random = np.random.default_rng(0)
    p, q = random.dirichlet(np.ones(6)), random.dirichlet(np.ones(6))
    curve = prd_of_histograms(p, q, angles=7)
    for slope, found in zip(np.tan(np.linspace(1e-10, np.pi / 2 - 1e-10, 7)), curve.precision, strict=True):
        assert found == pytest.approx(best_precision(p, q, slope), abs=1e-9)
    np.testing.assert_allclose(curve.recall[1:-1], curve.precision[1:-1] / np.tan(np.linspace(0, np.pi / 2, 7)[1:-1]))


def test_ends_are_the_shares_of_common_support():
    curve = prd_of_histograms(np.array([0.5, 0.3, 0.2, 0.0]), np.array([0.2, 0.2, 0.0, 0.6]))
    assert curve.precision.max() == pytest.approx(0.4)  # mass of q on the support of p
    assert curve.recall.max() == pytest.approx(0.8, abs=1e-6)


def test_of_points():
    random = np.random.default_rng(1)
    centres = np.array([[0, 0], [20, 0], [0, 20], [20, 20]], float)
    real = centres[random.integers(0, 4, 800)] + random.normal(size=(800, 2))
    fake = centres[random.integers(0, 2, 800)] + random.normal(size=(800, 2))  # two of four modes
    curve = prd_curve(real, fake, clusters=4, runs=3)
    share = np.mean(real[:, 1] < 10)
    assert curve.precision.max() == pytest.approx(1, abs=1e-9)
    assert curve.recall.max() == pytest.approx(share, abs=1e-6)
    assert curve.f_beta(8) < curve.f_beta(1 / 8)


def test_same_seed_same_curve():
    random = np.random.default_rng(2)
    x, y = random.normal(size=(200, 3)), random.normal(size=(200, 3))
    first, second = (prd_curve(x, y, runs=2, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.precision, second.precision)


def test_too_many_clusters():
    with pytest.raises(DataError, match="clusters"):
        prd_curve(np.zeros((5, 2)), np.zeros((5, 2)), clusters=40)
