"""Regression against scipy, and errors, orders and evaluations on problems with closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import linregress

from dgm_core.neural_ode.orders import ORDERS, Work, asymptotic, order, slope, work
from dgm_core.neural_ode.problems import PROBLEMS
from dgm_core.neural_ode.solve import ADAPTIVE

SPIRAL = PROBLEMS["spiral"].field()
Z0 = PROBLEMS["spiral"].start(2, 0.2)
SPAN = 0.5
END = SPIRAL.exact(Z0, torch.tensor([SPAN], dtype=torch.float64))


def test_the_slope_and_its_error_are_scipys() -> None:
    random = np.random.default_rng(0)
    x = random.uniform(0, 5, 20)
    y = 2 - 3 * x + random.standard_normal(20)
    ours, theirs = slope(x.tolist(), y.tolist()), linregress(x, y)
    assert (ours.value, ours.error, ours.intercept) == pytest.approx((theirs.slope, theirs.stderr, theirs.intercept))


@pytest.mark.parametrize("x", [[1.0], [2.0, 2.0]])
def test_no_slope_through_one_place(x: list[float]) -> None:
    with pytest.raises(ValueError, match="two points"):
        slope(x, x)


@pytest.mark.parametrize("method", [method for method in ORDERS if method not in ADAPTIVE])
def test_fixed_step_methods_have_their_order(method: str) -> None:
    """On a linear problem with a closed form; ±0.15, since the largest |λ|h is 1/8."""
    assert END is not None
    line = order(work(SPIRAL, Z0, END[0], SPAN, method, [8, 16, 32, 64, 128, 256]))
    assert line.value == pytest.approx(ORDERS[method], abs=0.15)
    assert line.error < 0.05


@pytest.mark.parametrize("method", ["bosh3", "dopri5", "dopri8"])
def test_adaptive_methods_gain_at_least_their_order_by_evaluations(method: str) -> None:
    """From tolerance 1e-3 to 1e-7 errors fall at least like NFE^−(p − 1); chosen steps make the slope rough."""
    end = SPIRAL.exact(Z0, torch.tensor([4.0], dtype=torch.float64))
    assert end is not None
    found = work(SPIRAL, Z0, end[0], 4.0, method, [1e-3, 1e-4, 1e-5, 1e-6, 1e-7])
    assert order(found, "nfe").value > ORDERS[method] - 1
    assert list(found.nfe) == sorted(found.nfe)


def test_errors_are_the_root_mean_square_over_the_points() -> None:
    """Two Euler steps of ½ on z′ = −z give z0/4."""
    z0 = torch.tensor([[1.0], [3.0]], dtype=torch.float64)
    found = work(PROBLEMS["linear"].field(-1.0), z0, z0 * math.exp(-1), 1.0, "euler", [2])
    assert found.errors[0] == pytest.approx(math.sqrt(5.0) * abs(0.25 - math.exp(-1)), rel=1e-12)
    assert found.scale == pytest.approx(math.sqrt(5.0) * math.exp(-1))


def test_a_solve_that_breaks_off_has_an_infinite_error() -> None:
    one = torch.ones(1, 1, dtype=torch.float64)
    found = work(PROBLEMS["explosion"].field(), one, 100 * one, 1.5, "rk4", [300])
    assert found.errors == (math.inf,)


def test_only_settings_between_rounding_and_the_solutions_size_are_asymptotic() -> None:
    found = Work("rk4", (1, 2, 3, 4), (1, 2, 3, 4), (4, 8, 12, 16), (5.0, 1e-3, 1e-14, 1e-8), 1.0)
    assert asymptotic(found) == [1, 3]
    with pytest.raises(ValueError, match="fewer than three"):
        order(found)
