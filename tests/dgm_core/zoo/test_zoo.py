"""What is shipped: whole, loadable, as good as recorded, and made by the recipe."""

from __future__ import annotations

import json
import math
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dgm_core import zoo
from dgm_core.cnf import DensityFlow, exhibit
from dgm_core.film import Film, lattice
from dgm_core.zoo import making, reading
from dgm_core.zoo.codec import FLOOR, STEPS, decode, encode

NAMES = zoo.names()
FLOWS = zoo.names("cnf")
KILOBYTE = 1024


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_the_default_experiment_is_shipped() -> None:
    assert zoo.find(DensityFlow()) == "cnf-8gaussians"
    assert zoo.experiment("cnf-8gaussians") == DensityFlow()
    assert zoo.find(DensityFlow(seed=1)) is None


def test_recipes_are_all_different_and_found_by_their_key() -> None:
    assert len({recipe.key for recipe in zoo.RECIPES.values()}) == len(zoo.RECIPES)
    assert [zoo.find(zoo.experiment(name)) for name in NAMES] == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_checkpoint_meets_its_recorded_figure(name: str) -> None:
    failed = [check for check in zoo.check(name) if not check.passed]
    assert failed == []


@pytest.mark.parametrize("name", FLOWS)
def test_films_are_whole_and_small(name: str) -> None:
    film, training = exhibit.film(name), exhibit.training_film(name)
    # A field too steep for the composed map is solved frame by frame on fewer cells.
    side = 64 if name == "cnf-8gaussians-coarse" else 128
    assert film.log_prob.shape == (60, side, side)
    assert (film.times[0], film.times[-1]) == (0.0, 1.0)
    assert all(array is not None for array in (film.particles, film.arrows, film.grid))
    assert all(bool(np.isfinite(a).all()) for a in (film.log_prob, film.particles, film.arrows, film.grid))
    assert training.times[-1] == zoo.experiment(name).steps
    assert len(training.times) >= 10
    size = sum(path.stat().st_size for path in (reading.ROOT / name).iterdir())
    assert size < 720 * KILOBYTE


def test_all_together_stay_below_twenty_five_megabytes() -> None:
    assert sum(path.stat().st_size for path in reading.ROOT.glob("*/*") if path.parent.name in NAMES) < 25e6


@pytest.mark.parametrize("name", FLOWS)
def test_film_begins_with_the_base(name: str) -> None:
    """First frame against log N(x; 0, I), rounding apart; the last frame is one of the checkpoint's own checks."""
    film = exhibit.film(name)
    side = film.log_prob.shape[1]
    cells = lattice(film.extent, side, side)
    base = -0.5 * (cells**2).sum(-1) - math.log(2 * math.pi)
    assert np.abs(film.log_prob[0] - base)[base > base.max() + math.log(1e-3)].max() < 0.031


@pytest.mark.parametrize("name", FLOWS)
def test_metrics_run_to_the_last_step(name: str) -> None:
    metrics = zoo.metrics(name)
    assert metrics["step"][-1] == zoo.experiment(name).steps
    assert bool((np.diff(metrics["step"]) > 0).all())
    assert bool((np.diff(metrics["seconds"]) >= 0).all())
    assert metrics["nll"][-1] == pytest.approx(zoo.figures(name)["nll"], abs=1e-5)
    assert bool(np.isfinite(metrics["loss"]).all())


def test_records_hold_what_a_reader_needs() -> None:
    record = reading.record("cnf-8gaussians")
    assert set(record) == {"experiment", "figures", "held_out", "seconds", "device", "torch"}
    assert json.loads(DensityFlow().canonical()) == record["experiment"]


def test_nothing_is_pickled() -> None:
    with mock.patch("pickle.Unpickler", side_effect=AssertionError("unpickled")), \
            mock.patch("pickle.load", side_effect=AssertionError("unpickled")), \
            mock.patch("pickle.loads", side_effect=AssertionError("unpickled")):  # fmt: skip
        zoo.load("cnf-8gaussians")
        exhibit.film("cnf-8gaussians")
        zoo.metrics("cnf-8gaussians")


def test_unknown_names_say_what_there_is() -> None:
    for function in (zoo.load, exhibit.film, zoo.metrics, zoo.experiment):
        with pytest.raises(KeyError, match="there are cnf-8gaussians"):
            function("../secrets")


def test_artifact_is_the_film_as_a_run_keeps_it() -> None:
    packed = zoo.artifact("cnf-8gaussians", "film")
    np.testing.assert_array_equal(Film.from_bytes(packed).log_prob, exhibit.film("cnf-8gaussians").log_prob)
    assert zoo.artifact("cnf-8gaussians", "nonsense") is None


def test_making_gives_a_folder_that_reads_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = DensityFlow(steps=60, width=16, depth=2)
    monkeypatch.setitem(zoo.RECIPES, "small", recipe)
    monkeypatch.setattr(reading, "ROOT", tmp_path)
    steps: list[int] = []
    folder = making.make("small", "cpu", root=tmp_path, report=lambda progress: steps.append(progress.step))
    assert folder == tmp_path / "small"
    assert [path.name for path in tmp_path.iterdir()] == ["small"]
    assert steps[-1] == 60
    fitted = recipe.fit("cpu")
    assert all(torch.equal(a, b) for a, b in zip(fitted.parameters(), zoo.load("small").parameters(), strict=True))
    assert [check for check in zoo.check("small") if not check.passed] == []
    making.make("small", "cpu", root=tmp_path)  # over the old one
    assert zoo.metrics("small")["step"][-1] == 60


floats = st.floats(-30, 5, width=32)


@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=3, max_dims=3, max_side=6), elements=floats))
@settings(max_examples=60, deadline=None)
def test_codec_errs_by_half_a_step_at_most(density: np.ndarray) -> None:
    meta, arrays = decode(encode({"times": [1]}, {"log_prob": density}))
    floored = np.maximum(density, density.max((1, 2), keepdims=True) - FLOOR)
    assert meta == {"times": [1]}
    assert arrays["log_prob"].dtype == np.float32
    assert np.abs(arrays["log_prob"] - floored).max() <= STEPS["log_prob"] / 2 + 1e-5


@given(hnp.arrays(np.float32, (3, 4, 5, 2), elements=st.floats(-1000, 1000, width=32)))
@settings(max_examples=40, deadline=None)
def test_codec_keeps_four_axes(grid: np.ndarray) -> None:
    found = decode(encode({}, {"grid": grid}))[1]["grid"]
    assert np.abs(found - grid).max() <= STEPS["grid"] / 2 + 1e-3


@given(st.binary(max_size=200))
def test_damaged_bytes_are_a_value_error(blob: bytes) -> None:
    whole = encode({}, {"grid": np.zeros((2, 2, 2, 2), np.float32)})
    for packed in (blob, whole[: len(whole) // 2], whole[:-3]):
        with pytest.raises(ValueError, match="no shipped film"):
            decode(packed)
