"""Warm worker processes in reserve, so that a job starts at once and a dead worker is replaced at once."""

from __future__ import annotations

import time
from pathlib import Path

from dgm_core.runs.process import Ended, Receive, WorkerProcess

GIVE_UP_AFTER = 3
"""Workers in a row that end before they are ready."""


class Pool:
    """Keeps a number of workers alive; whoever calls it holds the Runner's lock.

    Args:
        size: how many.
        receive, ended, home: handed to each worker.
    """

    def __init__(self, size: int, receive: Receive, ended: Ended, home: Path) -> None:
        self.size, self._receive, self._ended, self._home = size, receive, ended, home
        self.all: list[WorkerProcess] = []
        self.idle: list[WorkerProcess] = []
        self._failures, self._not_before = 0, 0.0

    @property
    def broken(self) -> bool:
        """Whether workers keep ending before they are ready."""
        return self._failures >= GIVE_UP_AFTER

    def fill(self) -> None:
        """Start one worker, if one is missing and none is starting: two at once would slow the server."""
        starting = any(not worker.ready for worker in self.all)
        if len(self.all) < self.size and not starting and time.monotonic() >= self._not_before:
            self.all.append(WorkerProcess(self._receive, self._ended, self._home))

    def made_ready(self, worker: WorkerProcess) -> None:
        """A worker said that it is warm."""
        worker.ready, self._failures = True, 0
        self.idle.append(worker)
        self.fill()

    def take(self) -> WorkerProcess | None:
        """A warm worker, no longer idle; None where there is none now."""
        return self.idle.pop(0) if self.idle else None

    def give_back(self, worker: WorkerProcess) -> None:
        """A worker has done its job."""
        if worker in self.all:
            self.idle.append(worker)

    def remove(self, worker: WorkerProcess) -> None:
        """A worker is gone."""
        self.all = [other for other in self.all if other is not worker]
        self.idle = [other for other in self.idle if other is not worker]
        if not worker.ready:
            self._failures += 1
            self._not_before = time.monotonic() + min(30.0, 0.5 * 2.0**self._failures)

    def end(self) -> None:
        """Kill every worker."""
        for worker in self.all:
            worker.kill()
        for worker in self.all:
            worker.wait(0.5)
        self.all, self.idle = [], []
