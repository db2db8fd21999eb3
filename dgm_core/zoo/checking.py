"""Checks that what is shipped loads, is what it says, and is as good as was written down."""

from __future__ import annotations

from functools import partial

from dgm_core.checks import Check
from dgm_core.zoo import reading
from dgm_core.zoo.exhibit import exhibit_of


def check(name: str) -> list[Check]:
    """Load a checkpoint and measure it again, as its topic says.

    Raises:
        KeyError: when nothing of that name is shipped.
        OSError, ValueError: when a file is missing or damaged.
    """
    recipe = reading.experiment(name)
    return exhibit_of(recipe).checks(
        recipe, reading.load(name), reading.record(name), partial(reading.read, name)
    )  # fmt: skip
