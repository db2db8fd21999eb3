"""Shipped checkpoints: trained models with their figures and films, so that every page opens on something trained.

Each is a folder beside this file, made by its Experiment's own training (``python -m dgm_core zoo``):
``weights.safetensors``, ``run.json`` (declaration and figures), ``metrics.npz``, ``training.bin`` and ``film.bin``.
"""

from __future__ import annotations

from dgm_core.zoo.checking import check
from dgm_core.zoo.making import make
from dgm_core.zoo.reading import (
    artifact,
    experiment,
    figures,
    film,
    find,
    fingerprint,
    load,
    metrics,
    names,
    training_film,
)
from dgm_core.zoo.recipes import RECIPES

__all__ = [
    "RECIPES",
    "artifact",
    "check",
    "experiment",
    "figures",
    "film",
    "find",
    "fingerprint",
    "load",
    "make",
    "metrics",
    "names",
    "training_film",
]
