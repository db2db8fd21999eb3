"""Solvers against torchdiffeq's own, against closed forms, and in their orders of convergence."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
import torchdiffeq
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm_core.nn.solvers import FIXED, METHODS, Counted, Solver, SolverError, State, grid, solve

A = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]], dtype=torch.float64)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def spiral(t: torch.Tensor, state: State) -> State:
    """z' = A z, and beside it a running integral of t."""
    return state[0] @ A.T, t.expand(len(state[0]))


def start(n: int = 5) -> State:
    z = torch.randn(n, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return z, torch.zeros(n, dtype=torch.float64)


def error(solver: Solver, end: float = 1.0) -> float:
    z, _ = start()
    got = solve(Counted(spiral), start(), [0.0, end], solver)[0][-1]
    return float((got - z @ torch.linalg.matrix_exp(A * end).T).abs().max())


@pytest.mark.parametrize("method", FIXED)
@pytest.mark.parametrize("times", [[0.0, 1.0], [1.0, 0.0], [0.3, 0.85]])
def test_fixed_steps_are_torchdiffeqs_to_rounding(method: str, times: list[float]) -> None:
    """Same grid handed to torchdiffeq step by step; agreement to 1e-14 on values of order 1."""
    mine = solve(Counted(spiral), start(), times, Solver(method=method, steps=7))
    knots = torch.tensor(grid(times[0], times[-1], 7), dtype=torch.float64)
    theirs = torchdiffeq.odeint(spiral, start(), knots, method=method)
    for got, expected in zip(mine, theirs, strict=True):
        assert torch.allclose(got[-1], expected[-1], rtol=0, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_spiral(method: str) -> None:
    """Against the matrix exponential; 200 steps or tolerance 1e-7. Euler's error is of order 1/200.

    torchdiffeq's dopri8 steps past the end and interpolates back, which costs it most of its order.
    """
    allowed = {"euler": 5e-2, "midpoint": 2e-4, "explicit_adams": 2e-5, "dopri8": 5e-5}.get(method, 5e-6)
    assert error(Solver(method=method, steps=200, tolerance=1e-7)) < allowed


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("rk4", 4)])
def test_order_of_convergence(method: str, order: int) -> None:
    """Halving the step divides the error by 2^order, within 0.15 in the exponent."""
    coarse, fine = (error(Solver(method=method, steps=n)) for n in (40, 80))
    assert math.log2(coarse / fine) == pytest.approx(order, abs=0.15)


def test_explicit_adams_gets_better_with_smaller_steps() -> None:
    """torchdiffeq's default order diverges on this very problem."""
    errors = [error(Solver(method="explicit_adams", steps=n), end=10.0) for n in (20, 40, 80)]
    assert errors[0] < 1
    assert errors[2] < errors[1] / 4 < errors[0] / 16


@pytest.mark.parametrize(("method", "per_step"), [("euler", 1), ("midpoint", 2), ("rk4", 4)])
def test_evaluations_are_counted(method: str, per_step: int) -> None:
    dynamics = Counted(spiral)
    solve(dynamics, start(), [0.0, 1.0], Solver(method=method, steps=9))
    assert dynamics.nfe == 9 * per_step


@settings(max_examples=30, deadline=None)
@given(
    inner=st.lists(st.floats(0.01, 0.99), max_size=4, unique_by=lambda t: round(t, 3)),
    method=st.sampled_from(FIXED),
    steps=st.integers(1, 12),
    reverse=st.booleans(),
)
def test_a_time_does_not_depend_on_the_others(inner: list[float], method: str, steps: int, reverse: bool) -> None:
    """Each time asked for among others equals the same time asked for alone, to rounding."""
    times = sorted([0.0, *inner, 1.0], reverse=reverse)
    solver = Solver(method=method, steps=steps)
    together = solve(Counted(spiral), start(), times, solver)[0]
    for index, time in enumerate(times[1:], 1):
        alone = solve(Counted(spiral), start(), [times[0], time], solver)[0][-1]
        assert torch.allclose(together[index], alone, rtol=0, atol=1e-12)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 50))
def test_grid_steps_evenly_and_ends_where_it_should(a: float, b: float, steps: int) -> None:
    if abs(a - b) < 1e-3:
        return
    knots = grid(a, b, steps)
    assert knots[0] == a
    assert knots[-1] == b
    assert all(0 < (y - x) * (1 if b > a else -1) <= 1 / steps + 1e-5 for x, y in pairwise(knots))


@pytest.mark.parametrize("times", [[0.0, 0.0], [0.0, 0.5, 0.4]])
def test_times_must_be_monotone(times: list[float]) -> None:
    with pytest.raises(ValueError, match="strictly"):
        solve(Counted(spiral), start(), times, Solver())


def test_one_time_is_the_start() -> None:
    assert torch.equal(solve(Counted(spiral), start(), [0.4], Solver())[0][0], start()[0])


@pytest.mark.parametrize("method", ["dopri5", "dopri8"])
def test_a_field_that_blows_up_is_one_sentence(method: str) -> None:
    """z' = z² leaves every bound at t = 1/z(0) = 1/2."""
    one = (torch.full((1, 1), 2.0, dtype=torch.float64),)
    with pytest.raises(SolverError, match=r"step size underflowed|infinite or NaN|more than"):
        solve(Counted(lambda t, y: (y[0] ** 2,)), one, [0.0, 1.0], Solver(method=method))


@pytest.mark.parametrize("method", METHODS)
def test_the_adjoint_gives_the_gradient(method: str) -> None:
    """d/dk of Σ y(1) for y' = −k y is −Σ y(0) e^{−k}; 64 steps or tolerance 1e-7, relative 2e-2 for Euler."""
    rate = torch.nn.Parameter(torch.tensor(0.7, dtype=torch.float64))
    y = torch.ones(3, 1, dtype=torch.float64)
    solver = Solver(method=method, steps=64, tolerance=1e-7)
    end = solve(Counted(lambda t, s: (-rate * s[0],)), (y,), [0.0, 1.0], solver, [rate])[0][-1]
    gradient = torch.autograd.grad(end.sum(), rate)[0]
    allowed = {"euler": 2e-2, "midpoint": 1e-4}.get(method, 1e-5)
    assert float(gradient) == pytest.approx(-3 * math.exp(-0.7), rel=allowed)
