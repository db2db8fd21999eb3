"""The Runner with real worker processes: success, failure, death, stop, resume, queue and lease.

No test asserts how long something takes; a number of seconds here only guards against waiting for ever.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from dgm_core.runs import DamagedFileError, QueueFullError, Run, Runner, RunStore, process
from tests.dgm_core.runs.toys import Line, Picture

GUARD = 60.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens in another thread or process."""
    end = time.monotonic() + GUARD
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def finished(runner: Runner, run: Run) -> Run:
    ended = runner.wait(run.id, GUARD)
    assert not ended.live, ended
    return ended


def running(runner: Runner, run: Run, step: int = 1) -> Run:
    until(lambda: runner.watch(run.id).step >= step)
    return runner.watch(run.id).run


def test_a_run_gives_what_training_in_this_process_gives(runner: Runner) -> None:
    experiment = Line(seed=11, steps=23)
    run = finished(runner, runner.submit(experiment))
    assert (run.state, run.reason, run.step, run.device) == ("done", "", 23, "cpu")
    model = experiment.fit("cpu")
    for name, weight in runner.store.load_weights(run.id).items():
        assert torch.equal(weight, model.state_dict()[name])
    assert runner.store.load_artifact(run.id, "slope.txt") == next(experiment.artifacts(model, torch.device("cpu")))[1]


def test_a_snapshot_shows_all_pictures_and_growing_numbers(runner: Runner) -> None:
    run = runner.submit(Line(seed=12, steps=30, pause=0.02))
    assert run.state in ("queued", "running")
    running(runner, run, step=12)
    middle = runner.watch(run.id)
    assert middle.live
    assert middle.place == 0
    assert middle.steps_per_second is not None
    assert middle.steps_per_second <= 50  # 0.02 s a step at the least
    assert middle.seconds_left is not None
    finished(runner, run)
    end = runner.watch(run.id)
    assert [step for step, _ in end.previews] == [5, 10, 15, 20, 25, 30]
    assert [step for step, _ in runner.watch(run.id, since=15).previews] == [20, 25, 30]
    assert end.last_preview is not None
    assert end.last_preview[0] == 30
    assert np.all(np.diff(end.metrics["step"]) > 0)
    assert end.metrics["step"][-1] == 30
    assert len(end.metrics["loss"]) == len(end.metrics["seconds"]) == len(end.metrics["step"])
    assert end.artifacts == ("slope.txt",)
    assert end.seconds_left == 0
    stored = RunStore(runner.store.root)
    assert [step for step, _ in stored.previews(run.id)] == [5, 10, 15, 20, 25, 30]
    np.testing.assert_array_equal(stored.metrics(run.id)["loss"], end.metrics["loss"])
    with pytest.raises(ValueError, match="read-only"):
        end.metrics["loss"][0] = 0.0


def test_who_asks_for_the_same_experiment_joins_its_run(runner: Runner) -> None:
    experiment = Line(seed=13, steps=40, pause=0.02)
    first = runner.submit(experiment)
    assert runner.submit(Line(seed=13, steps=40, pause=0.02)).id == first.id
    finished(runner, first)
    assert runner.submit(experiment).id == first.id
    assert runner.find(experiment).state == "done"  # type: ignore[union-attr]
    again = runner.submit(experiment, fresh=True)
    assert again.id != first.id
    finished(runner, again)


@pytest.mark.parametrize(
    ("trouble", "state", "reason"),
    [
        ("nan", "failed", "The loss is no number any more; try a smaller learning rate."),
        ("crash", "failed", "The training stopped with RuntimeError: the ceiling came down."),
        ("die", "failed", "The process that trained this run died (signal 9); its last checkpoint is kept."),
        ("film", "done", "It is trained, but a result could not be made."),
        ("print", "done", ""),
    ],
)
def test_trouble_ends_one_run_with_a_plain_sentence(runner: Runner, trouble: str, state: str, reason: str) -> None:
    pause = 0.06 if trouble == "die" else 0.0  # nothing is written after that, and checkpoints are 0.2 s apart at least
    run = finished(runner, runner.submit(Line(trouble=trouble, steps=30, pause=pause), fresh=True))
    assert run.state == state
    assert run.reason.startswith(reason)
    assert bool(run.reason) == bool(reason)
    if state == "failed":
        assert run.checkpoint == 10  # the last before half-time
        assert runner.store.checkpoint_step(run.id) == 10
    assert finished(runner, runner.submit(Line(seed=14), fresh=True)).state == "done"  # the next job is not affected


def test_a_failure_writes_its_traceback_to_the_log_and_keeps_weights(runner: Runner) -> None:
    run = finished(runner, runner.submit(Line(trouble="crash", seed=1)))
    assert "the ceiling came down" in (runner.store.folder(run.id) / "log.txt").read_text()
    assert set(runner.store.load_weights(run.id)) == {"weight", "bias"}


