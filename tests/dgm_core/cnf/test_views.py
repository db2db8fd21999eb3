"""Films and checks of trained flows as runs of their own, from shipped models and from the run store's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from dgm_core import registry, sources, zoo
from dgm_core.checks import read_checks
from dgm_core.cnf import DensityFlow, density_film
from dgm_core.cnf.training_film import training_film
from dgm_core.cnf.views import FlowChecks, FlowFilm
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment, TrainingFailedError
from dgm_core.film import Film
from dgm_core.runs.folder import RunFolder
from dgm_core.views import Viewed

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[DensityFlow, torch.nn.Module]:
    """A short training's weights where the run store keeps them, under the id ``abc``."""
    monkeypatch.setenv("DGM_HOME", str(tmp_path))
    experiment = DensityFlow(steps=30, width=16, depth=2, batch=64)
    model = experiment.fit("cpu")
    (tmp_path / "runs" / "abc").mkdir(parents=True)
    RunFolder(tmp_path / "runs" / "abc").write_weights(model.state_dict(), experiment.canonical())
    return experiment, model


def made(view: Experiment) -> tuple[list[int], dict[str, bytes]]:
    """The steps reported, and the artifacts."""
    model = view.build()
    steps = [progress.step for progress in view.train(model, CPU)]
    return steps, dict(view.artifacts(model.eval(), CPU))


def film_of(view: FlowFilm) -> Film:
    return Film.from_bytes(made(view)[1]["film"])


def test_composed_film_is_density_film() -> None:
    steps, artifacts = made(FlowFilm(size=48, frames=9))
    assert steps == list(range(1, 10))
    film, reference = Film.from_bytes(artifacts["film"]), density_film(zoo.load("cnf-8gaussians"), 48, 9)
    np.testing.assert_array_equal(film.log_prob, reference.log_prob)
    np.testing.assert_array_equal(film.particles, reference.particles)
    np.testing.assert_array_equal(film.grid, reference.grid)


def test_solver_film_converges_to_the_true_one() -> None:
    """Median |Δ log p| of the last frame where p is seen: a few steps are off, many are not."""
    true = film_of(FlowFilm(size=32, frames=3, motion=False)).log_prob[-1]
    seen = true > true.max() + np.log(1e-3)
    errors = []
    for steps in (4, 64):
        view = FlowFilm(kind="solver", method="euler", solver_steps=steps, size=32, frames=3, motion=False)
        errors.append(float(np.median(np.abs(film_of(view).log_prob[-1] - true)[seen])))
    assert errors[0] > 0.2
    assert errors[1] < errors[0] / 5


def test_wrong_film_is_wrong_only_in_between() -> None:
    true = film_of(FlowFilm(size=32, frames=5, motion=False)).log_prob
    wrong = film_of(FlowFilm(kind="wrong", solver_steps=32, size=32, frames=5, motion=False)).log_prob
    seen = true > true.max((1, 2), keepdims=True) + np.log(1e-3)
    off = [float(np.median(np.abs(w - t)[s])) for w, t, s in zip(wrong, true, seen, strict=True)]
    # 32 cells are a coarse lattice for the composed map, so the true film itself errs by a few hundredths.
    assert max(off[0], off[-1]) < 0.1
    assert off[2] > 1


def test_a_film_without_motion_has_none() -> None:
    film = film_of(FlowFilm(size=32, frames=2, motion=False))
    assert film.particles is None
    assert film.arrows is None
    assert film.grid is None


def test_checks_read_back() -> None:
    steps, artifacts = made(FlowChecks())
    checks = read_checks(artifacts["checks"])
    assert steps == [1]
    assert len(checks) >= 6
    assert all(check.name and np.isfinite(check.measured) for check in checks)
    assert [check.name for check in checks if not check.passed] == []


@pytest.mark.parametrize("text", [b"", b"[1]", b'[{"name": "mass"}]', b"{"])
def test_no_table_of_checks(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own message, or ours
        read_checks(text)


def test_a_runs_weights_and_declaration(run: tuple[DensityFlow, torch.nn.Module]) -> None:
    experiment, model = run
    declared, flow = sources.load("run:abc")
    assert declared == experiment
    assert not flow.training
    assert all(torch.equal(a, b) for a, b in zip(flow.parameters(), model.parameters(), strict=True))
    film = film_of(FlowFilm(source="run:abc", at=30, size=32, frames=3))
    np.testing.assert_array_equal(film.log_prob, density_film(model, 32, 3).log_prob)


@pytest.mark.parametrize("source", ["run:nothing", "zoo:nothing", "run:../abc", "http://x", ""])
def test_a_source_that_is_none_says_so(source: str, run: object) -> None:
    with pytest.raises(DataError):
        sources.load(source)


def test_damaged_weights_are_named(tmp_path: Path, run: object) -> None:
    (tmp_path / "runs" / "abc" / "weights.safetensors").write_bytes(b"rubbish")
    with pytest.raises(TrainingFailedError, match="run:abc cannot be read"):
        FlowFilm(source="run:abc").build()


def test_views_are_short_runs_of_their_own_lane() -> None:
    assert (FlowFilm.lane, FlowChecks.lane, DensityFlow.lane) == ("view", "view", "train")
    for view in (FlowFilm(kind="wrong"), FlowChecks(seed=3)):
        assert registry.from_canonical(view.canonical()) == view
        assert isinstance(view.build(), Viewed)


def test_one_meaning_is_one_key() -> None:
    assert FlowFilm(method="euler", solver_steps=3).key == FlowFilm().key
    assert FlowFilm(kind="solver", method="dopri5", solver_steps=3).key == FlowFilm(kind="solver", method="dopri5").key
    assert FlowFilm(source="run:abc", at=1).key != FlowFilm(source="run:abc", at=2).key


@pytest.mark.parametrize("values", [{"source": "file:///etc"}, {"size": 100_000}, {"frames": 1}, {"tolerance": 0}])
def test_out_of_bounds(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FlowFilm(**values)


def test_a_planar_flow_has_no_solver() -> None:
    view = FlowFilm(source="zoo:cnf-8gaussians-planar", kind="solver", size=32, frames=2)
    with pytest.raises(TrainingFailedError, match="no solver"):
        made(view)


def test_training_film_is_in_the_order_of_steps() -> None:
    experiment = DensityFlow(steps=30, width=16, depth=2, batch=64)
    reports = [r for r in experiment.train(experiment.build(), CPU) if r.preview]
    film = training_film([(r.step, r.preview) for r in reversed(reports)])
    assert film.times.tolist() == [float(r.step) for r in reports]
    np.testing.assert_array_equal(film.log_prob[-1], reports[-1].preview["log_prob"].astype(np.float32))
    with pytest.raises(ValueError, match="no picture"):
        training_film([])


def test_a_finished_training_leaves_its_film() -> None:
    experiment = DensityFlow(steps=30, width=16, depth=2, batch=64)
    artifacts = dict(experiment.artifacts(experiment.fit("cpu"), CPU))
    assert list(artifacts) == ["film"]
    assert Film.from_bytes(artifacts["film"]).log_prob.shape == (60, 128, 128)
