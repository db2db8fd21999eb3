"""A field fitted to a series: the loss against one solve an observation, the fit against fields that are known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import dgm_core.neural_ode.experiment
from dgm_core.data.series import Series
from dgm_core.neural_ode.baseline import linear_fit, linear_flow
from dgm_core.neural_ode.experiment import NeuralODE
from dgm_core.neural_ode.fitting import Fit, errors, evaluations, fit_of, window
from dgm_core.neural_ode.learning_checks import fit_checks
from dgm_core.neural_ode.series import UNITS, FitData, joined, known_data, root_mean_square, split
from dgm_core.neural_ode.shooting import FittedODE, Shooting
from dgm_core.neural_ode.spiral import ROTATION, SYSTEMS, observe, solution
from dgm_core.pack import pack

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def fitted(data: FitData, segments: int = 4, hidden: int = 0, seed: int = 0) -> FittedODE:
    """Untrained, in float64, its segments anywhere."""
    generator = torch.Generator().manual_seed(seed)
    variables = data.seen.values.shape[1]
    model = FittedODE(variables, hidden, segments, data.scale, width=8, depth=1, generator=generator).double()
    with torch.no_grad():
        model.starts.copy_(torch.randn(segments, variables + hidden, generator=generator))
    return model


# What is observed


def test_the_linear_spiral_is_its_matrix_exponential() -> None:
    times = np.linspace(0, 12, 40)
    expected = np.stack([expm(ROTATION * t) @ SYSTEMS["spiral"].start for t in times])
    np.testing.assert_allclose(solution("spiral", times), expected, rtol=0, atol=1e-8)


def test_predator_and_prey_keep_their_invariant() -> None:
    x, y = solution("lotka-volterra", np.linspace(0, 28, 200)).T
    invariant = x - np.log(x) + 4 / 3 * y - 2 / 3 * np.log(y)
    assert np.ptp(invariant) < 1e-8


def test_the_cubic_spiral_solves_its_equation() -> None:
    times, h = np.linspace(0.5, 11.5, 50), 1e-4
    slope = (solution("cubic", times + h) - solution("cubic", times - h)) / (2 * h)
    np.testing.assert_allclose(slope, solution("cubic", times) ** 3 @ ROTATION.T, rtol=0, atol=1e-4)


def test_noise_and_gaps_are_as_declared() -> None:
    """2,000 × 2 values: the noise's deviation within 4 standard errors σ/√(2M), the gaps' share within 4 as well."""
    series = observe("spiral", 2_000, noise=0.2, gaps=0.3, seed=1)
    clean = solution("spiral", series.times)
    residual = ((series.values - clean) / clean.std(axis=0))[series.observed]
    assert abs(residual.std() - 0.2) < 4 * 0.2 / np.sqrt(2 * len(residual))
    assert abs(series.observed.mean() - 0.7) < 4 * np.sqrt(0.3 * 0.7 / 4_000)
    again = observe("spiral", 2_000, noise=0.2, gaps=0.3, seed=1)
    np.testing.assert_array_equal(series.table(), again.table())


@given(st.integers(2, 200), st.floats(0, 0.5), st.floats(0, 0.9), st.integers(0, 1_000))
@settings(max_examples=60, deadline=None)
def test_a_split_keeps_every_row_once_and_enough_of_each_variable(n: int, back: float, gaps: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, 2))
    values[random.uniform(size=(n, 2)) < gaps] = np.nan
    values[:2] = [[0.0, 1.0], [1.0, 0.0]]
    series = Series(np.arange(n, dtype=float), values)
    data = split(series, back)
    times = np.concatenate([part.times for part in (data.seen, data.inside, data.beyond)])
    np.testing.assert_array_equal(np.sort(times), series.times)
    assert (data.seen.observed.sum(axis=0) >= 2).all()
    if len(data.beyond.times):
        assert data.beyond.times[0] > data.seen.times[-1]
    if len(data.inside.times):
        assert data.seen.times[0] < data.inside.times[0]
        assert data.inside.times[-1] < data.seen.times[-1]


# The loss


@pytest.mark.parametrize(("segments", "hidden"), [(1, 0), (4, 0), (5, 1)])
def test_the_loss_is_one_solve_for_each_observed_value(segments: int, hidden: int) -> None:
    """Each value by scipy's own solve from its segment's start: 32 steps a unit leave 1e-6."""
    data = known_data("cubic", 30, noise=0.1, gaps=0.4, seed=3)
    model = fitted(data, segments, hidden)
    length = UNITS / segments
    scale, field = data.scale, model.field

    def slope(t: float, z: np.ndarray) -> np.ndarray:
        return field(t, torch.from_numpy(z).unsqueeze(0))[0].detach().numpy()

    def end(k: int, s: float) -> np.ndarray:
        start = model.starts[k].detach().numpy()
        return solve_ivp(slope, (0, max(s, 1e-12)), start, method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1]

    squares = []
    for t, row in zip(data.seen.times, data.seen.values, strict=True):
        s = float(scale.moments(t))
        k = min(int(s / length), segments - 1)
        z = end(k, s - k * length)
        squares += [(z[d] - scale.values(row)[d]) ** 2 for d in range(2) if np.isfinite(row[d])]
    gaps = [(end(k, length) - model.starts[k + 1].detach().numpy()) ** 2 for k in range(segments - 1)]
    misfit, gap = Shooting(model, data.seen, steps=32).parts()
    assert misfit.item() == pytest.approx(np.mean(squares), rel=1e-5)
    assert gap.item() == pytest.approx(np.mean(gaps) if gaps else 0.0, rel=1e-5, abs=1e-12)


def test_a_gap_tells_the_loss_nothing_and_gives_no_gradient() -> None:
    data = known_data("spiral", 40, noise=0.1, gaps=0.3, seed=0)
    model = fitted(data)
    masked, _ = Shooting(model, data.seen).parts()
    # The rows with a gap taken apart: each variable's present values alone, as two series of one variable each.
    total, count = 0.0, 0
    for d in range(2):
        only = np.full_like(data.seen.values, np.nan)
        only[:, d] = data.seen.values[:, d]
        present = np.isfinite(only[:, d])
        part, _ = Shooting(model, Series(data.seen.times[present], only[present])).parts()
        total, count = total + float(part.detach()) * present.sum(), count + int(present.sum())
    assert float(masked.detach()) == pytest.approx(total / count, rel=1e-12)
    blank = Series(data.seen.times, np.where(np.arange(2) == 0, data.seen.values, np.nan))
    loss = Shooting(model, blank).parts()[0]
    (gradient,) = torch.autograd.grad(loss, model.field.biases[-1])
    assert bool(torch.isfinite(gradient).all())


@given(st.permutations(range(25)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_rows_does_not_matter(order: list[int]) -> None:
    data = known_data("spiral", 25, noise=0.1, gaps=0.2, seed=0)
    model = fitted(data)
    mixed = Series(data.seen.times[order], data.seen.values[order])
    one, other = (Shooting(model, series).parts()[0] for series in (data.seen, mixed))
    assert float(one.detach()) == pytest.approx(float(other.detach()), rel=1e-12)


def test_units_come_back() -> None:
    data = known_data("lotka-volterra", 50, noise=0.1, gaps=0.2, seed=0)
    model, scale = fitted(data), data.scale
    x = np.random.default_rng(0).normal(size=(5, 2))
    np.testing.assert_allclose(scale.back(scale.values(x)), x, atol=1e-12)
    h, t0 = 1e-4, scale.start
    start = scale.back(model.starts[:1].detach().numpy())
    slope = (model.predict(np.array([t0 + h]), 256) - model.predict(np.array([t0]), 256)) / h
    np.testing.assert_allclose(slope, model.velocity(start), rtol=2e-3)


# The fit


def test_the_linear_fit_finds_a_linear_field_again() -> None:
    """Without noise, to rounding: A in units of the fit is A times a unit, since both variables have one scale each."""
    data = known_data("spiral", 60, noise=0.0, gaps=0.2, seed=0)
    fit, scale = linear_fit(data), data.scale
    back = fit.matrix * scale.size[:, None] / scale.size[None, :] / scale.unit
    np.testing.assert_allclose(back, ROTATION, atol=1e-6)
    assert errors(fit, data)["beyond"] < 1e-6


@given(st.integers(0, 1_000), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_linear_flows_are_matrix_exponentials(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    matrix, offset, start = random.normal(size=(n, n)), random.normal(size=n), random.normal(size=n)
    whole = np.zeros((n + 1, n + 1))
    whole[:n, :n], whole[:n, n] = matrix, offset
    expected = [(expm(whole * s) @ np.append(start, 1.0))[:n] for s in (0.0, 0.5, 1.5)]
    np.testing.assert_allclose(linear_flow(matrix, offset, start, np.array([0.0, 0.5, 1.5])), expected, atol=1e-6)


def test_a_neural_field_learns_a_linear_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spiral, 200 clean observations, 600 steps: f within 10 % of A x along the curve, on the root mean square."""
    monkeypatch.setattr(dgm_core.neural_ode.experiment, "schedule", lambda steps, frames: [1, steps])
    experiment = NeuralODE(system="spiral", observations=200, noise=0.0, gaps=0.0, steps=600, decay=1e-7)
    model = experiment.build()
    last = list(experiment.train(model, CPU))[-1].metrics
    x = solution("spiral", np.linspace(0.2, 5.8, 100))
    found, expected = model.velocity(x), x @ ROTATION.T
    assert np.linalg.norm(found - expected) < 0.1 * np.linalg.norm(expected)
    assert last["inside"] < 0.03
    assert last["linear_inside"] < 1e-5
    measured = errors(model, experiment.fit_data())
    assert measured["inside"] == pytest.approx(last["inside"], rel=1e-3)