def test_stop_keeps_what_was_learned(runner: Runner) -> None:
    run = runner.submit(Line(seed=15, steps=5000, pause=0.01))
    running(runner, run, step=8)
    runner.stop(run.id)
    run = finished(runner, run)
    assert (run.state, run.reason) == ("cancelled", "Stopped.")
    assert 8 <= run.step < 5000
    assert runner.store.has_weights(run.id)
    runner.stop(run.id)  # once more does nothing
    assert runner.store.get(run.id) == run


def test_a_step_that_hangs_is_killed_after_a_stop(runner: Runner) -> None:
    run = runner.submit(Line(seed=16, steps=30, trouble="hang"))
    running(runner, run, step=14)
    runner.stop(run.id)
    run = finished(runner, run)
    assert (run.state, run.reason) == ("cancelled", "Stopped.")
    assert finished(runner, runner.submit(Line(seed=17))).state == "done"


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_resumed_run_equals_the_uninterrupted_one(runner: Runner, how: str) -> None:
    experiment = Line(seed=18, steps=60, pause=0.01)
    run = runner.submit(experiment, fresh=True)
    running(runner, run, step=22)
    if how == "stop":
        runner.stop(run.id)
    else:
        os.kill(_pid_of(runner, run), signal.SIGKILL)
    broken = finished(runner, run)
    assert broken.state == ("cancelled" if how == "stop" else "failed")
    checkpoint = runner.store.checkpoint_step(run.id)
    assert checkpoint is not None
    assert 5 <= checkpoint < 60
    assert runner.resume(run.id).id == run.id
    done = finished(runner, run)
    assert (done.state, done.step, done.touched) == ("done", 60, False)

    whole = finished(runner, runner.submit(experiment, fresh=True))
    for name, weight in runner.store.load_weights(whole.id).items():
        assert torch.equal(runner.store.load_weights(run.id)[name], weight)
    again, once = runner.watch(run.id), runner.watch(whole.id)
    assert [step for step, _ in again.previews] == [step for step, _ in once.previews]
    assert again.previews[-1][1]["line"].tolist() == once.previews[-1][1]["line"].tolist()
    assert np.all(np.diff(again.metrics["step"]) > 0)
    assert np.all(np.diff(again.metrics["seconds"]) >= 0)
    assert runner.find(experiment).state == "done"  # type: ignore[union-attr]


def test_only_what_ended_early_can_be_resumed(runner: Runner) -> None:
    done = finished(runner, runner.submit(Line(seed=19)))
    with pytest.raises(ValueError, match="This run is done"):
        runner.resume(done.id)
    with pytest.raises(KeyError):
        runner.resume("nobody")
    stopped = runner.submit(Line(seed=20, steps=3000, pause=0.01))
    running(runner, stopped, step=7)
    runner.stop(stopped.id)
    finished(runner, stopped)
    path = runner.store.folder(stopped.id) / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DamagedFileError, match=r"checkpoint\.safetensors"):
        runner.resume(stopped.id)
    assert runner.resume(stopped.id).step == 0  # anew
    runner.stop(stopped.id)
    finished(runner, stopped)


def test_a_run_goes_on_beyond_its_end_as_another_run(runner: Runner) -> None:
    parent = finished(runner, runner.submit(Line(seed=21, steps=20)))
    child = finished(runner, runner.extend(parent.id, 15))
    assert (child.state, child.step, child.total) == ("done", 35, 35)
    assert (child.touched, child.parent) == (True, parent.id)
    assert [step for step, _ in runner.watch(child.id).previews] == [5, 10, 15, 20, 25, 30, 35]
    whole = Line(seed=21, steps=35).fit("cpu").state_dict()
    assert torch.equal(runner.store.load_weights(child.id)["weight"], whole["weight"])
    assert runner.find(Line(seed=21, steps=35)) is None  # a continuation does not answer for a declaration
    with pytest.raises(ValueError, match="less than or equal to 100000"):
        runner.extend(parent.id, 10**6)
    with pytest.raises(ValueError, match="at least 1"):
        runner.extend(parent.id, 0)


def test_the_learning_rate_changes_while_it_runs(runner: Runner) -> None:
    experiment = Line(seed=22, steps=5000, pause=0.01)
    run = runner.submit(experiment)
    running(runner, run, step=3)
    assert runner.control(run.id, learning_rate=0.003).touched
    until(lambda: runner.watch(run.id).metrics["rate"][-1] == 0.003)
    (event,) = runner.watch(run.id).run.events
    assert event["learning_rate"] == 0.003
    columns = runner.watch(run.id).metrics
    np.testing.assert_array_equal(columns["rate"], np.where(columns["step"] <= event["step"], 0.1, 0.003))
    assert runner.find(experiment) is None
    runner.stop(run.id)
    finished(runner, run)
    assert runner.store.get(run.id).events == (event,)
    with pytest.raises(ValueError, match="only a running one"):
        runner.control(run.id, learning_rate=0.1)
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="positive number"):
            runner.control(run.id, learning_rate=bad)


