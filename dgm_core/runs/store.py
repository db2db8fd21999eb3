"""The run store: what was trained on this machine, in one folder, for as long as the user wants it.

    ROOT/runs.sqlite                  runs and metrics (SQLite, WAL)
    ROOT/runs/ID/run.json             the run's line once more, should the database be lost
    ROOT/runs/ID/weights.safetensors  the model, with its declaration in the metadata
    ROOT/runs/ID/checkpoint.safetensors, previews/STEP.npz, artifacts/NAME, log.txt
    ROOT/damaged/                     what could not be read

Nothing is ever pickled. Every file is whole or absent.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
import sqlite3
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dgm_core.experiment import Experiment, Progress
from dgm_core.home import home
from dgm_core.runs import files
from dgm_core.runs.database import Database
from dgm_core.runs.files import DamagedFileError
from dgm_core.runs.folder import CHECKPOINT, METRICS, RECORD, WEIGHTS
from dgm_core.runs.owners import Owners
from dgm_core.runs.record import LIVE, Run, State
from dgm_core.runs.run_files import RunFiles
from dgm_core.runs.series import Series

log = logging.getLogger(__name__)

_RANK: dict[State, int] = {"done": 0, "running": 1, "queued": 2, "interrupted": 3, "cancelled": 4, "failed": 5}

Runs = list[Run]


class RunStore(RunFiles):
    """Runs on the disk; safe for any number of threads.

    Args:
        root: the folder; by default `dgm_core.home.home`.

    Attributes:
        problems: one sentence for each damaged file met so far.
    """

    def __init__(self, root: Path | None = None) -> None:
        super().__init__(root or home())
        self._lock = threading.RLock()
        self._owners = Owners(self.root / "owners")
        self._database = Database(self.root / "runs.sqlite", self._replace_database, self._index_folders)

    # --- runs ---------------------------------------------------------------------------------------------------------

    def create(
        self, experiment: Experiment, *, device: str = "auto", keep: bool = False, touched: bool = False,
        parent: str | None = None,
    ) -> Run:  # fmt: skip
        """A new run of an Experiment, queued."""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        run = Run(
            id=f"{stamp}-{experiment.topic or 'run'}-{secrets.token_hex(3)}", key=experiment.key,
            topic=experiment.topic, canonical=experiment.canonical(), created=time.time(), device=device, keep=keep,
            touched=touched, parent=parent, total=int(getattr(experiment, "steps", 0)),
        )  # fmt: skip
        self._owners.take(run.id)
        self.folder(run.id).mkdir(parents=True)
        return self._put(run)

    def get(self, run_id: str) -> Run:
        """One run.

        Raises:
            KeyError: when there is none of that name.
        """
        run = self._database.get(run_id)
        if run is None:
            raise KeyError(f"there is no run {run_id!r}")
        return run

    def list(self) -> Runs:
        """Every run, newest first."""
        return self._database.all()

    def find(self, key: str) -> Run | None:
        """The run that answers best for an Experiment's key: done before running before queued before the rest.

        Runs that were changed by hand never answer, and neither does one whose weights are gone.
        """
        for run in sorted(self._database.by_key(key), key=lambda run: _RANK[run.state]):
            if run.touched:
                continue
            if run.state == "done" and not self.has_weights(run.id):
                self._report(run.id, f"{run.id}/{WEIGHTS} is missing")
                self.update(run.id, state="failed", reason="Its weights are missing from the disk; train it again.")
                continue
            return run
        return None

    def update(self, run_id: str, **changes: Any) -> Run:
        """Change some of a run's fields.

        Raises:
            KeyError: when there is no such run.
        """
        with self._lock:
            return self._put(replace(self.get(run_id), **changes))

    def set_state(self, run_id: str, state: State, reason: str = "", **changes: Any) -> Run:
        """Say where a run stands; at its end its metrics are written to its folder too, and its size is taken."""
        now = time.time()
        if state == "running":
            changes.setdefault("started", now)
        if state not in LIVE:
            self._export_metrics(run_id)
            changes = {"finished": now, "size": files.size_of(self.folder(run_id)), **changes}
            self._owners.forget(run_id)
        else:
            self._owners.take(run_id)
        return self.update(run_id, state=state, reason=reason, **changes)

    def delete(self, run_id: str) -> None:
        """Remove a run and all its files.

        Raises:
            KeyError: when there is no such run.
            ValueError: while it is queued or running in a process that is alive.
        """
        run = self.get(run_id)
        if run.live and not self._owners.is_dead(run_id):
            raise ValueError(f"run {run_id} is {run.state}; stop it first")
        self._database.delete(run_id)
        shutil.rmtree(self.folder(run_id), ignore_errors=True)
        self._owners.forget(run_id)

    def prune(self, max_bytes: int) -> Runs:
        """Delete the runs that ended longest ago and that nobody asked to keep, until all fit into ``max_bytes``.

        Returns:
            What was deleted.
        """
        sizes = {run.id: files.size_of(self.folder(run.id)) for run in self.list()}
        total, gone = sum(sizes.values()), []
        for run in sorted(self.list(), key=lambda run: run.finished or run.created):
            if total <= max_bytes:
                break
            if run.keep or run.live:
                continue
            with contextlib.suppress(KeyError, ValueError):  # deleted or resumed by somebody else just now
                self.delete(run.id)
                total -= sizes[run.id]
                gone.append(run)
        return gone

    def sweep(self) -> Runs:
        """After a server was stopped or killed: its queued and running runs become interrupted, half files go.

        Returns:
            The runs that were interrupted.
        """
        lost = [run for run in self.list() if run.live and self._owners.is_dead(run.id)]
        for run in lost:
            files.remove_partial(self.folder(run.id))
            self.set_state(run.id, "interrupted", "The server ended while this run was under way.")
        return [self.get(run.id) for run in lost]

    # --- what a run reports -------------------------------------------------------------------------------------------

    def add_progress(self, run_id: str, progress: Progress, seconds: float = 0.0) -> None:
        """Keep one report of a training: its metrics, its preview, its checkpoint.

        Args:
            run_id: whose.
            progress: the report.
            seconds: of training so far.
        """
        self._database.put_metrics(run_id, [(progress.step, seconds, progress.metrics)])
        changes: dict[str, Any] = {"step": progress.step, "total": progress.total}
        if progress.preview:
            self._files(run_id).write_preview(progress.step, progress.preview)
        if progress.checkpoint is not None:
            self.save_checkpoint(run_id, progress.checkpoint, progress.step)
            changes["checkpoint"] = progress.step
        with self._lock:
            self._database.put(replace(self.get(run_id), **changes))

    def metrics(self, run_id: str) -> dict[str, np.ndarray]:
        """A run's numbers as columns of equal length: ``step``, ``seconds`` and each metric, NaN where not reported."""
        return self.series(run_id).columns()

    def series(self, run_id: str) -> Series:
        """A run's numbers as they were reported."""
        series = Series()
        for step, seconds, values in self._database.metrics(run_id):
            series.append(step, seconds, values)
        return series

    def rewind(self, run_id: str, step: int) -> None:
        """Forget what was reported after ``step``, since it will be reported again."""
        self._database.rewind(run_id, step)
        for at, path in self._files(run_id).previews():
            if at > step:
                path.unlink(missing_ok=True)

    def inherit(self, child: str, parent: str, step: int) -> None:
        """Copy what a run reported up to ``step``, and its checkpoint, to the run that continues it."""
        self._database.put_metrics(child, [row for row in self._database.metrics(parent) if row[0] <= step])
        source, copy = self._files(parent), self._files(child)
        (copy.path / "previews").mkdir(exist_ok=True)
        for at, path in source.previews():
            if at <= step:
                files.write_bytes(copy.path / "previews" / path.name, path.read_bytes())
        files.write_bytes(copy.checkpoint, source.checkpoint.read_bytes())
        self.update(child, step=step, checkpoint=step)

    def close(self) -> None:
        """Let go of the database, and of the runs under way."""
        self._owners.close()
        self._database.close()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _put(self, run: Run) -> Run:
        self._database.put(run)
        folder = self.folder(run.id)
        if folder.is_dir():
            files.write_bytes(folder / RECORD, run.to_json().encode())
        return run

    def _export_metrics(self, run_id: str) -> None:
        """A copy of the metrics beside the other files, so that a lost database costs nothing that has ended."""
        files.write_arrays(self.folder(run_id) / METRICS, self.metrics(run_id))

    def _replace_database(self, why: str) -> None:
        names = [f"runs.sqlite{suffix}" for suffix in ("", "-wal", "-shm")]
        places = [
            files.set_aside(self.root / name, self.root / "damaged") for name in names if (self.root / name).exists()
        ]
        sentence = f"The database runs.sqlite was damaged ({why}); it was moved to {places[0] if places else 'nowhere'}"
        log.warning(sentence)
        self.problems.append(f"{sentence}, and a fresh one was made from the runs' folders.")

    def _index_folders(self, fresh: Database) -> None:
        """Fill a fresh database from the runs' own folders."""
        for folder in sorted((self.root / "runs").iterdir()):
            path = folder / RECORD
            try:
                run = Run.from_json(path.read_text())
                if run.id != folder.name:
                    raise ValueError(f"it is the record of {run.id}")
                fresh.put(run)
                if (folder / METRICS).exists():
                    fresh.put_metrics(run.id, Series.from_columns(files.read_arrays(folder / METRICS)).rows())
            except (OSError, ValueError, DamagedFileError, sqlite3.Error) as error:
                self._report(folder.name, f"{path.name} or {METRICS} cannot be read ({error})")

    def _canonical(self, run_id: str) -> str:
        return self.get(run_id).canonical

    def _lost(self, run_id: str, name: str) -> None:
        """Let a run answer for a file that it has lost."""
        if name == WEIGHTS:
            self.update(run_id, state="failed", reason=f"Its {WEIGHTS} was damaged and set aside; train it again.")
        if name == CHECKPOINT:
            self.update(run_id, checkpoint=None)
