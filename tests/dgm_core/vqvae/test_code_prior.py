"""Priors of code maps as runs: what they learn, report, resume and refuse."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from dgm_core.device import resolve
from dgm_core.errors import DataError
from dgm_core.experiment import Progress, TrainingFailedError
from dgm_core.generators import load_generator
from dgm_core.nn.code_bits import baseline_bits, bits_figures
from dgm_core.nn.code_model import CodeModel
from dgm_core.vqvae.code_maps import CodeMaps, source_model
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.prior import CodePrior

CPU = resolve("cpu")
SMALL = {"source": "zoo:vqvae-digits", "width": 16, "depth": 1, "batch": 16, "steps": 40}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def reports(experiment: CodePrior, model: nn.Module, **settings: object) -> list[Progress]:
    return list(experiment.train(model, CPU, **settings))  # type: ignore[arg-type]


def test_maps_are_the_models_codes_of_the_sets_images() -> None:
    declaration, model = source_model("zoo:vqvae-digits")
    assert isinstance(declaration, VQVAE)
    maps, images = CodePrior(**SMALL).maps(), declaration.images()  # type: ignore[arg-type]
    assert maps.train.shape == (len(images.train), 4, 4)
    assert torch.equal(maps.test, model.codes(torch.tensor(images.test).float() / 255))


@pytest.mark.parametrize("kind", ["pixelcnn", "transformer"])
def test_a_learned_prior_is_soon_better_than_the_histogram(kind: str) -> None:
    """300 short steps on maps of 4 × 4 codes of digits; before the first, the law is uniform."""
    experiment = CodePrior(**{**SMALL, "kind": kind, "width": 32, "depth": 2, "steps": 300})  # type: ignore[arg-type]
    model = experiment.build()
    maps = experiment.maps()
    assert bits_figures(model.eval(), maps.test)["bits"] == pytest.approx(16 * math.log2(64), rel=1e-5)
    last = reports(experiment, model)[-1].metrics
    assert last["bits"] < last["bits_independent"] - 5 < last["bits_uniform"] - 5
    assert last["bits"] == pytest.approx(float(model.eval().bits(maps.test).detach().mean()), rel=1e-4)


def test_uniform_and_independent_are_closed_forms() -> None:
    """Uniform: 16 log₂ 64. Independent: the cross-entropy of smoothed shares, by NumPy."""
    uniform, independent = (CodePrior(**{**SMALL, "kind": kind}) for kind in ("uniform", "independent"))  # type: ignore[arg-type]
    flat = reports(uniform, uniform.build())
    assert [report.step for report in flat] == [1]
    assert flat[0].metrics["bits"] == pytest.approx(96, rel=1e-6)
    assert flat[0].metrics["bits_error"] == pytest.approx(0, abs=1e-6)
    maps = independent.maps()
    counts = np.bincount(maps.train.numpy().ravel(), minlength=64) + 0.5
    expected = -np.log2((counts / counts.sum())[maps.test.numpy()]).sum((1, 2))
    found = reports(independent, independent.build())[0].metrics
    assert found["bits"] == pytest.approx(expected.mean(), rel=1e-5)
    assert found["bits_error"] == pytest.approx(expected.std(ddof=1) / math.sqrt(len(expected)), rel=1e-4)


def test_baselines_use_the_maps_learned_from_only() -> None:
    maps = CodeMaps(torch.zeros(10, 1, 2, dtype=torch.long), torch.ones(3, 1, 2, dtype=torch.long))
    found = baseline_bits(maps.train, maps.test, 2)
    assert found["bits_uniform"] == 2
    assert found["bits_independent"] == pytest.approx(-2 * math.log2(0.5 / 21), rel=1e-5)


@pytest.mark.parametrize("kind", ["pixelcnn", "transformer"])
def test_a_resumed_prior_ends_where_an_unbroken_one_does(kind: str) -> None:
    experiment = CodePrior(**{**SMALL, "kind": kind})  # type: ignore[arg-type]
    whole, again = experiment.build(), experiment.build()
    checkpoint = next(report.checkpoint for report in reports(experiment, whole) if report.checkpoint)
    reports(experiment, again, resume=checkpoint)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_pictures_are_images_of_drawn_maps() -> None:
    experiment = CodePrior(**SMALL)  # type: ignore[arg-type]
    last = [report for report in reports(experiment, experiment.build()) if report.preview][-1].preview
    _, model = source_model(experiment.source)
    assert last["samples"].shape == (8, 1, 8, 8)
    images = model.decode_codes(torch.tensor(last["codes"].astype(np.int64)))
    assert np.array_equal(last["samples"], (images * 255).round().byte().numpy())


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("zoo:nothing-such", "cannot be read"),
        ("run:0", "cannot be read"),
        ("zoo:cnf-moons", "is none with a codebook"),
    ],
)
def test_what_is_no_autoencoder_is_told(source: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        source_model(source)
    with pytest.raises(TrainingFailedError, match=words):
        CodePrior(source=source).build()


def test_another_model_is_refused() -> None:
    with pytest.raises(TypeError, match="a law of code maps is trained here"):
        next(CodePrior(**SMALL).train(nn.Linear(1, 1), CPU))  # type: ignore[arg-type]


def test_settings_that_change_nothing_make_no_other_run() -> None:
    assert CodePrior(kind="uniform", width=128, steps=20) == CodePrior(kind="uniform")
    assert CodePrior(reach=4) == CodePrior()
    assert CodePrior(width=61).width == 64
    assert CodePrior(kind="pixelcnn", reach=4) != CodePrior(kind="pixelcnn")


@pytest.mark.parametrize("kind", ["uniform", "independent", "pixelcnn", "transformer"])
def test_every_kind_builds_and_draws(kind: str) -> None:
    build: Callable[[], CodeModel] = CodePrior(**{**SMALL, "kind": kind}).build  # type: ignore[arg-type]
    model = build()
    assert model.sample(2).shape == (2, 4, 4)
    assert int(model.sample(20).max()) < 64


def test_it_draws_images_at_the_turn_of_a_knob() -> None:
    """What `ImageGenerator` promises: bytes of decoded samples, the same noise at every temperature."""
    experiment, model = load_generator("zoo:vqvae-shapes-prior")
    assert isinstance(model, CodeModel)
    found = experiment.generate(model, 3, 0.7, torch.Generator().manual_seed(4))
    autoencoder = source_model("zoo:vqvae-shapes")[1]
    wanted = autoencoder.decode_codes(model.sample(3, 0.7, torch.Generator().manual_seed(4)))
    assert np.array_equal(found, (wanted * 255).round().byte().numpy())
    assert found.shape[1:] == experiment.real().shape
    one, other = (experiment.generate(model, 2, 0.0, torch.Generator().manual_seed(seed)) for seed in (1, 2))
    assert np.array_equal(one, other)