def test_the_queue_shows_places_and_has_an_end(runner: Runner) -> None:
    head = runner.submit(Line(seed=30, steps=5000, pause=0.01))
    waiting = [runner.submit(Line(seed=31 + k)) for k in range(3)]
    assert [runner.watch(run.id).place for run in waiting] == [1, 2, 3]
    with pytest.raises(QueueFullError, match="3 runs are waiting already"):
        runner.submit(Line(seed=40))
    assert runner.submit(Line(seed=32)).id == waiting[1].id  # joining needs no room
    runner.stop(waiting[0].id)
    assert runner.store.get(waiting[0].id).state == "cancelled"
    assert [runner.watch(run.id).place for run in waiting] == [0, 1, 2]
    assert finished(runner, runner.submit(Picture(steps=3))).state == "done"  # the other lane goes on
    with pytest.raises(ValueError, match="stop it first"):
        runner.delete(head.id)
    runner.stop(head.id)
    assert [finished(runner, run).state for run in waiting[1:]] == ["done", "done"]
    runner.delete(head.id)
    with pytest.raises(KeyError):
        runner.watch(head.id)


def test_a_job_finds_the_other_runs_where_this_store_keeps_them(runner: Runner) -> None:
    run = finished(runner, runner.submit(Picture(steps=2)))
    assert runner.store.load_artifact(run.id, "home.txt").decode() == str(runner.store.root)
    assert [step for step, _ in runner.watch(run.id).previews] == [1, 2]


def test_where_no_worker_can_start_runs_fail_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "COMMAND", [sys.executable, "-c", "raise SystemExit(3)"])
    runner = Runner(RunStore(tmp_path), threads=1)
    try:
        run = finished(runner, runner.submit(Line()))
        assert (run.state, run.reason) == ("failed", "No training process can be started here; see the server's log.")
    finally:
        runner.close()


def test_what_nobody_watches_goes_on_only_if_it_is_short_or_kept(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "lease", 1.0)
    monkeypatch.setattr(runner, "short", 30.0)
    state = lambda run: runner.store.get(run.id).state  # noqa: E731  looks without watching

    long = runner.submit(Line(steps=9999, pause=0.01))  # at least 100 s
    until(lambda: state(long) == "cancelled")
    assert "Nobody was watching" in runner.store.get(long.id).reason

    short = runner.submit(Line(steps=120, pause=0.02))  # at least 2.4 s, which is longer than the lease
    running(runner, short, step=3)
    until(lambda: state(short) not in ("queued", "running"))
    assert state(short) == "done"

    watched = runner.submit(Line(steps=9998, pause=0.01))
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        assert runner.watch(watched.id).live
        time.sleep(0.02)
    until(lambda: state(watched) == "cancelled")

    kept = runner.submit(Line(steps=9997, pause=0.01), keep=True)
    until(lambda: state(kept) == "running")
    time.sleep(2.0)
    assert state(kept) == "running"
    runner.keep(kept.id, False)
    until(lambda: state(kept) == "cancelled")


def test_close_interrupts_and_a_new_runner_takes_up(tmp_path: Path) -> None:
    first = Runner(RunStore(tmp_path), workers={"train": 1}, spare=0, threads=1)
    run = first.submit(Line(seed=50, steps=120, pause=0.01))
    queued = first.submit(Line(seed=51))
    running(first, run, step=12)
    until(lambda: first.store.get(run.id).checkpoint is not None)
    pids = [worker.pid for worker in first._pool.all]
    first.close()
    first.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    states = {name: first.store.get(name).state for name in (run.id, queued.id)}
    assert set(states.values()) == {"interrupted"}
    first.store.close()
    second = Runner(RunStore(tmp_path), workers={"train": 1}, spare=0, threads=1)
    try:
        second.resume(run.id)
        assert finished(second, run).state == "done"
        whole = Line(seed=50, steps=120).fit("cpu").state_dict()
        weights = load_file(second.store.folder(run.id) / "weights.safetensors")
        assert all(torch.equal(weights[name], whole[name]) for name in whole)
    finally:
        second.close()
    with pytest.raises(RuntimeError, match="closed"):
        second.submit(Line(seed=52))


def _pid_of(runner: Runner, run: Run) -> int:
    return next(worker.pid for worker, live in runner._busy.items() if live.run.id == run.id)
