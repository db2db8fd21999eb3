"""Behind the Runner: queues, warm workers, what they say, how runs end, and the upkeep of it all."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict, deque
from typing import Any

import numpy as np

from dgm_core.experiment import Progress
from dgm_core.runs.live import LiveRun
from dgm_core.runs.pool import Pool
from dgm_core.runs.process import WorkerProcess
from dgm_core.runs.record import Run, State
from dgm_core.runs.store import RunStore
from dgm_core.runs.verdicts import asked, death, verdict

log = logging.getLogger(__name__)

REMEMBERED = 24
"""Runs that have ended and are still known by heart."""
SAVING = 10.0
"""Seconds that a stopped worker has for writing its weights, once its training has let go."""


class Engine:
    """Gives queued runs to warm workers. Whoever calls its methods holds ``_lock``, unless they say otherwise.

    Args:
        store: where runs are kept.
        slots: how many runs of each lane go at once.
        spare: warm workers beyond these.
        threads: of torch's operators in each worker; None shares the cores among the lanes.
        max_bytes: what the store may take; the oldest runs that nobody keeps go first.
    """

    lease: float
    short: float
    _grace: float

    def __init__(
        self, store: RunStore, slots: dict[str, int], spare: int, threads: int | None, max_bytes: int
    ) -> None:  # fmt: skip
        self.store = store
        self._slots, self._max_bytes = slots, max_bytes
        capacity = sum(slots.values())
        self._threads = threads or max(1, (os.cpu_count() or 1) // capacity)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._live: dict[str, LiveRun] = {}
        self._ended: OrderedDict[str, LiveRun] = OrderedDict()
        self._queues: dict[str, deque[LiveRun]] = {lane: deque() for lane in slots}
        self._busy: dict[WorkerProcess, LiveRun] = {}
        self._closed = False
        self._tidy_at = 0.0
        self._pool = Pool(capacity + spare, self._receive, self._worker_ended, store.root)
        with self._lock:
            self._pool.fill()
        threading.Thread(target=self._keep_order, name="runner", daemon=True).start()

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
            "run": live.run.id, "canonical": live.run.canonical, "device": asked(live.run.device),
            "folder": str(self.store.folder(live.run.id)), "resume": live.resume, "threads": self._threads,
        }  # fmt: skip

    def _place(self, live: LiveRun) -> int:
        queue = self._queues[live.lane]
        return queue.index(live) + 1 if live in queue else 0

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
                self._finish(live, *verdict(live, state, reason))
                self._pool.give_back(worker)
                self._dispatch()

    def _worker_ended(self, worker: WorkerProcess, status: int) -> None:
        with self._lock:
            self._pool.remove(worker)
            live = self._busy.pop(worker, None)
            if self._closed:
                return
            if live is not None:
                self._finish(live, *death(live, status))
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
        self._tidy_at = min(self._tidy_at, time.monotonic() + 60)
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
                self._tidy()
            except Exception:  # this thread has to live as long as the server
                log.exception("the Runner's upkeep failed once")

    def _tidy(self) -> None:
        """Prune the store at the start and, once a minute at most, after runs have ended; takes the lock by itself."""
        if time.monotonic() < self._tidy_at:
            return
        self._tidy_at = float("inf")
        for run in self.store.prune(self._max_bytes):
            with self._lock:
                self._ended.pop(run.id, None)

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