def test_a_single_variable_that_oscillates_needs_a_hidden_dimension(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """cos t over two periods: in one dimension no solution turns back, so the best constant's error, 1, remains."""
    from dgm_core.data import shelf

    monkeypatch.setenv("DGM_HOME", str(tmp_path))
    monkeypatch.setattr(dgm_core.neural_ode.experiment, "schedule", lambda steps, frames: [1, steps])
    t = np.linspace(0, 4 * np.pi, 80)
    key = shelf.put(np.column_stack([t, np.cos(t)]), "series")
    found = []
    for hidden in (0, 1):
        experiment = NeuralODE(system="own", data=key, hidden=hidden, steps=200, held_back=0.0)
        found.append(errors(experiment.fit(device="cpu"), experiment.fit_data())["inside"])
    assert found[0] > 0.5
    assert found[1] < 0.2


def test_what_is_joined_starts_where_the_data_are() -> None:
    t = np.linspace(0, 4 * np.pi, 400)
    data = split(Series(t, np.sin(t)[:, None]), 0.0)
    curve = joined(data, hidden=1)
    s = data.scale.start + np.arange(len(curve)) * data.scale.unit / 16
    np.testing.assert_allclose(data.scale.back(curve[8:-8, :1])[:, 0], np.sin(s[8:-8]), atol=0.05)
    phase = np.corrcoef(curve[8:-8, 1], np.cos(s[8:-8]))[0, 1]
    assert phase > 0.99


def test_a_fit_is_whole_and_comes_back_from_its_bytes() -> None:
    data = known_data("cubic", 40, noise=0.1, gaps=0.2, seed=0)
    fit = fit_of(fitted(data).float(), data)
    again = Fit.from_bytes(fit.to_bytes())
    assert again.errors == fit.errors
    assert set(fit.errors) == {"inside", "beyond", "linear_inside", "linear_beyond"}
    np.testing.assert_array_equal(again.curve, fit.curve)
    assert fit.times[-1] == SYSTEMS["cubic"].horizon
    left, right, bottom, top = window(data)
    x, y = data.seen.values.T
    assert left < np.nanmin(x) < np.nanmax(x) < right
    assert bottom < np.nanmin(y) < np.nanmax(y) < top
    with pytest.raises(ValueError, match="no fit"):
        Fit.from_bytes(pack({}, {}))


def test_one_variable_alone_has_no_plane() -> None:
    series = Series(np.arange(30.0), np.sin(np.arange(30.0))[:, None])
    data = split(series, 0.2)
    fit = fit_of(fitted(data, hidden=1).float(), data)
    assert (fit.curve.shape, fit.arrows.shape) == ((400, 1), (0, 0, 1))


def test_errors_count_observed_values_only() -> None:
    expected = np.array([[1.0, np.nan], [np.nan, 4.0]])
    found = root_mean_square(np.array([[2.0, 9.0], [9.0, 1.0]]), expected, np.array([1.0, 3.0]))
    assert found == pytest.approx(1.0)
    assert np.isnan(root_mean_square(np.zeros((1, 1)), np.array([[np.nan]]), np.ones(1)))


def test_checks_fail_where_the_fit_is_bad() -> None:
    data = known_data("spiral", 80, noise=0.1, gaps=0.2, seed=0)
    bad = {check.name: check.passed for check in fit_checks(fitted(data), data, 0.1)}
    assert not bad["gaps between segments, root mean square"]
    assert not bad["misfit against the noise"]
    assert evaluations(fitted(data)) > 0


@pytest.mark.parametrize(("rows", "variables", "settings_"), [
    (2, 1, {}), (3, 8, {"hidden": 3}), (20, 1, {"held_back": 0.0}), (60, 2, {"segments": 64}), (30, 2, {"segments": 1}),
])  # fmt: skip
def test_every_series_that_is_read_can_be_fitted(
    rows: int, variables: int, settings_: dict, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dgm_core.data import shelf

    monkeypatch.setenv("DGM_HOME", str(tmp_path))
    monkeypatch.setattr(dgm_core.neural_ode.experiment, "schedule", lambda steps, frames: [1, steps])
    random = np.random.default_rng(0)
    values = random.normal(size=(rows, variables))
    values[2:][random.uniform(size=(rows - 2, variables)) < 0.3] = np.nan
    times = 1e9 + np.cumsum(random.exponential(size=rows))
    key = shelf.put(np.column_stack([times, values]), "series")
    experiment = NeuralODE(system="own", data=key, steps=10, **settings_)
    model = experiment.build()
    last = list(experiment.train(model, CPU))[-1]
    assert all(np.isfinite(value) for value in last.metrics.values())
    fit = Fit.from_bytes(dict(experiment.artifacts(model, CPU))["fit"])
    assert np.isfinite(fit.curve).all()
    assert fit.curve.shape == fit.linear.shape == (400, variables)
