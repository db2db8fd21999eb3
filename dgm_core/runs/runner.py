"""The Runner: takes Experiments to where they can run, and streams back what they report.

It keeps warm worker processes, a bounded queue for each lane, and every live run's numbers in memory, so that looking
at a run costs nothing. Another Runner (a cluster's) can stand in for it: pages use only the public methods below.
"""

from __future__ import annotations

import atexit
import time
from collections import deque
from collections.abc import Mapping

from dgm_core.experiment import Experiment
from dgm_core.runs.engine import Engine
from dgm_core.runs.live import LiveRun, Snapshot
from dgm_core.runs.record import Run
from dgm_core.runs.store import RunStore
from dgm_core.runs.verdicts import asked, longer


class QueueFullError(RuntimeError):
    """Too many runs are waiting; the message is one sentence for the screen."""


class Runner(Engine):
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
        self.lease, self.short, self._grace = lease, short, grace
        self._queue_length = queue
        store.sweep()
        super().__init__(store, dict(workers or {"train": 1, "view": 1}), spare, threads, max_bytes)
        atexit.register(self.close)

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
            more = longer(parent.experiment, more_steps)
            step = self.store.checkpoint_step(run_id)
            if step is None:
                raise ValueError("This run has no checkpoint to go on from.")
            self._must_have_room(more.lane)
            run = self.store.create(more, device=asked(parent.device), keep=parent.keep, touched=True, parent=run_id)
            self.store.inherit(run.id, run_id, step)
            live = self._load(run.id)
            live.lane, live.resume = more.lane, True
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

    def _must_have_room(self, lane: str) -> None:
        if len(self._queues[lane]) >= self._queue_length:
            raise QueueFullError(
                f"{self._queue_length} runs are waiting already; please try again when one of them has ended."
            )

    def _must_be_open(self) -> None:
        if self._closed:
            raise RuntimeError("This Runner is closed.")
