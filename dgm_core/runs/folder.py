"""One run's folder: what stands where. The worker that trains writes here, and so does the store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from dgm_core.runs import files

WEIGHTS, CHECKPOINT, RECORD, METRICS = "weights.safetensors", "checkpoint.safetensors", "run.json", "metrics.npz"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class RunFolder:
    """Reads and writes the files of one run; each is whole or absent.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def weights(self) -> Path:
        """The model's state, with its declaration in the metadata."""
        return self.path / WEIGHTS

    @property
    def checkpoint(self) -> Path:
        """What is needed to go on, with its step in the metadata."""
        return self.path / CHECKPOINT

    def write_weights(self, weights: Mapping[str, Tensor], canonical: str) -> None:
        """Write a model's state and the declaration that made it."""
        files.write_tensors(self.weights, weights, {"experiment": canonical})

    def write_checkpoint(self, checkpoint: Mapping[str, Tensor], step: int) -> None:
        """Write what is needed to go on from ``step``."""
        files.write_tensors(self.checkpoint, checkpoint, {"step": str(step)})

    def checkpoint_step(self) -> int | None:
        """The checkpoint's step, read from the file itself; None where there is none.

        Raises:
            DamagedFileError: when the file is damaged.
        """
        return int(files.read_metadata(self.checkpoint).get("step", 0)) if self.checkpoint.exists() else None

    def write_preview(self, step: int, preview: Mapping[str, np.ndarray]) -> None:
        """Write the picture of one step."""
        (self.path / "previews").mkdir(exist_ok=True)
        files.write_arrays(self.path / "previews" / f"{step:09d}.npz", preview)

    def previews(self) -> list[tuple[int, Path]]:
        """The steps that have a picture, in order, and their files."""
        found = sorted((self.path / "previews").glob("*.npz"))
        return [(int(path.stem), path) for path in found if path.stem.isdecimal()]

    def artifact(self, name: str) -> Path:
        """Where a result in bytes stands.

        Raises:
            ValueError: for a name that is no plain file name.
        """
        if not NAME.fullmatch(name) or name.endswith(files.PARTIAL):
            raise ValueError(f"{name!r} is no name for an artifact; use letters, digits, dot, dash and underscore")
        return self.path / "artifacts" / name

    def write_artifact(self, name: str, content: bytes) -> None:
        """Write a result in bytes, such as a film."""
        path = self.artifact(name)
        path.parent.mkdir(exist_ok=True)
        files.write_bytes(path, content)

    def artifacts(self) -> tuple[str, ...]:
        """The names of all results."""
        found = (self.path / "artifacts").glob("*")
        return tuple(sorted(path.name for path in found if path.suffix != files.PARTIAL))

    def write_log(self, text: str) -> None:
        """Add to the run's log, where a traceback goes that no user has to read."""
        with (self.path / "log.txt").open("a", encoding="utf-8") as file:
            file.write(text)
