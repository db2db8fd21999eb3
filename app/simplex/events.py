"""What comes back from the simplex stage in the browser, taken for what it is: anything at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from app.simplex.settings import CATEGORIES, TAU, probabilities

SLACK = 1e-6
"""By how much probabilities from a browser may miss the sum 1."""


@dataclass(frozen=True)
class SimplexEvent:
    """Where the stage has come to rest.

    Args:
        pi: the three probabilities.
        tau: the temperature; 0 is the argmax.
        number: how many times the user's browser has told where it rests; 0 for the page's own values.
    """

    pi: tuple[float, ...]
    tau: float
    number: int = 0

    def same(self, other: SimplexEvent) -> bool:
        """Whether both rest at the same place, to what a link keeps of it."""
        close = (math.isclose(a, b, abs_tol=SLACK) for a, b in zip(self.pi, other.pi, strict=True))
        return math.isclose(self.tau, other.tau, rel_tol=SLACK) and all(close)


def event_of(sent: object) -> SimplexEvent | None:
    """Read the component's value; what is no place on the stage counts as nothing.

    Args:
        sent: ``{"pi": [π₁, π₂, π₃], "tau": τ, "n": number}``, as the browser sent it.

    Example:
        >>> event_of({"pi": [0.5, 0.5, 0], "tau": 2, "n": 1})
        SimplexEvent(pi=(0.5, 0.5, 0.0), tau=2.0, number=1)
        >>> event_of({"pi": [0.9, 0.9, 0], "tau": 2, "n": 1}) is None
        True
    """
    if not isinstance(sent, Mapping):
        return None
    pi, tau, number = sent.get("pi"), _number(sent.get("tau")), sent.get("n")
    if not isinstance(pi, list) or len(pi) != CATEGORIES or type(number) is not int or not 0 < number < 2**53:
        return None
    weights = [value for value in map(_number, pi) if value is not None and 0 <= value <= 1]
    if len(weights) != CATEGORIES or abs(sum(weights) - 1) > SLACK:
        return None
    if tau is None or not TAU[0] <= tau <= TAU[1]:
        return None
    return SimplexEvent(probabilities(weights), tau, number)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
