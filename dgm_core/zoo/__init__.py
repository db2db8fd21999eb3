"""Shipped checkpoints: trained models with their figures and films, so that every page opens on something trained.

Each is a folder beside this file, made by its Experiment's own training (``python -m dgm_core zoo``):
``weights.safetensors``, ``run.json`` (declaration and figures), ``metrics.npz``, and what the topic's `Exhibit` adds.
"""

from __future__ import annotations

from dgm_core.zoo.checking import check
from dgm_core.zoo.making import make
from dgm_core.zoo.reading import (
    artifact,
    experiment,
    figures,
    find,
    fingerprint,
    load,
    metrics,
    names,
    read,
)
from dgm_core.zoo.recipes import RECIPES

__all__ = [
    "RECIPES",
    "artifact",
    "check",
    "experiment",
    "figures",
    "find",
    "fingerprint",
    "load",
    "make",
    "metrics",
    "names",
    "read",
]
