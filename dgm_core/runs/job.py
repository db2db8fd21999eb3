"""What a worker does with one run: make the Experiment, run its generator, report, save. No process is made here."""

from __future__ import annotations

import gc
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dgm_core import registry
from dgm_core.device import resolve
from dgm_core.errors import DataError
from dgm_core.experiment import Control, Experiment, Progress, TrainingFailedError
from dgm_core.runs import files
from dgm_core.runs.folder import RunFolder
from dgm_core.runs.inbox import Inbox

Send = Callable[[dict[str, Any], Mapping[str, np.ndarray]], None]
REPORT_EVERY = 0.05
"""Seconds between reports; what comes faster is merged, pictures excepted."""


@dataclass(frozen=True)
class Job:
    """One run as a worker is told of it.

    Args:
        run: its id.
        canonical: its Experiment's declaration.
        device: a device's name, or ``"auto"``.
        folder: where weights, checkpoints and artifacts go.
        resume: whether to go on from the checkpoint in that folder.
        threads: for torch's operators.
    """

    run: str
    canonical: str
    device: str
    folder: str
    resume: bool = False
    threads: int = 1


def perform(job: Job, inbox: Inbox, send: Send) -> None:
    """Train to the end, to a stop or to a failure, and say how it ended; nothing is raised."""
    folder = RunFolder(Path(job.folder))
    try:
        torch.set_num_threads(job.threads)
        state, reason = _Training(job, folder, inbox, send).run()
    except Exception as error:  # noqa: BLE001  a topic may fail in any way; the run says how, the worker lives on
        folder.write_log(traceback.format_exc())
        state, reason = "failed", sentence(error)
    send({"kind": "end", "run": job.run, "state": state, "reason": reason}, {})
    if torch.cuda.is_available():  # what a failed run held would be missing to the next
        gc.collect()
        torch.cuda.empty_cache()


def sentence(error: BaseException) -> str:
    """Why a run failed, in one sentence for the screen."""
    if isinstance(error, TrainingFailedError | DataError):
        return str(error)
    if isinstance(error, torch.OutOfMemoryError):
        return "The GPU is out of memory for this setting; try a smaller batch or a smaller model."
    if isinstance(error, MemoryError):
        return "This machine is out of memory for this setting; try a smaller batch or a smaller model."
    first = (str(error).strip() or "no message").splitlines()[0][:200].rstrip(".")
    return f"The training stopped with {type(error).__name__}: {first}."


class _Training:
    """One run from its declaration to its artifacts."""

    def __init__(self, job: Job, folder: RunFolder, inbox: Inbox, send: Send) -> None:
        self.job, self.folder, self.inbox = job, folder, inbox
        self.experiment: Experiment = registry.from_canonical(job.canonical)
        self.device = resolve(job.device)
        self.reports = _Reports(job.run, send)
        self.checkpoints = _Checkpoints(folder, self.reports)

    def run(self) -> tuple[str, str]:
        """Train, save, make the artifacts; returns the run's last state and the reason for it."""
        torch.manual_seed(int(getattr(self.experiment, "seed", 0)))
        model = self.experiment.build().to(self.device)
        resume = files.read_tensors(self.folder.checkpoint) if self.job.resume else None
        self.reports.say("started", device=str(self.device))
        self.reports.start()
        try:
            stopped = self._train(model, resume)
        finally:  # the generator leaves usable weights however it ends
            self.reports.close()
            self.checkpoints.flush()
            self._save(model)
        if stopped:
            return "cancelled", ""
        self.reports.say("trained")
        return "done", self._artifacts(model.eval())

    def _train(self, model: torch.nn.Module, resume: Mapping[str, torch.Tensor] | None) -> bool:
        """Run the generator; whether it was stopped."""
        training = self.experiment.train(model, self.device, resume)
        try:
            progress = next(training)
            while True:
                self.reports.add(progress)
                self.checkpoints.add(progress)
                if self.job.run in self.inbox.stopped:
                    training.close()
                    self.reports.say("stopping")
                    return True
                asked = self.inbox.controls.pop(self.job.run, None)
                if asked:
                    self.reports.say("control", step=progress.step, **asked)
                progress = training.send(Control(**asked) if asked else None)
        except StopIteration:
            return False

    def _save(self, model: torch.nn.Module) -> None:
        weights = model.state_dict()
        if all(bool(torch.isfinite(w).all()) for w in weights.values() if w.is_floating_point()):
            self.folder.write_weights(weights, self.job.canonical)

    def _artifacts(self, model: torch.nn.Module) -> str:
        """Make the artifacts; a failure here costs them, not the trained model. Returns the reason, if there is one."""
        try:
            for name, content in self.experiment.artifacts(model, self.device):
                self.folder.write_artifact(name, content)
                self.reports.say("artifact", name=name)
                if self.job.run in self.inbox.stopped:
                    return "Stopped after the training, before all its results were made."
        except Exception as error:  # noqa: BLE001  see above
            self.folder.write_log(traceback.format_exc())
            return f"It is trained, but a result could not be made. {sentence(error)}"
        return ""


