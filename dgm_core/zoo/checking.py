"""Checks that what is shipped loads, is what it says, and is as good as was written down."""

from __future__ import annotations

import json

import numpy as np
import torch

from dgm_core.checks import Check
from dgm_core.cnf.preview import EXACT, Flow, log_density
from dgm_core.film import Film, lattice
from dgm_core.zoo import reading
from dgm_core.zoo.codec import STEPS


def check(name: str) -> list[Check]:
    """Load a checkpoint and measure it again.

    The figure is measured on the same held-out points, so only rounding may differ; the film's last frame is p_1 at
    every cell that is above 1e-3 of the peak, within the composed map's error and rounding.

    Raises:
        KeyError: when nothing of that name is shipped.
        OSError, ValueError: when a file is missing or damaged.
    """
    recipe, model = reading.experiment(name), reading.load(name)
    record, held_out = reading.record(name), recipe.held_out()
    same = record["experiment"] == json.loads(recipe.canonical())
    found = held_out.figures(log_density(model, held_out.points, EXACT))
    film = reading.film(name)
    return [
        Check("declaration is the recipe's", float(same), 1.0, 0.0, "tolerance"),
        Check(
            "held-out NLL", found["nll"], record["figures"]["nll"], 0.005, "tolerance", "nats",
            source="recorded when it was made",
        ),
        Check(
            "film's last frame against log p", _film_error(film, model), 0.0, 0.02 + STEPS["log_prob"] / 2, "at most",
            "nats", note="99.9 % quantile",
        ),
        Check("training film's end", float(reading.training_film(name).times[-1]), recipe.steps, 0.0, "tolerance"),
    ]  # fmt: skip


def _film_error(film: Film, model: Flow) -> float:
    """99.9 % quantile of |Δ log p_1| over the cells above 1e-3 of the peak."""
    shown = film.log_prob[-1]
    cells = torch.from_numpy(lattice(film.extent, *shown.shape).reshape(-1, 2)).float()
    exact = log_density(model, cells, EXACT).numpy().reshape(shown.shape)
    seen = exact > exact.max() + np.log(1e-3)
    return float(np.quantile(np.abs(shown - exact)[seen], 0.999))
