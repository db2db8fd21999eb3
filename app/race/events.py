"""What comes back from the race in the browser, taken for what it is: anything at all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CATEGORIES = (1, 20)
TAU = (0.0, 20.0)
SEEDS = (0, 999_999)
REACH = 50.0
"""Logits beyond this, either way, are no logits of a slider."""


@dataclass(frozen=True)
class RaceEvent:
    """Where the race rests.

    Args:
        logits: (K,), −∞ for a category that cannot be drawn.
        tau: the temperature; 0 is the argmax.
        seed: of the noise, or None where the browser did not say.
    """

    logits: tuple[float, ...]
    tau: float
    seed: int | None = None


def event_of(sent: object) -> RaceEvent | None:
    """Read the component's value; what is no state of a race counts as nothing.

    Args:
        sent: ``{"logits": [number or null, …], "tau": τ, "seed": s}``, as the browser sent them.

    Example:
        >>> event_of({"logits": [0.5, None], "tau": 2})
        RaceEvent(logits=(0.5, -inf), tau=2.0, seed=None)
        >>> event_of({"logits": [None], "tau": 2}) is None
        True
    """
    if not isinstance(sent, Mapping) or not isinstance(sent.get("logits"), list):
        return None
    logits, tau = [_logit(value) for value in sent["logits"]], _number(sent.get("tau"))
    if tau is None or not TAU[0] <= tau <= TAU[1] or not CATEGORIES[0] <= len(logits) <= CATEGORIES[1]:
        return None
    known = [value for value in logits if value is not None]
    seed = sent.get("seed")
    if seed is not None and not (type(seed) is int and SEEDS[0] <= seed <= SEEDS[1]):
        return None
    return RaceEvent(tuple(known), tau, seed) if len(known) == len(logits) and max(known) > -math.inf else None


def centred(logits: Sequence[float]) -> list[float | None]:
    """Logits as the browser's sliders show them: their mean at 0, null for −∞.

    Raises:
        ValueError: when no category can be drawn, a logit is NaN or +∞, or there are too few or too many.

    Example:
        >>> centred([3.0, 1.0, -float("inf")])
        [1.0, -1.0, None]
    """
    if not CATEGORIES[0] <= len(logits) <= CATEGORIES[1]:
        raise ValueError(f"a race has {CATEGORIES[0]} to {CATEGORIES[1]} categories, not {len(logits)}")
    if any(math.isnan(logit) or logit == math.inf for logit in logits) or max(logits) == -math.inf:
        raise ValueError("logits are numbers below infinity, one of them at least above −infinity")
    finite = [logit for logit in logits if logit > -math.inf]
    middle = sum(finite) / len(finite)
    return [logit - middle if logit > -math.inf else None for logit in logits]


def _logit(value: object) -> float | None:
    return -math.inf if value is None else _number(value, REACH)


def _number(value: object, reach: float = math.inf) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and abs(number) <= reach else None
