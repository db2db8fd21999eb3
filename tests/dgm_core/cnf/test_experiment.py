"""DensityFlow: one meaning, one key; training reports, stops, fails and resumes as promised."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor

from dgm_core.cnf import likelihood
from dgm_core.cnf.experiment import HELD_OUT, DensityFlow
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.cnf.preview import EXACT, Snapshot, log_density, push
from dgm_core.data.densities import TARGETS
from dgm_core.experiment import Control, Progress, TrainingFailedError
from dgm_core.nn.solvers import Solver
from dgm_core.training import loop as training
from dgm_core.training.averaged_adam import flatten_parameters
from dgm_core.training.loop import schedule

CPU = torch.device("cpu")
SMALL: tuple[dict[str, Any], ...] = (
    {"width": 16, "depth": 2},
    {"model": "planar-cnf", "units": 16},
    {"width": 16, "depth": 2, "objective": "likelihood", "solver_steps": 2},
    {"width": 16, "depth": 2, "objective": "likelihood", "trace": "rademacher", "solver": "midpoint"},
    {"width": 16, "depth": 2, "objective": "likelihood", "gradient": "adjoint", "solver_steps": 2},
    {"width": 16, "depth": 2, "objective": "likelihood", "solver": "dopri5", "tolerance": 1e-2},
    {"model": "planar", "layers": 4},
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def small(**values: Any) -> DensityFlow:
    return DensityFlow(**{"batch": 64, "steps": 30, "width": 16, "depth": 2, **values})


def run(experiment: DensityFlow, resume: Mapping[str, Tensor] | None = None) -> tuple[torch.nn.Module, list[Progress]]:
    model = experiment.build()
    return model, list(experiment.train(model, CPU, resume))


# The declaration


@pytest.mark.parametrize(("one", "other"), [
    ({"model": "mlp", "layers": 5, "units": 9}, {}),
    ({"word": "HELLO", "data": "ab12"}, {}),
    ({"trace": "gaussian", "gradient": "adjoint", "solver": "dopri5", "tolerance": 1e-6}, {}),
    ({"model": "planar", "objective": "flow-matching", "width": 99}, {"model": "planar", "objective": "likelihood"}),
    ({"model": "planar", "trace": "gaussian"}, {"model": "planar"}),
    ({"objective": "likelihood", "solver": "rk4", "tolerance": 1e-6}, {"objective": "likelihood"}),
    ({"objective": "likelihood", "solver": "euler", "tolerance": 0.1}, {"objective": "likelihood", "solver": "euler"}),
])  # fmt: skip
def test_one_meaning_is_one_key(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert DensityFlow(**one) == DensityFlow(**other)
    assert DensityFlow(**one).key == DensityFlow(**other).key


def any_value(parameter: Any) -> st.SearchStrategy[Any]:
    """Valid values of one field."""
    if parameter.kind == "choice":
        return st.sampled_from([c for c in parameter.choices if c not in ("image", "points")])
    if parameter.kind == "int":
        return st.integers(int(parameter.low), int(parameter.high))
    if parameter.kind == "float":
        return st.floats(parameter.low, parameter.high)
    return st.sampled_from(["FLOW", "a"]) if parameter.name == "word" else st.just("")


@given(st.fixed_dictionaries({p.name: any_value(p) for p in DensityFlow.parameters()}))
@settings(max_examples=200, deadline=None)
def test_every_declaration_is_normal_and_survives_a_link(values: dict[str, Any]) -> None:
    experiment = DensityFlow(**values)
    again, notes = DensityFlow.from_query(experiment.to_query())
    assert again == experiment
    assert notes == []
    for parameter in DensityFlow.parameters():
        value = getattr(experiment, parameter.name)
        if not parameter.matters(experiment.model_dump()) and parameter.name != "objective":
            assert value == parameter.default


def test_every_field_explains_itself() -> None:
    parameters = DensityFlow.parameters()
    assert all(p.title and p.help.endswith(".") for p in parameters)
    assert {p.name for p in parameters if p.basic} == {"target", "word", "model", "objective", "steps"}
    names = [p.name for p in parameters]
    for position, parameter in enumerate(parameters):
        assert all(names.index(other) < position for other in parameter.when)


@pytest.mark.parametrize(("values", "says"), [
    ({"target": "word", "word": "  "}, "needs a word"),
    ({"target": "points"}, "needs data"),
    ({"target": "image"}, "needs data"),
    ({"steps": 0}, "greater than or equal to 10"),
    ({"learning_rate": float("nan")}, "finite"),
    ({"data": "../../etc/passwd"}, "pattern"),
    ({"target": "cats"}, "Input should be"),
])  # fmt: skip
def test_what_cannot_be_says_why(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        DensityFlow(**values)


def test_a_hostile_link_gives_defaults_and_notes() -> None:
    query = {"target": "<script>", "steps": "1e400", "learning_rate": "nan", "seed": "-1", "page": "2"}
    experiment, notes = DensityFlow.from_query(query)
    assert experiment == DensityFlow()
    assert len(notes) == 4


def test_target_names_are_the_registrys() -> None:
    choices = next(p.choices for p in DensityFlow.parameters() if p.name == "target")
    assert set(choices) == {*TARGETS, "word", "image", "points"}


@pytest.mark.parametrize(("values", "kind"), [({}, ContinuousFlow), ({"model": "planar"}, PlanarFlow)])
def test_seed_decides_the_first_weights(values: dict[str, Any], kind: type) -> None:
    one, same, other = (flatten_parameters(DensityFlow(seed=s, **values).build()) for s in (1, 1, 2))
    assert isinstance(DensityFlow(**values).build(), kind)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


# The training


@pytest.mark.parametrize("values", SMALL, ids=lambda v: "-".join(map(str, v.values())))
def test_reports_are_in_order_and_complete(values: dict[str, Any]) -> None:
    experiment = small(**values)
    _, reports = run(experiment)
    steps = [report.step for report in reports]
    assert steps == sorted(set(steps))
    assert (steps[-1], reports[-1].total) == (30, 30)
    assert [report.step for report in reports if report.preview] == schedule(30, 10)
    for report in reports:
        assert {"loss", "learning_rate", "nfe", "seconds_per_step"} <= set(report.metrics)
        assert all(math.isfinite(value) for value in report.metrics.values())
        if report.preview:
            assert {"nll", "gap", "nll_error"} <= set(report.metrics)
            assert (report.preview["log_prob"].shape, report.preview["samples"].shape) == ((64, 64), (512, 2))
            assert {a.dtype for a in report.preview.values()} == {np.dtype("float16")}
    assert reports[-1].checkpoint is not None
    assert reports[-1].metrics["learning_rate"] < reports[0].metrics["learning_rate"]


@pytest.mark.parametrize("values", SMALL, ids=lambda v: "-".join(map(str, v.values())))
def test_a_resumed_training_ends_exactly_where_the_uninterrupted_one_does(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    experiment = small(**values)
    model, reports = run(experiment)
    middle = next(report for report in reports if report.step > 10)
    resumed, rest = run(experiment, middle.checkpoint)
    assert torch.equal(flatten_parameters(resumed), flatten_parameters(model))
    assert [report.step for report in rest] == sorted({report.step for report in rest})
    assert rest[0].step > middle.step
    assert rest[-1].checkpoint is not None
    for name, tensor in reports[-1].checkpoint.items():
        assert torch.equal(tensor, rest[-1].checkpoint[name])
    for mine, theirs in zip(rest[-1].preview.values(), reports[-1].preview.values(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_longer_declaration_goes_on_from_the_last_checkpoint() -> None:
    _, reports = run(small(steps=30))
    _, longer = run(small(steps=60), reports[-1].checkpoint)
    assert longer[0].step > 30
    assert longer[-1].step == 60
    assert longer[0].metrics["learning_rate"] > 0


def test_a_finished_run_has_nothing_left_to_do() -> None:
    model, reports = run(small())
    resumed, rest = run(small(), reports[-1].checkpoint)
    assert rest == []
    assert torch.equal(flatten_parameters(resumed), flatten_parameters(model))


def test_a_checkpoint_of_another_model_is_refused_with_a_sentence() -> None:
    _, reports = run(small())
    with pytest.raises(TrainingFailedError, match="does not fit"):
        run(small(width=8), reports[-1].checkpoint)


def test_same_seed_same_weights_and_pictures() -> None:
    (one, first), (other, second) = run(small()), run(small())
    assert torch.equal(flatten_parameters(one), flatten_parameters(other))
    for a, b in zip((r for r in first if r.preview), (r for r in second if r.preview), strict=True):
        assert a.step == b.step
        np.testing.assert_array_equal(a.preview["log_prob"], b.preview["log_prob"])
        assert a.metrics["nll"] == b.metrics["nll"]


def test_stopping_leaves_the_averaged_weights_of_the_last_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    experiment = small(steps=1000)
    model = experiment.build()
    generator = experiment.train(model, CPU)
    for report in generator:
        if report.step == 20:
            break
    generator.close()
    longest = experiment.build()
    checkpoints = {r.step: r.checkpoint for r in experiment.train(longest, CPU) if r.step <= 30}
    averages = [checkpoint["optimiser/average"] for checkpoint in checkpoints.values()]
    # Reports wait for pictures, so the model may already be a few reports further than the last one seen.
    assert any(torch.equal(flatten_parameters(model), average) for average in averages[19:])


def test_learning_rate_can_be_changed_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    experiment = small(steps=200)
    generator = experiment.train(experiment.build(), CPU)
    rates = {}
    report = next(generator)
    while report.step < 150:
        rates[report.step] = report.metrics["learning_rate"]
        report = generator.send(Control(learning_rate=1e-4) if report.step == 50 else None)
    generator.close()
    assert rates[49] > 1e-3
    assert all(rate < 1e-4 for step, rate in rates.items() if step > 60)


@pytest.mark.parametrize(("loss", "says"), [(float("nan"), "stopped being a number"), (1e9, "exploded to 1.0e")])
def test_a_loss_that_breaks_down_ends_the_run_and_keeps_good_weights(
    loss: float, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    experiment = small(steps=100)
    model = experiment.build()
    loop = experiment._loop(model, CPU)
    healthy, calls = loop.objective, 0

    class Breaking:
        def figures(self) -> dict[str, float]:
            return {}

        def __call__(self, step: int = 0) -> Tensor:
            nonlocal calls
            calls += 1
            if calls <= 40:
                return healthy()
            loop.optimiser.gradient.fill_(loss)
            return torch.tensor(loss)

    loop.objective = Breaking()
    seen = []
    with pytest.raises(TrainingFailedError, match=says) as failure:
        seen.extend(report.step for report in loop.run())
    assert "weights of step 40 are kept" in str(failure.value)
    assert bool(torch.isfinite(flatten_parameters(model)).all())
    assert math.isfinite(float(model.log_prob(torch.zeros(1, 2)).detach()))


def test_a_solver_that_gives_up_ends_the_run_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihood, "MAX_EVALUATIONS", 150)
    experiment = small(objective="likelihood", solver="dopri5", steps=30)
    model = experiment.build()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(200)
    before = flatten_parameters(model).clone()
    with pytest.raises(TrainingFailedError, match="more than 150 evaluations"):
        list(experiment.train(model, CPU))
    assert torch.equal(flatten_parameters(model), before)


def test_a_wrong_model_is_a_programming_error() -> None:
    with pytest.raises(TypeError, match="density flow"):
        next(small().train(torch.nn.Linear(2, 2), CPU))


# What it finds


def test_flow_matching_learns_eight_gaussians() -> None:
    """2,000 steps with seed 0: the gap is below 0.06 nats, and a fresh sample measures the same within 4 errors."""
    experiment = DensityFlow(steps=2000)
    model, reports = run(experiment)
    last = reports[-1].metrics
    assert 0 < last["gap"] < 0.06
    target = TARGETS["8gaussians"]
    assert last["nll"] == pytest.approx(target.entropy + last["gap"], abs=1e-6)
    x = target.sample(4000, 12345)
    scores = (target.log_prob(x) - log_density(model, x, EXACT)).double()
    error = math.hypot(float(scores.std()) / math.sqrt(len(x)), last["nll_error"])
    assert abs(float(scores.mean()) - last["gap"]) < 4 * error


def test_held_out_points_are_not_the_training_points() -> None:
    experiment = DensityFlow()
    held_out = experiment.held_out()
    pool = experiment.law().sample(HELD_OUT, experiment.seed)
    assert len(held_out.points) == HELD_OUT
    assert not torch.equal(held_out.points, pool)


@pytest.mark.parametrize("values", [{}, {"model": "planar-cnf"}, {"model": "planar", "layers": 6}])
def test_fast_density_and_samples_are_the_flows_own(values: dict[str, Any]) -> None:
    """Same solver, same steps, other arithmetic: 1e-4 nats and 1e-5 apart in float32."""
    flow = DensityFlow(**values).build()
    x = torch.randn(3000, 2, generator=torch.Generator().manual_seed(0))
    solver = Solver(method="rk4", steps=6)
    options = {} if isinstance(flow, PlanarFlow) else {"solver": solver}
    torch.testing.assert_close(log_density(flow, x, solver), flow.log_prob(x, **options).detach(), rtol=0, atol=1e-4)
    moved = flow.trajectory(x, (0.0, 1.0), **options)[-1].detach()
    torch.testing.assert_close(push(flow, x, solver), moved, rtol=0, atol=1e-5)


def test_a_snapshot_leaves_the_model_alone() -> None:
    experiment = small()
    model = experiment.build()
    before = flatten_parameters(model).clone()
    snapshot = Snapshot(model, experiment.held_out(256), seed=0)
    snapshot.picture(torch.zeros_like(before))
    assert torch.equal(flatten_parameters(model), before)
    # All weights 0: nothing moves, so the picture is the base, −log 2π at the middle of the window.
    centre = snapshot.picture(torch.zeros_like(before))["log_prob"][31:33, 31:33].astype(float).mean()
    assert centre == pytest.approx(-math.log(2 * math.pi), abs=0.01)


@given(st.integers(10, 10_000), st.integers(2, 60))
@settings(deadline=None)
def test_schedule_runs_from_the_first_step_to_the_last(total: int, frames: int) -> None:
    steps = schedule(total, frames)
    assert steps[0] == 1
    assert steps[-1] == total
    assert steps == sorted(set(steps))
    assert len(steps) <= frames + 1


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")
def test_cuda_learns_the_same_density() -> None:
    """Other random numbers, same law: both gaps below 0.06 nats."""
    gaps = []
    for device in ("cpu", "cuda"):
        experiment = DensityFlow(steps=2000)
        gaps.append(list(experiment.train(experiment.build(), torch.device(device)))[-1].metrics["gap"])
    assert max(gaps) < 0.06
