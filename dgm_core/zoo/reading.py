"""Reads what is shipped: safetensors, JSON and plain arrays, never pickle."""

from __future__ import annotations

import json
import zlib
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from dgm_core.experiment import Experiment
from dgm_core.zoo.exhibit import exhibit_of
from dgm_core.zoo.recipes import RECIPES
from dgm_core.zoo.storage import loosened

ROOT = Path(__file__).parent
WEIGHTS, RECORD, METRICS = "weights.safetensors", "run.json", "metrics.npz"


def names(topic: str = "") -> tuple[str, ...]:
    """The shipped checkpoints' names, all or those of one topic.

    Example:
        >>> "cnf-8gaussians" in names()
        True
    """
    return tuple(name for name, recipe in RECIPES.items() if topic in ("", recipe.topic))


def experiment(name: str) -> Experiment:
    """The Experiment that a checkpoint is the result of.

    Raises:
        KeyError: when nothing of that name is shipped.
    """
    if name not in RECIPES:
        raise KeyError(f"nothing called {name!r} is shipped; there are {', '.join(RECIPES)}")
    return RECIPES[name]


def find(wanted: Experiment) -> str | None:
    """The checkpoint that answers for an Experiment, or None."""
    name = _by_key().get(wanted.key)
    return name if name is not None and (ROOT / name / WEIGHTS).exists() else None


def load(name: str) -> torch.nn.Module:
    """The trained model, on the CPU in evaluation mode.

    Raises:
        KeyError: when nothing of that name is shipped.
        FileNotFoundError: when it has not been made yet (``python -m dgm_core zoo``).
    """
    model = experiment(name).build()
    model.load_state_dict(load_file(ROOT / name / WEIGHTS))
    return model.eval()


def record(name: str) -> dict[str, Any]:
    """What was written down when the checkpoint was made: its declaration, figures, and how they were measured."""
    found: dict[str, Any] = json.loads((ROOT / _known(name) / RECORD).read_text())
    return found


def figures(name: str) -> dict[str, float]:
    """The figures that were written down when it was made: those that its topic's exhibit names."""
    return dict(record(name)["figures"])


def read(name: str, file: str) -> bytes:
    """One of a checkpoint's files.

    Raises:
        KeyError: when nothing of that name is shipped.
        FileNotFoundError: when it has no such file.
    """
    return loosened((ROOT / _known(name) / Path(file).name).read_bytes())


def metrics(name: str) -> dict[str, np.ndarray]:
    """The training's figures by name, each (T,), NaN where one was not measured; with ``step`` and ``seconds``."""
    with np.load(ROOT / _known(name) / METRICS, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


@lru_cache(maxsize=64)
def fingerprint(name: str) -> int:
    """A number below 10⁷ that other weights would not have (but for one chance in 10⁷)."""
    return zlib.crc32((ROOT / _known(name) / WEIGHTS).read_bytes()) % 10_000_000


def artifact(name: str, kind: str) -> bytes | None:
    """What a run of the same Experiment keeps under that name, or None where that is not shipped."""
    return exhibit_of(experiment(name)).artifact(kind, partial(read, name))


def _known(name: str) -> str:
    """The name itself, once it is known to be one that is shipped."""
    experiment(name)
    return name


@lru_cache(maxsize=1)
def _by_key() -> dict[str, str]:
    return {recipe.key: name for name, recipe in RECIPES.items()}
