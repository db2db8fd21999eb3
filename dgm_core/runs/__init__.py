"""Runs: what was trained, where it is kept, and the processes that train it."""

from dgm_core.runs.files import DamagedFileError
from dgm_core.runs.live import Snapshot
from dgm_core.runs.record import Run, State
from dgm_core.runs.runner import QueueFullError, Runner
from dgm_core.runs.store import RunStore

__all__ = ["DamagedFileError", "QueueFullError", "Run", "RunStore", "Runner", "Snapshot", "State"]
