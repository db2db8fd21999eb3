"""Solves against bare torchdiffeq, scipy and closed forms; what is recorded; what is refused."""

from __future__ import annotations

import math
import sys

import pytest
import torch
import torchdiffeq
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dgm_core.neural_ode.problems import PROBLEMS, reference
from dgm_core.neural_ode.solve import ADAMS, ADAPTIVE, FIXED, METHODS, BlowUpError, fixed_grid, formula, solve

SPIRAL = PROBLEMS["spiral"].field()
Z0 = PROBLEMS["spiral"].start(5, 0.3)
TIMES = torch.linspace(0, 2, 6, dtype=torch.float64)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("back", [False, True])
def test_states_are_torchdiffeqs(method: str, back: bool) -> None:
    times = TIMES.flip(0) if back else TIMES
    options: dict[str, object] = {"step_size": 0.1} if method in FIXED else {}
    if method in ADAMS:
        options["max_order"] = 4
    with torch.no_grad():
        ours = solve(SPIRAL, Z0, times, method, 0.1, 1e-4, 1e-5)
        if method in ADAPTIVE:
            options["step_t"] = times[-1:]
        theirs = torchdiffeq.odeint(SPIRAL, Z0, times, method=method, rtol=1e-4, atol=1e-5, options=options)
    torch.testing.assert_close(ours.states, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("back", [False, True])
def test_accepted_steps_follow_one_another_from_start_to_end(method: str, back: bool) -> None:
    times = TIMES.flip(0) if back else TIMES
    with torch.no_grad():
        found = solve(SPIRAL, Z0, times, method, 0.3, 1e-4, 1e-5)
    starts, sizes = found.steps.T
    sign = -1 if back else 1
    assert float(starts[0]) == float(times[0])
    assert bool((sign * sizes > 0).all())
    torch.testing.assert_close(starts[:-1] + sizes[:-1], starts[1:], rtol=0, atol=1e-12)
    assert float(starts[-1] + sizes[-1]) == pytest.approx(float(times[-1]), abs=1e-12)
    if method in FIXED:
        assert len(found.rejected) == 0


@pytest.mark.parametrize("method", [method for method in METHODS if method != "implicit_adams"])
def test_evaluations_are_counted_as_a_counter_inside_the_field_counts_them(method: str) -> None:
    asked = 0

    def counting(t: Tensor, z: Tensor) -> Tensor:
        nonlocal asked
        asked += 1
        return torch.sin(4 * t) * z

    found = solve(counting, Z0, TIMES, method, 0.11, 1e-4, 1e-5)
    assert found.nfe == asked == formula(method, len(found.steps), len(found.rejected))


def test_rejected_steps_are_retried_smaller_from_the_same_place() -> None:
    field = PROBLEMS["van-der-pol"].field(10.0)
    with torch.no_grad():
        found = solve(field, PROBLEMS["van-der-pol"].start(), torch.tensor([0.0, 20.0]), "dopri5", None, 1e-4, 1e-6)
    taken = {round(t, 9): h for t, h in found.steps.tolist()}
    assert len(found.rejected) > 0
    for t, h in found.rejected.tolist():
        assert taken[round(t, 9)] < h


def test_the_path_holds_the_state_at_the_start_of_every_step() -> None:
    with torch.no_grad():
        found = solve(SPIRAL, Z0, TIMES, "dopri5", None, 1e-10, 1e-12)
    assert found.path is not None
    exact = SPIRAL.exact(Z0, found.steps[:, 0])
    torch.testing.assert_close(found.path, exact, rtol=0, atol=1e-8)
    assert solve(SPIRAL, Z0, TIMES, "rk4", path=False).path is None


@pytest.mark.parametrize("name", ["lotka-volterra", "van-der-pol", "vortex"])
def test_a_tight_dopri8_is_scipys_reference(name: str) -> None:
    problem = PROBLEMS[name]
    field, z0, times = problem.field(), problem.start(2, 0.1), torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    with torch.no_grad():
        ours = solve(field, z0, times, "dopri8", None, 1e-11, 1e-13).states
    expected = reference(field, z0, times)
    torch.testing.assert_close(ours[-1], expected[-1], rtol=0, atol=1e-9)
    # Between two steps dopri8 has no dense output of its own order.
    torch.testing.assert_close(ours[1], expected[1], rtol=0, atol=1e-4)


def test_cubic_interpolation_lies_on_the_curve_between_grid_points_and_costs_an_evaluation_each() -> None:
    times = torch.tensor([0.0, 0.13, 0.77, 1.0], dtype=torch.float64)
    exact = SPIRAL.exact(Z0, times)
    with torch.no_grad():
        chord = solve(SPIRAL, Z0, times, "rk4", 0.2)
        curve = solve(SPIRAL, Z0, times, "rk4", 0.2, interpolation="cubic")
    assert curve.nfe == chord.nfe + 3
    assert float((curve.states - exact).abs().max()) < 1e-2 < float((chord.states - exact).abs().max())


@settings(max_examples=60, deadline=None)
@given(
    start=st.floats(-5, 5), length=st.floats(0.01, 10), share=st.floats(0.003, 1.5), back=st.booleans()
)  # fmt: skip
def test_a_grid_has_equal_steps_but_a_shorter_last_and_ends_where_it_should(
    start: float, length: float, share: float, back: bool
) -> None:
    end, step = start + (-length if back else length), share * length
    sizes = fixed_grid(start, end, step).diff().abs()
    assert float(sizes.sum()) == pytest.approx(length, rel=1e-9)
    assert bool((sizes[:-1] - step).abs().le(1e-9 * (1 + abs(start))).all())
    assert 0 < float(sizes[-1]) <= step * (1 + 1e-6)


@pytest.mark.parametrize("count", [3, 7, 10, 30, 49, 1000])
def test_a_step_that_divides_the_span_takes_exactly_that_many(count: int) -> None:
    assert len(fixed_grid(0.0, 1.0, 1.0 / count)) == count + 1


def test_gradients_flow_through_the_states() -> None:
    z0 = Z0.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(solve(SPIRAL, z0, TIMES, "dopri5", None, 1e-10, 1e-12).states[-1].sum(), z0)
    flow = torch.linalg.matrix_exp(2.0 * SPIRAL.matrix.detach())
    torch.testing.assert_close(slope, torch.ones_like(z0) @ flow, rtol=0, atol=1e-8)


@pytest.mark.parametrize("method", ["dopri5", "dopri8"])
@pytest.mark.parametrize("start", [0.5, 4.0])
def test_an_adaptive_solver_finds_when_the_solution_explodes(method: str, start: float) -> None:
    z0 = torch.full((1, 1), start, dtype=torch.float64)
    with pytest.raises(BlowUpError, match=r"explodes|left every bound") as caught:
        solve(PROBLEMS["explosion"].field(), z0, torch.tensor([0.0, 3.0]), method, None, 1e-3, 1e-3)
    assert caught.value.time == pytest.approx(1 / start, rel=1e-3)


def test_a_fixed_step_solver_says_after_which_step_nothing_is_finite() -> None:
    with pytest.raises(BlowUpError) as caught:
        solve(
            PROBLEMS["explosion"].field(), torch.ones(1, 1, dtype=torch.float64), torch.tensor([0.0, 3.0]), "rk4", 0.01
        )
    assert 1.0 < caught.value.time < 1.2


def test_too_many_evaluations_end_a_solve(monkeypatch: pytest.MonkeyPatch) -> None:
    # The package's name for the function hides its module's.
    monkeypatch.setattr(sys.modules["dgm_core.neural_ode.solve"], "MAX_NFE", 100)
    with pytest.raises(BlowUpError, match="no further than t = "):
        solve(PROBLEMS["lorenz"].field(), PROBLEMS["lorenz"].start(), torch.tensor([0.0, 50.0]), "dopri5")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": "rk5"}, "no solver named 'rk5'"),
        ({"times": torch.tensor([0.0, 1.0, 0.5])}, "strictly increasing"),
        ({"times": torch.tensor([0.0, 0.0])}, "strictly increasing"),
        ({"times": torch.tensor([0.0])}, "at least two"),
        ({"times": torch.tensor([0.0, math.inf])}, "finite"),
        ({"step": 0.0, "method": "rk4"}, "positive"),
        ({"step": -0.1, "method": "rk4"}, "positive"),
        ({"step": 1e-9, "method": "rk4"}, "larger one"),
        ({"rtol": 0.0}, "relative tolerance"),
        ({"rtol": 1e30}, "relative tolerance"),
        ({"atol": 0.0}, "absolute tolerance"),
        ({"atol": math.nan}, "absolute tolerance"),
        ({"z0": torch.ones(2)}, "N finite points"),
        ({"z0": torch.full((1, 2), math.nan)}, "N finite points"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(change: dict[str, object], words: str) -> None:
    arguments = {"z0": Z0, "times": TIMES, **change}
    with pytest.raises(ValueError, match=words):
        solve(SPIRAL, **arguments)  # type: ignore[arg-type]


def test_adaptive_methods_and_fixed_ones_are_all_of_them() -> None:
    assert sorted((*ADAPTIVE, *FIXED)) == sorted(METHODS)
