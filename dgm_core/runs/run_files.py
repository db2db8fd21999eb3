"""The files of the runs: weights, checkpoints, pictures, artifacts; and what is done with a damaged one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from dgm_core.runs import files
from dgm_core.runs.files import DamagedFileError
from dgm_core.runs.folder import CHECKPOINT, NAME, WEIGHTS, RunFolder

log = logging.getLogger(__name__)

Previews = list[tuple[int, dict[str, np.ndarray]]]


class RunFiles:
    """Reads and writes files by their run's id; what is damaged is reported by name and set aside.

    Args:
        root: the store's folder.

    Attributes:
        problems: one sentence for each damaged file met so far.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "runs").mkdir(parents=True, exist_ok=True)
        self.problems: list[str] = []

    def folder(self, run_id: str) -> Path:
        """A run's folder.

        Raises:
            KeyError: for a name that no run can have.
        """
        if not NAME.fullmatch(run_id):
            raise KeyError(f"there is no run {run_id!r}")
        return self.root / "runs" / run_id

    def save_weights(self, run_id: str, weights: Mapping[str, Tensor]) -> None:
        """Write a model's state, with the declaration that made it."""
        self._files(run_id).write_weights(weights, self._canonical(run_id))

    def load_weights(self, run_id: str) -> dict[str, Tensor]:
        """Read a model's state.

        Raises:
            FileNotFoundError: when the run has none.
            DamagedFileError: when the file is damaged; it is set aside, and the run has failed.
        """
        return self._load(run_id, WEIGHTS)

    def has_weights(self, run_id: str) -> bool:
        """Whether there is a model to load."""
        return self._files(run_id).weights.exists()

    def save_checkpoint(self, run_id: str, checkpoint: Mapping[str, Tensor], step: int) -> None:
        """Write what is needed to go on from ``step``."""
        self._files(run_id).write_checkpoint(checkpoint, step)

    def load_checkpoint(self, run_id: str) -> dict[str, Tensor]:
        """Read what is needed to go on.

        Raises:
            FileNotFoundError: when the run has none.
            DamagedFileError: when the file is damaged; it is set aside, and the run can only start anew.
        """
        return self._load(run_id, CHECKPOINT)

    def checkpoint_step(self, run_id: str) -> int | None:
        """The step of a run's checkpoint, read from the file itself; None where there is none.

        Raises:
            DamagedFileError: when the file is damaged; it is set aside, and the run can only start anew.
        """
        folder = self._files(run_id)
        try:
            return folder.checkpoint_step()
        except DamagedFileError as error:
            raise self._set_aside(run_id, folder.checkpoint, error) from error

    def save_artifact(self, run_id: str, name: str, content: bytes) -> None:
        """Keep a result in bytes, such as a film.

        Raises:
            ValueError: for a name that is no plain file name.
        """
        self._files(run_id).write_artifact(name, content)

    def load_artifact(self, run_id: str, name: str) -> bytes:
        """Read a result back.

        Raises:
            FileNotFoundError: when the run has none of that name.
        """
        return self._files(run_id).artifact(name).read_bytes()

    def artifacts(self, run_id: str) -> tuple[str, ...]:
        """The names of a run's results."""
        return self._files(run_id).artifacts()

    def report_damaged(self, run_id: str, relative: str, error: Exception) -> DamagedFileError:
        """Set aside a file of a run that a reader outside the store (an artifact's decoder) found damaged."""
        return self._set_aside(run_id, self.folder(run_id) / relative, DamagedFileError(f"{relative}: {error}"))

    def previews(self, run_id: str, since: int = -1) -> Previews:
        """The preview arrays of all steps after ``since``, by step. A damaged one is set aside and left out."""
        found: Previews = []
        for step, path in self._files(run_id).previews():
            if step > since:
                try:
                    found.append((step, files.read_arrays(path)))
                except FileNotFoundError:  # deleted meanwhile
                    continue
                except DamagedFileError as error:
                    self._set_aside(run_id, path, error)
        return found

    def _canonical(self, run_id: str) -> str:
        """The declaration of a run."""
        raise NotImplementedError

    def _lost(self, run_id: str, name: str) -> None:
        """Called when a run has lost a file."""
        raise NotImplementedError

    def _files(self, run_id: str) -> RunFolder:
        return RunFolder(self.folder(run_id))

    def _load(self, run_id: str, name: str) -> dict[str, Tensor]:
        path = self.folder(run_id) / name
        try:
            return files.read_tensors(path)
        except DamagedFileError as error:
            raise self._set_aside(run_id, path, error) from error

    def _set_aside(self, run_id: str, path: Path, error: Exception) -> DamagedFileError:
        """Move a damaged file away, and let its run answer for it."""
        place = files.set_aside(path, self.root / "damaged", run_id) if path.exists() else path
        sentence = f"{error}; it was moved to {place}"
        self._report(run_id, sentence)
        self._lost(run_id, path.name)
        return DamagedFileError(f"Run {run_id}: {sentence}")

    def _report(self, run_id: str, sentence: str) -> None:
        log.warning("run %s: %s", run_id, sentence)
        self.problems.append(f"Run {run_id}: {sentence}.")
