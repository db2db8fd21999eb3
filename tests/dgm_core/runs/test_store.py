"""The store: what goes in comes out; a damaged file costs its run only; nothing is half written."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from dgm_core.experiment import Progress
from dgm_core.runs import DamagedFileError, Run, RunStore, files
from tests.dgm_core.runs.toys import Line


def filled(store: RunStore, experiment: Line, steps: int = 6) -> Run:
    """A done run with metrics, previews, a checkpoint, weights and an artifact."""
    run = store.create(experiment)
    store.set_state(run.id, "running")
    for step in range(1, steps + 1):
        picture = {"line": np.full((2, 2), step, dtype=np.float16)} if step % 2 == 0 else {}
        metrics = {"loss": 1.0 / step} | ({"nll": float(step)} if step % 3 == 0 else {})
        checkpoint = {"weight": torch.full((2,), float(step))} if step % 2 == 0 else None
        store.add_progress(run.id, Progress(step, steps, metrics, picture, checkpoint), seconds=step / 10)
    store.save_weights(run.id, {"weight": torch.arange(3.0)})
    store.save_artifact(run.id, "film.bin", b"frames")
    return store.set_state(run.id, "done")


def test_a_run_comes_back_as_it_was_stored(store: RunStore) -> None:
    run = filled(store, Line(seed=4))
    again = RunStore(store.root)
    assert again.get(run.id) == run
    assert (run.state, run.step, run.total, run.checkpoint) == ("done", 6, 6, 6)
    assert run.size > 0
    assert run.experiment == Line(seed=4)
    columns = again.metrics(run.id)
    assert columns["step"].tolist() == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose(columns["seconds"], np.arange(1, 7) / 10, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(columns["nll"], [np.nan, np.nan, 3.0, np.nan, np.nan, 6.0])
    assert [(step, picture["line"][0, 0]) for step, picture in again.previews(run.id)] == [(2, 2), (4, 4), (6, 6)]
    assert [step for step, _ in again.previews(run.id, since=4)] == [6]
    assert again.load_weights(run.id)["weight"].tolist() == [0.0, 1.0, 2.0]
    assert again.load_checkpoint(run.id)["weight"].tolist() == [6.0, 6.0]
    assert (again.artifacts(run.id), again.load_artifact(run.id, "film.bin")) == (("film.bin",), b"frames")
    with safe_open(store.folder(run.id) / "weights.safetensors", "pt") as file:
        assert file.metadata()["experiment"] == Line(seed=4).canonical()


def test_the_best_run_answers_for_a_key(store: RunStore) -> None:
    experiment = Line(seed=1)
    assert store.find(experiment.key) is None
    cancelled = store.set_state(store.create(experiment).id, "cancelled")
    assert store.find(experiment.key) == cancelled
    queued = store.create(experiment)
    assert store.find(experiment.key) == queued
    running = store.set_state(store.create(experiment).id, "running")
    assert store.find(experiment.key) == running
    done = filled(store, experiment)
    store.create(Line(seed=2))
    assert store.find(experiment.key) == done
    store.update(done.id, touched=True)
    assert store.find(experiment.key) == running


def test_a_done_run_without_weights_does_not_answer(store: RunStore) -> None:
    run = filled(store, Line())
    (store.folder(run.id) / "weights.safetensors").unlink()
    assert store.find(run.key) is None
    assert store.get(run.id).state == "failed"
    assert "weights" in store.get(run.id).reason


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "pickle"])
def test_a_damaged_preview_is_set_aside_and_the_others_stay(store: RunStore, damage: str) -> None:
    run, other = filled(store, Line()), filled(store, Line(seed=1))
    path = store.folder(run.id) / "previews" / "000000004.npz"
    content = path.read_bytes()
    match damage:
        case "truncate":
            path.write_bytes(content[: len(content) // 2])
        case "flip":
            middle = content.index(b"line.npy") + 40
            path.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
        case "empty":
            path.write_bytes(b"")
        case "pickle":
            np.savez(path, line=np.array([Line], dtype=object))
    assert [step for step, _ in store.previews(run.id)] == [2, 6]
    assert not path.exists()
    (problem,) = store.problems
    assert run.id in problem
    assert "000000004.npz" in problem
    assert [file.name for file in (store.root / "damaged").iterdir()] == [f"{run.id}-000000004.npz"]
    assert len(store.previews(other.id)) == 3


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0{}", pickle.dumps({"a": 1}), b"\xff" * 64])
def test_damaged_weights_cost_their_run_only(store: RunStore, content: bytes) -> None:
    run, other = filled(store, Line()), filled(store, Line(seed=1))
    path = store.folder(run.id) / "weights.safetensors"
    path.write_bytes(content if content[:1] != b"\x08" else path.read_bytes()[:-1])
    with pytest.raises(DamagedFileError, match=r"weights\.safetensors"):
        store.load_weights(run.id)
    assert store.get(run.id).state == "failed"
    assert store.find(run.key) is not None
    assert store.find(run.key).state == "failed"  # type: ignore[union-attr]
    assert store.load_weights(other.id)["weight"].tolist() == [0.0, 1.0, 2.0]


def test_a_damaged_checkpoint_is_noticed_before_it_is_used(store: RunStore) -> None:
    run = filled(store, Line())
    path = store.folder(run.id) / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DamagedFileError, match=r"checkpoint\.safetensors"):
        store.checkpoint_step(run.id)
    assert store.checkpoint_step(run.id) is None
    assert store.get(run.id).checkpoint is None
    assert store.get(run.id).state == "done"


@pytest.mark.parametrize("damage", ["head", "middle", "text", "gone"])
def test_a_damaged_database_is_made_anew_from_the_folders(store: RunStore, damage: str) -> None:
    runs = [filled(store, Line(seed=seed)) for seed in range(3)]
    store.close()
    path = store.root / "runs.sqlite"
    content = path.read_bytes()
    match damage:
        case "head":
            path.write_bytes(b"\0" * 100 + content[100:])
        case "middle":
            path.write_bytes(content[:4096] + os.urandom(len(content) - 4096))
        case "text":
            path.write_text("no database")
        case "gone":
            path.unlink()
    again = RunStore(store.root)
    assert sorted(again.list(), key=lambda run: run.id) == sorted(runs, key=lambda run: run.id)
    assert again.metrics(runs[0].id)["loss"].tolist() == [1.0 / step for step in range(1, 7)]
    assert len(again.problems) == (0 if damage == "gone" else 1)
    if damage != "gone":
        assert "runs.sqlite" in again.problems[0]
        assert any(file.name.startswith("runs.sqlite") for file in (store.root / "damaged").iterdir())
    again.create(Line(seed=9))
    assert len(again.list()) == 4


def test_a_reader_of_artifacts_can_report_a_damaged_one(store: RunStore) -> None:
    run = filled(store, Line())
    error = store.report_damaged(run.id, "artifacts/film.bin", ValueError("these bytes are no film"))
    assert run.id in str(error)
    assert "artifacts/film.bin: these bytes are no film" in str(error)
    assert store.artifacts(run.id) == ()
    assert store.get(run.id).state == "done"
    assert len(store.problems) == 1


def test_a_damaged_record_costs_its_run_only(store: RunStore) -> None:
    good, bad = filled(store, Line()), filled(store, Line(seed=1))
    (store.folder(bad.id) / "run.json").write_text('{"id": "half')
    store.close()
    (store.root / "runs.sqlite").write_text("no database")
    again = RunStore(store.root)
    assert again.list() == [good]
    assert any(bad.id in problem for problem in again.problems)


def test_a_database_of_another_version_is_set_aside(store: RunStore) -> None:
    run = filled(store, Line())
    store.close()
    with sqlite3.connect(store.root / "runs.sqlite") as connection:
        connection.execute("ALTER TABLE runs ADD COLUMN novelty")
    connection.close()
    again = RunStore(store.root)
    assert again.list() == [run]
    assert "another version" in again.problems[0]


def test_what_is_written_is_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_bytes(path, b"old")

    def fail(partial: Path) -> None:
        partial.write_bytes(b"half of the n")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        files.write_with(path, fail)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def _write_forever(path: str) -> None:
    for number in range(10**9):
        files.write_bytes(Path(path), bytes([number % 256]) * 300_000)


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for _ in range(3):
        writer = multiprocessing.get_context("fork").Process(target=_write_forever, args=(str(path),))
        writer.start()
        while not path.exists():
            pass
        first = path.stat().st_ino
        while path.stat().st_ino == first:  # it is now somewhere in its second write or later
            pass
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        content = path.read_bytes()
        assert len(content) == 300_000
        assert len(set(content)) == 1
        path.unlink()
    files.remove_partial(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_sweep_interrupts_only_what_nobody_owns(store: RunStore) -> None:
    left = store.set_state(store.create(Line()).id, "running")
    done = filled(store, Line(seed=1))
    store.close()  # as the end of the process does
    mine = RunStore(store.root)
    kept = mine.create(Line(seed=2))
    assert [run.id for run in mine.sweep()] == [left.id]
    assert mine.get(left.id).state == "interrupted"
    assert "server ended" in mine.get(left.id).reason
    assert mine.get(done.id).state == "done"
    other = RunStore(store.root)  # a second program beside ours
    assert other.sweep() == []
    assert other.get(kept.id).state == "queued"
    with pytest.raises(ValueError, match="stop it first"):
        other.delete(kept.id)


def test_prune_removes_the_oldest_that_nobody_keeps(store: RunStore) -> None:
    kept, old, new = (filled(store, Line(seed=seed)) for seed in range(3))
    store.update(kept.id, keep=True)
    running = store.set_state(store.create(Line(seed=3)).id, "running")
    total = files.size_of(store.root / "runs")
    assert store.prune(total) == []
    gone = store.prune(total - 1)
    assert [run.id for run in gone] == [old.id]
    assert not store.folder(old.id).exists()
    assert [run.id for run in store.prune(0)] == [new.id]
    assert {run.id for run in store.list()} == {kept.id, running.id}
    with pytest.raises(KeyError):
        store.get(old.id)


def test_rewind_forgets_what_comes_again(store: RunStore) -> None:
    run = filled(store, Line())
    store.rewind(run.id, 3)
    assert store.metrics(run.id)["step"].tolist() == [1, 2, 3]
    assert [step for step, _ in store.previews(run.id)] == [2]


def test_a_continuation_inherits_the_past(store: RunStore) -> None:
    parent = filled(store, Line())
    child = store.create(Line(steps=40), touched=True, parent=parent.id)
    store.inherit(child.id, parent.id, 4)
    assert store.metrics(child.id)["step"].tolist() == [1, 2, 3, 4]
    assert [step for step, _ in store.previews(child.id)] == [2, 4]
    assert torch.equal(store.load_checkpoint(child.id)["weight"], store.load_checkpoint(parent.id)["weight"])


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=12) | st.sampled_from(["..", "../x", "a/b", ".", "", "/etc", "a\0b"]))
def test_no_name_leads_out_of_the_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    store = RunStore(tmp_path_factory.mktemp("home"))
    try:
        inside = store.folder(name)
    except KeyError:
        pass
    else:
        assert inside.resolve().parent == (store.root / "runs").resolve()
    run = store.create(Line())
    with contextlib.suppress(ValueError):
        store.save_artifact(run.id, name, b"x")
    written = [path for path in store.root.rglob("*") if path.is_file() and path.read_bytes() == b"x"]
    assert written == [store.folder(run.id) / "artifacts" / found for found in store.artifacts(run.id)]
    assert store.artifacts(run.id) in ((), (name,))
    store.close()


def test_many_threads_write_and_read_at_once(store: RunStore) -> None:
    run = store.create(Line())
    errors: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for step in range(first, first + 25):
                store.add_progress(run.id, Progress(step, 100, {"loss": float(step)}))
                store.metrics(run.id)
                store.update(run.id, keep=True)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work, args=(25 * k + 1,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    columns = store.metrics(run.id)
    assert columns["step"].tolist() == list(range(1, 101))
    assert columns["loss"].tolist() == [float(step) for step in range(1, 101)]
