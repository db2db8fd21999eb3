"""DiscreteVAE: one meaning, one key; training reports, stops, fails and resumes as promised; and it learns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor

from dgm_core.cli import main
from dgm_core.data.images.own import keep
from dgm_core.experiment import Control, Progress, TrainingFailedError
from dgm_core.gumbel import DiscreteVAE
from dgm_core.gumbel.binary_images import binary_images
from dgm_core.gumbel.elbo import independent_bernoulli, kl_to_uniform
from dgm_core.gumbel.estimators import ESTIMATORS
from dgm_core.gumbel.experiment import SMOOTH, TEMPERED
from dgm_core.gumbel.temperature import COOLED, Temperature
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.gumbel.vae_training import VAESnapshot
from dgm_core.gumbel.vae_views import training_reel
from dgm_core.registry import from_canonical
from dgm_core.training import loop as training
from dgm_core.training.averaged_adam import flatten_parameters

CPU = torch.device("cpu")
SMALL: tuple[dict[str, Any], ...] = (
    {},
    *({"estimator": name, "schedule": "fixed"} for name in ESTIMATORS if name != "gumbel-softmax"),
    {"schedule": "learned"},
    {"schedule": "cosine"},
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def small(**values: Any) -> DiscreteVAE:
    plain = {"estimator": "gumbel-softmax", "schedule": "exponential", "tau": 1.0, "tau_min": 0.3}
    return DiscreteVAE(
        **{**plain, "batch": 16, "steps": 20, "width": 16, "latents": 3, "categories": 4, "depth": 1, **values}
    )


def run(experiment: DiscreteVAE, resume: Mapping[str, Tensor] | None = None) -> tuple[CategoricalVAE, list[Progress]]:
    model = experiment.build()
    return model, list(experiment.train(model, CPU, resume))


# The declaration


@pytest.mark.parametrize(("one", "other"), [
    ({"data": "ab12"}, {}),
    ({"estimator": "reinforce", "tau": 3.0, "schedule": "cosine"}, {"estimator": "reinforce"}),
    ({"estimator": "reinmax", "tau_min": 0.1}, {"estimator": "reinmax"}),
    ({"schedule": "fixed", "tau_min": 0.123}, {"schedule": "fixed"}),
])  # fmt: skip
def test_one_meaning_is_one_key(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert DiscreteVAE(**one) == DiscreteVAE(**other)
    assert DiscreteVAE(**one).key == DiscreteVAE(**other).key


def any_value(parameter: Any) -> st.SearchStrategy[Any]:
    """Valid values of one field."""
    if parameter.kind == "choice":
        return st.sampled_from([c for c in parameter.choices if c not in ("own", "learned")])
    if parameter.kind == "int":
        return st.integers(int(parameter.low), int(parameter.high))
    if parameter.name == "tau":
        return st.floats(5.001, 20)
    return st.floats(parameter.low, parameter.high) if parameter.kind == "float" else st.just("")


@given(st.fixed_dictionaries({p.name: any_value(p) for p in DiscreteVAE.parameters()}))
@settings(max_examples=100, deadline=None)
def test_every_declaration_is_normal_and_survives_a_link(values: dict[str, Any]) -> None:
    experiment = DiscreteVAE(**values)
    again, notes = DiscreteVAE.from_query(experiment.to_query())
    assert again == experiment == from_canonical(experiment.canonical())
    assert notes == []
    for parameter in DiscreteVAE.parameters():
        if not parameter.matters(experiment.model_dump()) and parameter.name != "schedule":
            assert getattr(experiment, parameter.name) == parameter.default


def test_every_field_explains_itself() -> None:
    parameters = DiscreteVAE.parameters()
    assert all(p.title and p.help.endswith(".") for p in parameters)
    names = [p.name for p in parameters]
    assert {"latents", "categories", "estimator", "tau", "schedule", "dataset"} <= set(names)
    for position, parameter in enumerate(parameters):
        assert all(names.index(other) < position for other in parameter.when)


def test_estimators_are_the_registrys() -> None:
    choices = next(p.choices for p in DiscreteVAE.parameters() if p.name == "estimator")
    assert set(choices) == set(ESTIMATORS)
    assert set(TEMPERED) == {name for name, estimator in ESTIMATORS.items() if estimator.uses_tau}


@pytest.mark.parametrize("name", [*ESTIMATORS])
def test_smooth_estimators_are_those_that_give_the_temperature_a_gradient(name: str) -> None:
    logits = torch.randn(50, 2, 3, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    tau = torch.tensor(0.7, requires_grad=True)
    weights = torch.arange(6.0).view(2, 3)
    surrogate = ESTIMATORS[name](
        lambda z: (z * weights).square().sum((-2, -1)), logits, tau=tau, generator=torch.Generator().manual_seed(0)
    )
    surrogate.sum().backward()
    assert (tau.grad is not None and abs(float(tau.grad)) > 0) == (name in SMOOTH)


@pytest.mark.parametrize(("values", "says"), [
    ({"dataset": "own"}, "needs? data"),
    ({"steps": 0}, "greater than or equal to 10"),
    ({"learning_rate": float("nan")}, "finite"),
    ({"data": "../../etc/passwd"}, "pattern"),
    ({"dataset": "cats"}, "Input should be"),
    ({"categories": 1}, "greater than or equal to 2"),
    ({"tau": 0.0}, "greater than or equal to 0.01"),
    ({"schedule": "cosine", "tau": 0.4, "tau_min": 0.5}, "starts above its least"),
    ({"schedule": "learned", "estimator": "rebar"}, "only through an estimator that is smooth"),
])  # fmt: skip
def test_what_cannot_be_says_why(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        DiscreteVAE(**values)


def test_a_hostile_link_gives_defaults_and_notes() -> None:
    query = {"dataset": "<script>", "steps": "1e400", "tau": "nan", "seed": "-1", "page": "2"}
    experiment, notes = DiscreteVAE.from_query(query)
    assert experiment == DiscreteVAE()
    assert len(notes) == 4


def test_seed_decides_the_first_weights() -> None:
    one, same, other = (flatten_parameters(small(seed=s).build()) for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


# The temperature


@pytest.mark.parametrize("schedule", ["exponential", "linear", "cosine"])
def test_annealing_falls_from_start_to_least_and_stays(schedule: Any) -> None:
    temperature = Temperature(schedule, 1.5, 0.2, 1000)
    steps, taus = temperature.curve(101)
    assert (taus[0], taus[-1]) == pytest.approx((1.5, 0.2))
    assert bool((np.diff(taus) <= 1e-12).all())
    cooled = int(COOLED * 1000)
    assert temperature.at(cooled) == pytest.approx(0.2)
    assert temperature.at(cooled - 20) > 0.2
    half = temperature.at(cooled // 2)
    assert half == pytest.approx({"exponential": math.sqrt(1.5 * 0.2), "linear": 0.85, "cosine": 0.85}[schedule])
    assert len(steps) == 101


def test_a_fixed_temperature_stays() -> None:
    assert Temperature("fixed", 0.7, 0.2, 100).at(99) == 0.7


# The training


@pytest.mark.parametrize("values", SMALL, ids=lambda v: "-".join(map(str, v.values())) or "default")
def test_reports_are_in_order_and_complete(values: dict[str, Any]) -> None:
    experiment = small(**values)
    _, reports = run(experiment)
    steps = [report.step for report in reports]
    assert steps == sorted(set(steps))
    assert (steps[-1], reports[-1].total) == (20, 20)
    shapes = {
        **dict.fromkeys(("inputs", "seen", "recon_hard", "recon_soft", "samples"), (10, 1, 8, 8)),
        "logits": (10, 3, 4),
    }
    for report in reports:
        assert {"loss", "learning_rate", "tau", "seconds_per_step"} <= set(report.metrics)
        assert all(math.isfinite(value) for value in report.metrics.values())
        if report.preview:
            figures = report.metrics
            assert {"elbo", "elbo_error", "elbo_relaxed", "kl", "reconstruction", "gap", "gap_error"} <= set(figures)
            assert {name: array.shape for name, array in report.preview.items()} == shapes
            assert {a.dtype for name, a in report.preview.items() if name != "logits"} == {np.dtype("uint8")}
            assert -1e-6 <= figures["kl"] <= 3 * math.log(4)
            assert figures["elbo"] == pytest.approx(figures["reconstruction"] - figures["kl"])
    assert sum(bool(report.preview) for report in reports) >= 10
    assert reports[-1].checkpoint is not None


@pytest.mark.parametrize("values", SMALL[:2] + SMALL[-2:], ids=lambda v: "-".join(map(str, v.values())) or "default")
def test_a_resumed_training_ends_exactly_where_the_uninterrupted_one_does(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    experiment = small(**values)
    model, reports = run(experiment)
    middle = next(report for report in reports if report.step > 7)
    resumed, rest = run(experiment, middle.checkpoint)
    for name, tensor in model.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor)
    assert rest[0].step > middle.step
    for mine, theirs in zip(rest[-1].preview.values(), reports[-1].preview.values(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert rest[-1].metrics["elbo"] == reports[-1].metrics["elbo"]


def test_a_checkpoint_of_another_model_is_refused_with_a_sentence() -> None:
    _, reports = run(small())
    with pytest.raises(TrainingFailedError, match="does not fit"):
        run(small(width=8), reports[-1].checkpoint)


def test_stopping_leaves_averaged_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    experiment = small(steps=1000)
    model = experiment.build()
    generator = experiment.train(model, CPU)
    for report in generator:
        if report.step == 20:
            break
    generator.close()
    x = experiment.images().held_out[:3]
    assert bool(torch.isfinite(model.encode(x)).all())
    assert not torch.equal(flatten_parameters(model), flatten_parameters(experiment.build()))


def test_learning_rate_can_be_changed_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    experiment = small(steps=200)
    generator = experiment.train(experiment.build(), CPU)
    rates = {}
    report = next(generator)
    while report.step < 100:
        rates[report.step] = report.metrics["learning_rate"]
        report = generator.send(Control(learning_rate=1e-4) if report.step == 50 else None)
    generator.close()
    assert rates[49] > 1e-3
    assert all(rate < 1e-4 for step, rate in rates.items() if step > 60)


def test_a_loss_that_breaks_down_ends_the_run_and_keeps_good_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    experiment = small(steps=100)
    model = experiment.build()
    loop = experiment._loop(model, CPU)
    likelihood = model.log_likelihood
    model.log_likelihood = lambda x, z: likelihood(x, z) * (math.nan if loop.step > 30 else 1)  # type: ignore[method-assign]
    with pytest.raises(TrainingFailedError, match="stopped being a number"):
        list(loop.run())
    assert bool(torch.isfinite(flatten_parameters(model)).all())


def test_missing_images_end_the_run_with_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DGM_DATA", str(tmp_path))
    with pytest.raises(TrainingFailedError, match="Fashion-MNIST"):
        run(small(dataset="fashion-mnist"))


def test_own_images_in_colour_are_learned_too() -> None:
    """Twenty random pictures of 5 × 5 in three channels, binarised by chance."""
    pictures = np.random.default_rng(0).integers(0, 256, (20, 3, 5, 5), dtype=np.uint8)
    model, reports = run(small(dataset="own", data=keep(pictures), binarised="drawn"))
    assert model.shape == (3, 5, 5)
    assert reports[-1].preview["recon_hard"].shape == (4, 3, 5, 5)
    assert training_reel([(20, reports[-1].preview)]).colour


def test_too_few_images_end_the_run_with_a_sentence() -> None:
    with pytest.raises(TrainingFailedError, match="3 images are too few: 8 or more"):
        run(small(dataset="own", data=keep(np.zeros((3, 1, 4, 4), np.uint8))))


def test_images_that_are_gone_end_the_command_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "gumbel", "--out", str(tmp_path / "w.safetensors"), "--dataset", "own", "--data", "0" * 16]
    assert main(words) == 1
    assert "are not on this machine" in capsys.readouterr().err


def test_a_wrong_model_is_a_programming_error() -> None:
    with pytest.raises(TypeError, match="discrete VAE"):
        next(small().train(torch.nn.Linear(2, 2), CPU))


def test_the_objective_is_minus_the_mean_of_value_minus_kl() -> None:
    """Its value from the same generator state by the estimator and the KL apart, and its gradient by autograd."""
    experiment = small(schedule="fixed", tau=0.8)
    model = experiment.build()
    loop = experiment._loop(model, CPU)
    state = loop.generator.get_state()
    loss = loop.objective(0)
    gradient = loop.optimiser.gradient.clone()
    loop.generator.set_state(state)
    x = loop.objective.batches.draw()  # type: ignore[attr-defined]
    logits = model.encode(x)
    noise = -torch.log(-torch.log(torch.rand(logits.shape, generator=loop.generator).clamp(2**-24, 1 - 2**-24)))
    z = ((logits + noise) / 0.8).softmax(-1)
    probability = model.decode(z).sigmoid()
    likelihood = torch.where(x == 1, probability, 1 - probability).log().sum(-1)
    expected = (kl_to_uniform(logits) - likelihood).mean()
    assert float(loss) == pytest.approx(float(expected.detach()), rel=1e-5)
    grads = torch.autograd.grad(expected, list(model.parameters()))
    torch.testing.assert_close(gradient, torch.cat([g.reshape(-1) for g in grads]), rtol=1e-3, atol=1e-5)


def test_a_learned_temperature_moves_and_is_reported() -> None:
    _, reports = run(small(schedule="learned", steps=200, learning_rate=1e-2))
    assert abs(reports[-1].metrics["tau"] - 1.0) > 0.02
    assert reports[-1].metrics["tau"] > 0.3


# What it finds


@pytest.fixture(scope="module")
def learned() -> tuple[DiscreteVAE, CategoricalVAE, list[Progress]]:
    torch.set_num_threads(1)
    experiment = DiscreteVAE(steps=400)
    return experiment, *run(experiment)


def test_the_hard_elbo_is_soon_above_independent_pixels(
    learned: tuple[DiscreteVAE, CategoricalVAE, list[Progress]],
) -> None:
    """400 steps of the default: four standard errors and two nats above, on the same held-out images."""
    experiment, model, reports = learned
    images = experiment.images()
    plain = independent_bernoulli(images.held_out, model.mean)
    last = reports[-1].metrics
    assert last["elbo"] > float(plain.mean()) + 2 + 4 * last["elbo_error"]


def test_the_last_figures_are_those_of_the_model_that_is_left(
    learned: tuple[DiscreteVAE, CategoricalVAE, list[Progress]],
) -> None:
    experiment, model, reports = learned
    snapshot = VAESnapshot(model, experiment.images(), experiment.temperature(), experiment.seed)
    figures = snapshot.figures(snapshot.tau(experiment.steps), last=True)
    assert figures["elbo"] == pytest.approx(reports[-1].metrics["elbo"], abs=1e-6)


def test_held_out_images_are_fixed_and_no_training_images() -> None:
    for binarised in ("drawn", "cut"):
        images = binary_images("digits", binarised=binarised)
        assert set(images.held_out.unique().tolist()) == {0.0, 1.0}
        assert torch.equal(images.held_out, binary_images("digits", binarised=binarised).held_out)
        assert len(images.train) + len(images.held_out) == 1_797
        assert bool(((images.mean > 0) & (images.mean < 1)).all())
        assert len(images.pictured) == 10


def test_drawn_pixels_are_one_with_the_chance_of_their_grey() -> None:
    """359 × 64 held-out pixels: their number of ones within 4.5 standard deviations of the sum of greys."""
    images = binary_images("digits", binarised="drawn")
    deviation = float((images.test * (1 - images.test)).sum().sqrt())
    assert abs(float(images.held_out.sum() - images.test.sum())) < 4.5 * deviation
    assert bool((images.held_out[images.test == 0] == 0).all())
    assert bool((images.held_out[images.test == 1] == 1).all())


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")
def test_cuda_learns_as_well() -> None:
    """Other random numbers, same law: 400 steps end within a nat of each other."""
    ends = []
    for device in ("cpu", "cuda"):
        experiment = DiscreteVAE(steps=400)
        ends.append(list(experiment.train(experiment.build(), torch.device(device)))[-1].metrics["elbo"])
    assert abs(ends[0] - ends[1]) < 1
