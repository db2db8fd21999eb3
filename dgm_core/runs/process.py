"""The server's end of a worker process."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import dgm_core
from dgm_core.runs.frames import read_frame, write_frame

log = logging.getLogger(__name__)

COMMAND = [sys.executable, "-P", "-m", "dgm_core.runs.worker"]
"""-P keeps the folder that the app happens to be started from off the import path."""

Receive = Callable[["WorkerProcess", dict[str, Any], dict[str, np.ndarray]], None]
Ended = Callable[["WorkerProcess", int], None]


class WorkerProcess:
    """A worker that was started, with a thread that hands on what it sends.

    Args:
        receive: called with each message, in order, on that thread.
        ended: called once, with the exit status, when the process is gone; minus a signal's number if one killed it.
        home: the store's folder, where experiments that look at other runs find them.
    """

    def __init__(self, receive: Receive, ended: Ended, home: Path) -> None:
        self._receive, self._ended = receive, ended
        self._lock = threading.Lock()
        self.ready = False
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(home),
            start_new_session=True,
        )
        threading.Thread(target=self._read, name=f"worker {self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def send(self, meta: Mapping[str, Any]) -> None:
        """Send a message; to a process that is gone it is lost, and `ended` tells of that."""
        assert self._process.stdin is not None
        with self._lock, contextlib.suppress(OSError, ValueError):
            write_frame(self._process.stdin, meta)  # type: ignore[arg-type]

    def kill(self) -> None:
        """End the process now, whatever it is doing."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def wait(self, seconds: float) -> bool:
        """Wait until the process is gone; whether it is."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while (message := read_frame(self._process.stdout)) is not None:  # type: ignore[arg-type]
                self._receive(self, *message)
        except Exception:
            log.exception("worker %d is ended, since its messages cannot be handled", self.pid)
            self.kill()
        status = self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdout.close()
        self._ended(self, status)


def _environment(home: Path) -> dict[str, str]:
    """Ours, with the store's folder, and with this very dgm_core importable from any folder."""
    root = str(Path(dgm_core.__file__).resolve().parents[1])
    others = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry and entry != root]
    return {**os.environ, "DGM_HOME": str(home.resolve()), "PYTHONPATH": os.pathsep.join([root, *others])}
