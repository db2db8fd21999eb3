"""Reads what is shipped: safetensors, JSON and plain arrays, never pickle."""

from __future__ import annotations

import json
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file

from dgm_core.cnf.experiment import DensityFlow
from dgm_core.cnf.preview import Flow
from dgm_core.experiment import Experiment
from dgm_core.film import Film
from dgm_core.zoo.codec import decode
from dgm_core.zoo.recipes import RECIPES

ROOT = Path(__file__).parent
WEIGHTS, RECORD, METRICS, TRAINING, FILM = (
    "weights.safetensors",
    "run.json",
    "metrics.npz",
    "training.bin",
    "film.bin",
)


def names() -> tuple[str, ...]:
    """The shipped checkpoints' names.

    Example:
        >>> "cnf-8gaussians" in names()
        True
    """
    return tuple(RECIPES)


def experiment(name: str) -> DensityFlow:
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


def load(name: str) -> Flow:
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
    """``nll``, its standard error ``nll_error``, and ``gap`` where the target is known, all in nats."""
    return dict(record(name)["figures"])


def film(name: str) -> Film:
    """The film of p_t by `careful_film`: 60 frames with particles, arrows and grid; rounded as `codec.STEPS` says."""
    return _film(name, FILM)


def training_film(name: str) -> Film:
    """The film of the training; its times are steps."""
    return _film(name, TRAINING)


def metrics(name: str) -> dict[str, np.ndarray]:
    """The training's figures by name, each (T,), NaN where one was not measured; with ``step`` and ``seconds``."""
    with np.load(ROOT / _known(name) / METRICS, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


@lru_cache(maxsize=64)
def fingerprint(name: str) -> int:
    """A number below 10⁷ that other weights would not have (but for one chance in 10⁷)."""
    return zlib.crc32((ROOT / _known(name) / WEIGHTS).read_bytes()) % 10_000_000


def artifact(name: str, kind: str) -> bytes | None:
    """What a run of the same Experiment keeps under that name; ``film`` is the only one shipped."""
    return film(name).to_bytes() if kind == "film" else None


def _known(name: str) -> str:
    """The name itself, once it is known to be one that is shipped."""
    experiment(name)
    return name


def _film(name: str, file: str) -> Film:
    meta, arrays = decode((ROOT / _known(name) / file).read_bytes())
    return Film(np.array(meta["times"]), extent=tuple(meta["extent"]), **arrays)


@lru_cache(maxsize=1)
def _by_key() -> dict[str, str]:
    return {recipe.key: name for name, recipe in RECIPES.items()}
