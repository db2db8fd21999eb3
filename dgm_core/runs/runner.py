"""The Runner: takes Experiments to where they can run, and streams back what they report.

It keeps warm worker processes, a bounded queue for each lane, and every live run's numbers in memory, so that looking
at a run costs nothing. Another Runner (a cluster's) can stand in for it: pages use only the public methods below.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from dgm_core.experiment import Experiment, Progress, problem
from dgm_core.runs.live import LiveRun, Snapshot
from dgm_core.runs.pool import Pool
from dgm_core.runs.process import WorkerProcess
from dgm_core.runs.record import Run, State
from dgm_core.runs.store import RunStore

log = logging.getLogger(__name__)

REMEMBERED = 24
"""Runs that have ended and are still known by heart."""
SAVING = 10.0
"""Seconds that a stopped worker has for writing its weights, once its training has let go."""


class QueueFullError(RuntimeError):
    """Too many runs are waiting; the message is one sentence for the screen."""


class Runner:
    """Runs Experiments in warm worker processes; safe for any number of threads. It alone writes the store.

    Args:
        store: where runs are kept.
        workers: how many runs of each lane go at once.
        spare: warm workers beyond these, so that one that dies is replaced at once.
        queue: how many runs of a lane may wait.
        lease: seconds after which a run that nobody looked at counts as unwatched; view runs wait at most 15.
        short: an unwatched run that needs at most this many seconds more goes on to its end.
        grace: seconds that a training has to let go when it is stopped; then its worker is killed.
        max_bytes: the store is pruned to this size when the Runner starts and whenever a run ends.
        threads: of torch's operators in each worker; by default the cores are shared among the lanes.

    Attributes:
        lease, short: as above; they may be changed at any time.
    """

    def __init__(
        self,
        store: RunStore,
        *,
        workers: Mapping[str, int] | None = None,
        spare: int = 1,
        queue: int = 16,
        lease: float = 75.0,
        short: float = 60.0,
        grace: float = 1.0,
        max_bytes: int = 2 << 30,
        threads: int | None = None,
    ) -> None:
        self.store = store
        self._slots = dict(workers or {"train": 1, "view": 1})
        self.lease, self.short = lease, short
        self._queue_length, self._grace = queue, grace
        self._max_bytes = max_bytes
        capacity = sum(self._slots.values())
        self._threads = threads or max(1, (os.cpu_count() or 1) // capacity)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._live: dict[str, LiveRun] = {}
        self._ended: OrderedDict[str, LiveRun] = OrderedDict()
        self._queues: dict[str, deque[LiveRun]] = {lane: deque() for lane in self._slots}
        self._busy: dict[WorkerProcess, LiveRun] = {}
        self._closed = False
        store.sweep()
        store.prune(max_bytes)
        self._pool = Pool(capacity + spare, self._receive, self._worker_ended)
        with self._lock:
            self._pool.fill()
        threading.Thread(target=self._keep_order, name="runner", daemon=True).start()
        atexit.register(self.close)

    # --- what pages call ----------------------------------------------------------------------------------------------

    def submit(
        self, experiment: Experiment, *, device: str = "auto", keep: bool = False, fresh: bool = False
    ) -> Run:  # fmt: skip
        """Start an Experiment, or join the run that it has already.

        Args:
            experiment: what to run.
            device: where; a run that is joined stays where it is.
            keep: let it go on and stay in the store though nobody watches.
            fresh: start anew even where there is a run already.

        Raises:
            QueueFullError: when too many are waiting.
        """
        with self._lock:
            self._must_be_open()
            known = None if fresh else self.find(experiment)
            if known is not None and known.state in ("queued", "running", "done"):
                if known.id in self._live:
                    self._live[known.id].watched = time.monotonic()
                return self.keep(known.id) if keep and not known.keep else known
            self._must_have_room(experiment.lane)
            run = self.store.create(experiment, device=device, keep=keep)
            return self._enqueue(LiveRun(run, experiment.lane))

    def find(self, experiment: Experiment) -> Run | None:
        """The run that answers best for an Experiment, or None."""
        with self._lock:
            for live in self._live.values():
                if live.run.key == experiment.key and not live.run.touched and live.ending is None:
                    return live.run
        run = self.store.find(experiment.key)
        with self._lock:
            return None if run is not None and run.id in self._live else run

    def watch(self, run_id: str, since: int = -1) -> Snapshot:
        """Look at a run, and so renew its lease.

        Args:
            run_id: which.
            since: the step of the last picture that the caller has.

        Raises:
            KeyError: when there is no such run.
        """
        with self._lock:
            live = self._live.get(run_id) or self._ended.get(run_id)
            if live is not None:
                live.watched = time.monotonic()
                return live.snapshot(self._place(live), since)
        live = self._load(run_id)
        with self._lock:
            if not live.run.live:
                self._remember(live)
            return live.snapshot(0, since)

    def wait(self, run_id: str, seconds: float) -> Run:
        """Wait until a run has ended, or for so long; returns the run as it then is.

        Raises:
            KeyError: when there is no such run.
        """
        until = time.monotonic() + seconds
        with self._changed:
            while (live := self._live.get(run_id)) is not None and (left := until - time.monotonic()) > 0:
                live.watched = time.monotonic()
                self._changed.wait(min(left, 1.0))
        return self.store.get(run_id)

    def stop(self, run_id: str) -> None:
        """End a run; what it has learned so far stays, and it can be resumed. One that has ended stays as it is."""
        self._end(run_id, "cancelled", "Stopped.")

    def resume(self, run_id: str) -> Run:
        """Let a run that ended early go on from its last checkpoint, or from the start where it has none.

        Raises:
            KeyError: when there is no such run.
            ValueError: when it is still running or is done.
            QueueFullError: when too many are waiting.
            DamagedFileError: when its checkpoint is damaged; it is set aside, and the next resume starts anew.
        """
        with self._lock:
            self._must_be_open()
            run = self.store.get(run_id)
            if not run.resumable:
                raise ValueError(f"This run is {run.state}; only one that ended early can be resumed.")
            lane = run.experiment.lane
            self._must_have_room(lane)
            step = self.store.checkpoint_step(run_id)
            self.store.rewind(run_id, step or 0)
            run = self.store.set_state(run_id, "queued", step=step or 0, checkpoint=step, finished=None)
            self._ended.pop(run_id, None)
            live = self._load(run_id)
            live.lane, live.resume = lane, step is not None
            return self._enqueue(live)

    def extend(self, run_id: str, more_steps: int) -> Run:
        """Continue a run beyond its end: a new run with more steps that goes on from the last checkpoint.

        Raises:
            KeyError: when there is no such run.
            ValueError: when it has no checkpoint, cannot have so many steps, or is still running.
            QueueFullError: when too many are waiting.
            DamagedFileError: when its checkpoint is damaged.
        """
        with self._lock:
            self._must_be_open()
            parent = self.store.get(run_id)
            if parent.live:
                raise ValueError("This run has not ended yet; stop it first, or wait.")
            longer = _longer(parent.experiment, more_steps)
            step = self.store.checkpoint_step(run_id)
            if step is None:
                raise ValueError("This run has no checkpoint to go on from.")
            self._must_have_room(longer.lane)
            run = self.store.create(longer, device=_asked(parent.device), keep=parent.keep, touched=True, parent=run_id)
            self.store.inherit(run.id, run_id, step)
            live = self._load(run.id)
            live.lane, live.resume = longer.lane, True
            return self._enqueue(live)

    def control(self, run_id: str, *, learning_rate: float) -> Run:
        """Change a running training; from now on it no longer answers for its Experiment.

        Raises:
            KeyError: when there is no such run.
            ValueError: when it is not running, or the value is no good.
        """
        if not 0 < learning_rate < float("inf"):
            raise ValueError("A learning rate is a positive number.")
        with self._lock:
            live = self._live.get(run_id)
            if live is None or live.run.state != "running":
                raise ValueError(f"This run is {self.store.get(run_id).state}; only a running one can be changed.")
            self._update(live, touched=True)
            for worker, other in self._busy.items():
                if other is live:
                    worker.send({"kind": "control", "run": run_id, "change": {"learning_rate": float(learning_rate)}})
            return live.run

    def keep(self, run_id: str, keep: bool = True) -> Run:
        """Let a run go on and stay in the store though nobody watches, or no longer."""
        with self._lock:
            live = self._live.get(run_id) or self._ended.get(run_id)
            if live is None:
                return self.store.update(run_id, keep=keep)
            return self._update(live, keep=keep)

    def delete(self, run_id: str) -> None:
        """Remove a run that has ended, and all its files.

        Raises:
            KeyError: when there is no such run.
            ValueError: when it is queued or running.
        """
        with self._lock:
            self.store.delete(run_id)
            self._ended.pop(run_id, None)

    def close(self) -> None:
        """End all workers at once; runs under way become interrupted and can be resumed later."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._pool.end()
            for live in list(self._live.values()):
                self._finish(live, *(live.ending or ("interrupted", "The server was stopped.")))
            self._queues = {lane: deque() for lane in self._slots}
            self._busy.clear()
            self._changed.notify_all()
        atexit.unregister(self.close)

    # --- queue --------------------------------------------------------------------------------------------------------

    def _enqueue(self, live: LiveRun) -> Run:
        live.watched = time.monotonic()
        self._live[live.run.id] = live
        self._queues[live.lane].append(live)
        self._dispatch()
        return live.run

    def _dispatch(self) -> None:
        """Give warm workers to the runs that are next."""
        for lane, queue in self._queues.items():
            busy = sum(1 for live in self._busy.values() if live.lane == lane)
            while queue and busy < self._slots[lane] and (worker := self._pool.take()) is not None:
                live = queue.popleft()
                busy += 1
                self._busy[worker] = live
                self._update(live, state="running", started=live.run.started or time.time())
                worker.send({"kind": "job", "job": self._job(live)})
                self._changed.notify_all()

    def _job(self, live: LiveRun) -> dict[str, Any]:
        return {
            "run": live.run.id, "canonical": live.run.canonical, "device": _asked(live.run.device),
            "folder": str(self.store.folder(live.run.id)), "resume": live.resume, "threads": self._threads,
        }  # fmt: skip

    def _place(self, live: LiveRun) -> int:
        queue = self._queues[live.lane]
        return queue.index(live) + 1 if live in queue else 0

    def _must_have_room(self, lane: str) -> None:
        if len(self._queues[lane]) >= self._queue_length:
            raise QueueFullError(
                f"{self._queue_length} runs are waiting already; please try again when one of them has ended."
            )

    def _must_be_open(self) -> None:
        if self._closed:
            raise RuntimeError("This Runner is closed.")

    # --- what workers say (on their reader threads) -------------------------------------------------------------------

    def _receive(self, worker: WorkerProcess, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        with self._lock:
            if self._closed:
                return
            if meta["kind"] == "ready":
                self._pool.made_ready(worker)
                self._dispatch()
                return
            live = self._busy.get(worker)
            if live is None or live.run.id != meta["run"]:
                return
        if meta["kind"] == "progress":
            self._progressed(live, meta, arrays)
        else:
            with self._lock:
                self._told(worker, live, meta)

    def _progressed(self, live: LiveRun, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        with self._lock:
            seconds = live.progress(meta, arrays)
        # The disk is slow, so the lock is not held; one run's reports come one after the other in any case.
        progress = Progress(int(meta["step"]), int(meta["total"]), meta["metrics"], arrays)
        self.store.add_progress(live.run.id, progress, seconds)

    def _told(self, worker: WorkerProcess, live: LiveRun, meta: dict[str, Any]) -> None:
        match meta:
            case {"kind": "started", "device": device}:
                self._update(live, device=device)
            case {"kind": "checkpoint", "step": step}:
                self._update(live, checkpoint=step)
            case {"kind": "control", "step": step, "learning_rate": rate}:
                self._update(live, events=(*live.run.events, {"step": step, "learning_rate": rate}))
            case {"kind": "stopping"}:
                live.deadline = time.monotonic() + SAVING
            case {"kind": "trained"}:
                live.trained = True
            case {"kind": "artifact", "name": name}:
                live.artifacts = (*live.artifacts, name)
            case {"kind": "end", "state": state, "reason": reason}:
                del self._busy[worker]
                self._finish(live, *_verdict(live, state, reason))
                self._pool.give_back(worker)
                self._dispatch()

    def _worker_ended(self, worker: WorkerProcess, status: int) -> None:
        with self._lock:
            self._pool.remove(worker)
            live = self._busy.pop(worker, None)
            if self._closed:
                return
            if live is not None:
                self._finish(live, *_death(live, status))
            if self._pool.broken:
                self._fail_waiting()
            self._pool.fill()
            self._dispatch()

    def _fail_waiting(self) -> None:
        why = "No training process can be started here; see the server's log."
        for queue in self._queues.values():
            while queue:
                self._finish(queue.popleft(), "failed", why)

    # --- ends ---------------------------------------------------------------------------------------------------------

    def _end(self, run_id: str, state: State, reason: str) -> None:
        with self._lock:
            live = self._live.get(run_id)
            if live is None:
                self.store.get(run_id)
                return
            queue = self._queues[live.lane]
            if live in queue:
                queue.remove(live)
                self._finish(live, state, reason if live.run.step else f"{reason} It had not begun.")
                return
            if live.ending is None:
                live.ending, live.deadline = (state, reason), time.monotonic() + self._grace
            for worker, other in self._busy.items():
                if other is live:
                    worker.send({"kind": "stop", "run": run_id})

    def _finish(self, live: LiveRun, state: State, reason: str) -> None:
        try:
            live.run = self.store.set_state(live.run.id, state, reason, step=live.run.step, total=live.run.total)
        except (OSError, KeyError):
            log.exception("run %s ended, but that cannot be written", live.run.id)
        live.ending = live.deadline = None
        self._live.pop(live.run.id, None)
        self._remember(live)
        self._changed.notify_all()

    def _update(self, live: LiveRun, **changes: Any) -> Run:
        if "state" in changes:
            live.run = self.store.set_state(live.run.id, **changes)
        else:
            live.run = self.store.update(live.run.id, step=live.run.step, total=live.run.total, **changes)
        return live.run

    # --- memory and upkeep --------------------------------------------------------------------------------------------

    def _remember(self, live: LiveRun) -> None:
        self._ended[live.run.id] = live
        self._ended.move_to_end(live.run.id)
        while len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)

    def _load(self, run_id: str) -> LiveRun:
        """A run's numbers from the store."""
        run, series = self.store.get(run_id), self.store.series(run_id)
        return LiveRun(
            run=run, lane="train", series=series, previews=self.store.previews(run_id),
            artifacts=self.store.artifacts(run_id), before=series.last_seconds, trained=run.state == "done",
        )  # fmt: skip

    def _keep_order(self) -> None:
        """Ten times a second: kill what does not let go, end what nobody watches, replace what is missing."""
        while not self._closed:
            time.sleep(0.1)
            try:
                with self._lock:
                    if not self._closed:
                        self._kill_overdue()
                        self._end_unwatched()
                        self._pool.fill()
            except Exception:  # this thread has to live as long as the server
                log.exception("the Runner's upkeep failed once")

    def _kill_overdue(self) -> None:
        for worker, live in self._busy.items():
            if live.deadline is not None and time.monotonic() > live.deadline:
                live.deadline = None
                worker.kill()

    def _end_unwatched(self) -> None:
        now = time.monotonic()
        for live in list(self._live.values()):
            lease = min(self.lease, 15.0) if live.lane == "view" else self.lease
            if live.run.keep or live.ending is not None or live.trained or now - live.watched <= lease:
                continue
            left = live.seconds_left()
            if left is None or left > self.short:
                need = "" if left is None else f" while it needed about {left:.0f} s more"
                self._end(live.run.id, "cancelled", f"Nobody was watching{need}; it can be resumed.")


def _asked(device: str) -> str:
    """The device to ask for: a run that is taken up again may find other devices than it had."""
    from dgm_core.device import available

    return device if device == "auto" or device.split(":")[0] in available() else "auto"


def _longer(experiment: Experiment, more_steps: int) -> Experiment:
    values = experiment.model_dump()
    if "steps" not in values:
        raise ValueError("This kind of run has no steps to add to.")
    if more_steps < 1:
        raise ValueError("The number of steps to add is at least 1.")
    try:
        return type(experiment)(**{**values, "steps": values["steps"] + more_steps})
    except ValidationError as error:
        raise ValueError(f"It cannot go on for {more_steps} more steps: {problem(error)}.") from error


def _verdict(live: LiveRun, state: State, reason: str) -> tuple[State, str]:
    """How a run ended that its worker has told the end of."""
    if state == "cancelled" and live.ending is not None:
        return live.ending
    return state, reason


def _death(live: LiveRun, status: int) -> tuple[State, str]:
    """How a run ended whose worker is gone."""
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    if live.trained:
        return "done", f"It is trained, but the process that made its results ended ({how})."
    if live.ending is not None:
        return live.ending
    kept = "its last checkpoint is kept" if live.run.checkpoint is not None else "it had no checkpoint yet"
    return "failed", f"The process that trained this run died ({how}); {kept}."
