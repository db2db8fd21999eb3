"""What the server asks of a worker: jobs, stops, changes on the way."""

from __future__ import annotations

import os
import queue
import threading
from typing import Any, BinaryIO

from dgm_core.runs.frames import read_frame


class Inbox:
    """Filled by one thread, read by the one that trains.

    Attributes:
        stopped: the runs that shall end.
        controls: changes by run, not yet handed to its training, e.g. ``{"learning_rate": 1e-4}``.
    """

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.stopped: set[str] = set()
        self.controls: dict[str, dict[str, float]] = {}

    def listen(self, stream: BinaryIO) -> None:
        """Take messages in from now on; at the stream's end, which is the server's end, this process exits at once."""
        threading.Thread(target=self._listen, args=(stream,), name="inbox", daemon=True).start()

    def _listen(self, stream: BinaryIO) -> None:
        try:
            while (message := read_frame(stream)) is not None:
                self.take(message[0])
        finally:
            os._exit(0)

    def take(self, meta: dict[str, Any]) -> None:
        """Take one message in."""
        match meta:
            case {"kind": "job", "job": job}:
                self.stopped.discard(job["run"])
                self.controls.pop(job["run"], None)
                self.jobs.put(job)
            case {"kind": "stop", "run": run}:
                self.stopped.add(run)
            case {"kind": "control", "run": run, "change": change}:
                self.controls[run] = {**self.controls.get(run, {}), **change}
