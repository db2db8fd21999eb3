"""Which process a queued or running run belongs to, and whether that process is still alive.

The owner holds a lock on a small file for as long as it lives; the operating system lets go of it however the process
ends. So a second server, or the command line, never takes a run that is under way for one that was left behind.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # pragma: no cover  Windows has no such locks; there every owner that is not ours counts as dead
    fcntl = None  # type: ignore[assignment]


class Owners:
    """Locks of the runs under way in one folder, one file a run.

    Args:
        folder: where the lock files stand; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._held: dict[str, IO[str]] = {}

    def take(self, run_id: str) -> None:
        """Own a run until `forget` or until this process ends."""
        if run_id not in self._held:
            file = (self._folder / run_id).open("w")
            _lock(file)
            self._held[run_id] = file

    def forget(self, run_id: str) -> None:
        """Let go of a run and remove its lock file."""
        file = self._held.pop(run_id, None)
        if file is not None:
            file.close()
        (self._folder / run_id).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of every run, as the end of the process does."""
        while self._held:
            self._held.popitem()[1].close()

    def is_dead(self, run_id: str) -> bool:
        """Whether no living process owns the run."""
        if run_id in self._held:
            return False
        path = self._folder / run_id
        if not path.exists() or fcntl is None:
            return True
        with path.open("w") as file:
            return _lock(file)


def _lock(file: IO[str]) -> bool:
    """Try to lock; whether that worked."""
    if fcntl is None:  # pragma: no cover
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
