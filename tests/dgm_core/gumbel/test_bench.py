"""Objectives, the estimator bench and the race against hand sums, scipy and what is known of each estimator."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from dgm_core.gumbel import ESTIMATORS, weights_to_logits
from dgm_core.gumbel.bench import measure, measure_all, sweep
from dgm_core.gumbel.objectives import OBJECTIVES, ObjectiveName, exact_gradient, expected_value, objective
from dgm_core.gumbel.race import race

DOUBLE = torch.float64
LOGITS = torch.tensor([0.5, -1.0, 0.3, 1.2, 0.0])


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("categories", [2, 3, 20])
def test_objectives_have_unit_spread_over_the_corners(name: ObjectiveName, categories: int) -> None:
    values = objective(name, categories, seed=3)(torch.eye(categories, dtype=DOUBLE)).numpy()
    assert values.mean() == pytest.approx(0, abs=1e-12)
    assert values.std() == pytest.approx(1, abs=1e-12)
    assert float(objective(name, 1)(torch.ones(1))) == pytest.approx(0, abs=1e-6)


def test_objectives_are_of_their_degree() -> None:
    """Third differences along a line vanish for a quadratic, second ones for a linear f, none for a network."""
    ends = torch.softmax(torch.randn(2, 6, generator=torch.Generator().manual_seed(1), dtype=DOUBLE), -1)
    line = ends[0] + torch.linspace(0, 1, 6, dtype=DOUBLE).unsqueeze(1) * (ends[1] - ends[0])
    second, third = {}, {}
    for name in OBJECTIVES:
        values = objective(name, 6)(line).numpy()
        second[name], third[name] = np.abs(np.diff(values, 2)).max(), np.abs(np.diff(values, 3)).max()
    assert second["linear"] < 1e-12 < 1e-4 < second["quadratic"]
    assert third["quadratic"] < 1e-12 < 1e-7 < third["network"]


def test_objectives_are_the_same_in_both_precisions_and_for_any_shape() -> None:
    z = torch.rand(4, 3, 7, generator=torch.Generator().manual_seed(0))
    for name in OBJECTIVES:
        f = objective(name, 7, seed=2)
        assert f(z).shape == (4, 3)
        assert f(z).dtype == torch.float32
        assert torch.allclose(f(z).double(), f(z.double()), atol=1e-4)
        assert not torch.allclose(f(z), objective(name, 7, seed=3)(z))
    with pytest.raises(ValueError, match="no objective"):
        objective("cubic", 3)  # type: ignore[arg-type]


def test_exact_gradient_of_one_latent_is_its_formula() -> None:
    """π_k (f_k − Σ π_j f_j), by numpy; 1e-12."""
    f = objective("network", 5)
    pi = np.exp(LOGITS.double().numpy()) / np.exp(LOGITS.double().numpy()).sum()
    values = f(torch.eye(5, dtype=DOUBLE)).numpy()
    assert np.allclose(exact_gradient(f, LOGITS).numpy(), pi * (values - pi @ values), atol=1e-12)


def test_exact_gradient_of_several_latents_by_finite_differences() -> None:
    """Three latents of three categories; central differences of a sum written with a loop; 1e-7."""

    def f(z: Tensor) -> Tensor:
        return torch.sin(z.flatten(1) @ torch.arange(9.0, dtype=DOUBLE)) * z[:, 0, 0] + z[:, 2, 1]

    logits = torch.randn(3, 3, generator=torch.Generator().manual_seed(2), dtype=DOUBLE)

    def mean(at: np.ndarray) -> float:
        pi = np.exp(at) / np.exp(at).sum(1, keepdims=True)
        total = 0.0
        for state in itertools.product(range(3), repeat=3):
            corner = torch.eye(3, dtype=DOUBLE)[list(state)].unsqueeze(0)
            total += pi[0, state[0]] * pi[1, state[1]] * pi[2, state[2]] * float(f(corner))
        return total

    found = exact_gradient(f, logits).numpy()
    for n, k in itertools.product(range(3), range(3)):
        step = np.zeros((3, 3))
        step[n, k] = 1e-5
        expected = (mean(logits.numpy() + step) - mean(logits.numpy() - step)) / 2e-5
        assert found[n, k] == pytest.approx(expected, abs=1e-7)
    assert float(expected_value(f, logits)) == pytest.approx(mean(logits.numpy()), abs=1e-12)


def test_too_many_states_are_refused() -> None:
    with pytest.raises(ValueError, match="too many to enumerate"):
        exact_gradient(lambda z: z.sum((1, 2)), torch.zeros(6, 10))


def test_all_estimators_are_measured_in_their_order() -> None:
    found = measure_all(objective("network", 5), LOGITS, 0.7, samples=500)
    assert [each.name for each in found] == list(ESTIMATORS)
    for each in found:
        assert each.samples == 500
        assert each.mean.shape == each.exact.shape == (5,)
        assert each.evaluations == ESTIMATORS[each.name].evaluations
        assert math.isfinite(each.bias + each.std)
        assert each.seconds_per_sample > 0
        assert each.bias_error == pytest.approx(each.std / math.sqrt(500))
        assert each.bias == pytest.approx(np.linalg.norm(each.mean - each.exact) / np.linalg.norm(each.exact))


@pytest.mark.parametrize("kind", OBJECTIVES)
@pytest.mark.parametrize("categories", [2, 10])
def test_unbiased_estimators_show_no_bias(kind: ObjectiveName, categories: int) -> None:
    """|mean − exact|² is a sum of K squares with mean std²/S: below (3 standard deviations of chance)², 10,000 samples.

    The bound: bias ≤ 3 bias_error, where E bias² = bias_error² and few components carry it.
    """
    logits = torch.randn(categories, generator=torch.Generator().manual_seed(5))
    for each in measure_all(objective(kind, categories, seed=1), logits, 0.5):
        if ESTIMATORS[each.name].unbiased:
            assert each.bias <= 3 * each.bias_error, each.name


def test_the_standard_deviation_of_reinforce_is_its_closed_form() -> None:
    """E‖f(z)(e_z − π)‖² − ‖exact‖² summed over categories; 5 % at 40,000 samples."""
    f = objective("quadratic", 5, seed=4)
    found = measure("reinforce", f, LOGITS, 1.0, samples=40_000)
    pi, corners = torch.softmax(LOGITS.double(), -1), torch.eye(5, dtype=DOUBLE)
    squares = float((pi * f(corners).square() * (corners - pi).square().sum(-1)).sum())
    exact = exact_gradient(f, LOGITS)
    expected = math.sqrt(squares - float(exact.square().sum())) / float(exact.norm())
    assert found.std == pytest.approx(expected, rel=0.05)


def test_known_exact_cases() -> None:
    """Straight-through for a linear f has no bias and no variance; ReinMax for a quadratic one no bias."""
    straight = measure("straight-through", objective("linear", 5), LOGITS.double(), 1.0, samples=200)
    assert straight.bias < 1e-12
    assert straight.std < 1e-12
    heun = measure("reinmax", objective("quadratic", 5), LOGITS, 1.0)
    assert heun.bias <= 3 * heun.bias_error
    assert measure("straight-through", objective("quadratic", 5), LOGITS, 1.0).bias > 10 * heun.bias_error


def test_warming_trades_variance_for_bias() -> None:
    """Gumbel-Softmax over τ = 0.1, 0.5, 2: the deviation falls, the bias rises well above its error."""
    names = ["reinforce", "gumbel-softmax"]
    trail = sweep(objective("network", 10), torch.zeros(10), [0.1, 0.5, 2.0], samples=40_000, names=names)
    own = trail["gumbel-softmax"]
    assert [each.tau for each in own] == [0.1, 0.5, 2.0]
    assert own[0].std > own[1].std > own[2].std
    assert own[2].bias > own[0].bias + 5 * own[0].bias_error
    assert own[2].bias > own[1].bias + 5 * own[1].bias_error
    assert len(trail["reinforce"]) == 1
    assert list(trail) == names
    assert list(sweep(objective("linear", 3), torch.zeros(3), [0.5], samples=20)) == list(ESTIMATORS)


def test_leave_one_out_beats_reinforce_and_gumbel_rao_beats_straight_through() -> None:
    found = {each.name: each for each in measure_all(objective("network", 10), torch.zeros(10), 0.3)}
    assert found["leave-one-out"].std < found["reinforce"].std
    assert found["gumbel-rao"].std < 0.6 * found["st-gumbel-softmax"].std


def test_the_same_seed_gives_the_same_marks() -> None:
    f = objective("network", 5)
    first, again = (measure_all(f, LOGITS, 0.5, samples=100, seed=9) for _ in range(2))
    assert [(a.bias, a.std) for a in first] == [(b.bias, b.std) for b in again]


def test_degenerate_weights_are_measured_without_fuss() -> None:
    """A single category has gradient 0: no bias, no spread. A category of weight 0 gets none."""
    for each in measure_all(objective("network", 1), torch.zeros(1), 0.5, samples=50):
        assert (each.bias, each.std) == (0.0, 0.0), each.name
    for each in measure_all(objective("network", 3), weights_to_logits([0.3, 0.0, 0.7]), 0.5, samples=2_000):
        assert each.mean[1] == 0
        assert math.isfinite(each.bias + each.std), each.name


@pytest.mark.parametrize("tau", [0.0, -1.0, math.nan])
def test_the_bench_needs_a_temperature(tau: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        measure("reinforce", objective("linear", 5), LOGITS, tau)
    with pytest.raises(ValueError, match="above 0"):
        race(objective("linear", 5), LOGITS, tau)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="no estimator 'magic'"):
        measure("magic", objective("linear", 5), LOGITS, 1.0)
    with pytest.raises(ValueError, match="no estimator 'magic'"):
        race(objective("linear", 5), LOGITS, 1.0, names=["magic"])
    with pytest.raises(ValueError, match="one step and two seeds"):
        race(objective("linear", 5), LOGITS, 1.0, seeds=1)


def test_race_of_an_exact_estimator_is_exact_descent() -> None:
    """Straight-through on a linear f has the exact gradient: the curve is gradient descent by numpy; 1e-5."""
    f = objective("linear", 5, seed=2)
    values = f(torch.eye(5, dtype=DOUBLE)).numpy()
    logits, expected = LOGITS.double().numpy().copy(), []
    for _ in range(41):
        pi = np.exp(logits - logits.max())
        pi /= pi.sum()
        expected.append(pi @ values)
        logits -= 0.5 * pi * (values - pi @ values)
    found = race(f, LOGITS, 1.0, steps=40, seeds=3, rate=0.5, names=["straight-through"])
    assert np.allclose(found.value[0], expected, atol=1e-5)
    assert np.allclose(found.error, 0, atol=1e-6)
    assert found.best == pytest.approx(values.min())


def test_race_curves_start_together_and_count_evaluations() -> None:
    f = objective("network", 5)
    found = race(f, LOGITS, 0.5, steps=20, seeds=4)
    assert found.names == tuple(ESTIMATORS)
    assert found.value.shape == found.error.shape == found.evaluations.shape == (len(ESTIMATORS), 21)
    assert np.allclose(found.value[:, 0], float(expected_value(f, LOGITS)), atol=1e-6)
    assert found.start == pytest.approx(found.value[0, 0])
    assert (found.value >= found.best - 1e-9).all()
    for name, cost in zip(found.names, found.evaluations, strict=True):
        assert cost.tolist() == [ESTIMATORS[name].evaluations * step for step in range(21)]


def test_every_estimator_descends_an_easy_problem() -> None:
    """A linear f with one category far below the rest: all seeds of all estimators arrive within 300 steps."""
    values = torch.tensor([0.0, 0.2, 0.1, -2.0, 0.3])
    found = race(lambda z: z @ values.to(z), torch.zeros(5), 0.5, rate=0.5)
    assert (found.arrived == 1).all()
    assert (found.value[:, -1] < -1.9).all()


def test_race_leaves_out_what_cannot_be_drawn() -> None:
    values = torch.tensor([0.0, -5.0, -1.0])
    found = race(lambda z: z @ values.to(z), weights_to_logits([1, 0, 1]), 0.5, rate=0.5, steps=200)
    assert np.isfinite(found.value).all()
    assert found.best == -1
    assert (found.value >= -1 - 1e-9).all()
    assert (found.arrived == 1).all()


def test_race_errors_are_those_of_the_seeds() -> None:
    """REINFORCE twice with other seeds: the end values differ by what their standard errors allow (t, p above 1e-3)."""
    f = objective("network", 6, seed=1)
    runs = [race(f, torch.zeros(6), 1.0, steps=60, seeds=64, seed=seed, names=["reinforce"]) for seed in (0, 1)]
    gap = runs[0].value[0, -1] - runs[1].value[0, -1]
    error = math.hypot(runs[0].error[0, -1], runs[1].error[0, -1])
    assert error > 0
    assert stats.norm.sf(abs(gap) / error) * 2 > 1e-3
