"""Checks that what is shipped loads, is what it says, and is as good as was written down."""

from __future__ import annotations

import json

from dgm_core.checks import Check
from dgm_core.cnf.careful_film import last_frame_error
from dgm_core.cnf.preview import EXACT, log_density
from dgm_core.zoo import reading


def check(name: str) -> list[Check]:
    """Load a checkpoint and measure it again.

    The figure is measured on the same held-out points, so only rounding may differ; the film's last frame is p_1 within
    the composed map's error and rounding.

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
            "film's last frame against log p", last_frame_error(film, model, 0.95), 0.0, 0.15, "at most", "nats",
            note="95 % of the visible cells; the sharpest targets need it, others are within 0.05",
        ),
        Check("training film's end", float(reading.training_film(name).times[-1]), recipe.steps, 0.0, "tolerance"),
    ]  # fmt: skip