class _Reports:
    """Sends Progress a few times a second: numbers merged, no picture lost, nothing held back for long."""

    def __init__(self, run: str, send: Send) -> None:
        self._run, self._send = run, send
        self._began = time.monotonic()
        self._sent = -REPORT_EVERY
        self._merged: dict[str, float] = {}
        self._pending: dict[str, Any] | None = None
        self._lock = threading.RLock()
        self._over = threading.Event()

    def start(self) -> None:
        """From now on nothing is held back for long, however long a step takes."""
        threading.Thread(target=self._send_late, name="reports", daemon=True).start()

    def close(self) -> None:
        """Send what is held back, and end the thread."""
        self._over.set()
        self.flush()

    def say(self, kind: str, **content: Any) -> None:
        """Send anything else, after the numbers that came before it."""
        with self._lock:
            self.flush()
            self._send({"kind": kind, "run": self._run, **content}, {})

    def add(self, progress: Progress) -> None:
        """Report, at once where there is a picture or enough time has gone by."""
        now = time.monotonic() - self._began
        with self._lock:
            self._merged.update({name: float(value) for name, value in progress.metrics.items()})
            self._pending = {"step": progress.step, "total": progress.total, "seconds": now, "metrics": self._merged}
            if progress.preview or now - self._sent >= REPORT_EVERY:
                self.flush(progress.preview)

    def flush(self, preview: Mapping[str, np.ndarray] | None = None) -> None:
        """Send what is held back."""
        with self._lock:
            if self._pending is not None:
                self._sent = time.monotonic() - self._began
                self._send({"kind": "progress", "run": self._run, **self._pending}, preview or {})
                self._pending, self._merged = None, {}

    def _send_late(self) -> None:
        while not self._over.wait(REPORT_EVERY):
            self.flush()


class _Checkpoints:
    """Writes checkpoints, but spends at most a tenth of the time on it; the last one is written in any case."""

    def __init__(self, folder: RunFolder, reports: _Reports) -> None:
        self._folder, self._reports = folder, reports
        self._held: tuple[Mapping[str, torch.Tensor], int] | None = None
        self._next = 0.0

    def add(self, progress: Progress) -> None:
        """Take the newest checkpoint, if there is one, and write it when its time has come."""
        if progress.checkpoint is not None:
            self._held = (progress.checkpoint, progress.step)
            if time.monotonic() >= self._next:
                self.flush()

    def flush(self) -> None:
        """Write what is held back."""
        if self._held is not None:
            began = time.monotonic()
            checkpoint, step = self._held
            self._folder.write_checkpoint(checkpoint, step)
            self._held = None
            self._reports.say("checkpoint", step=step)
            self._next = time.monotonic() + max(0.2, 10 * (time.monotonic() - began))
