"""What the race is told and what it tells: only states of a race pass."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.race.events import RaceEvent, centred, event_of

INFINITY = float("inf")


def test_a_state_is_read() -> None:
    assert event_of({"logits": [1, -0.5, None], "tau": 0.3, "n": 5}) == RaceEvent((1.0, -0.5, -INFINITY), 0.3)
    assert event_of({"logits": [1], "tau": 0, "seed": 999_999}) == RaceEvent((1.0,), 0.0, 999_999)


@pytest.mark.parametrize(
    "sent",
    [
        None, 3, "x", {}, {"logits": []}, {"logits": [], "tau": 1}, {"logits": [0] * 21, "tau": 1},
        {"logits": [None, None], "tau": 1}, {"logits": [0, "1"], "tau": 1}, {"logits": [0, True], "tau": 1},
        {"logits": [0, 1e9], "tau": 1}, {"logits": [0, 10**400], "tau": 1}, {"logits": [0], "tau": -1},
        {"logits": [0], "tau": 21}, {"logits": [0], "tau": None}, {"logits": [0], "tau": math.nan},
        {"logits": [0, math.nan], "tau": 1}, {"logits": [0], "tau": 1, "seed": -1},
        {"logits": [0], "tau": 1, "seed": 1e6},
        {"logits": [0], "tau": 1, "seed": True}, {"logits": [0], "tau": 1, "seed": 10**400},
    ],
)  # fmt: skip
def test_anything_else_counts_as_nothing(sent: object) -> None:
    assert event_of(sent) is None


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from(["logits", "tau", "seed", "n"]), x)))  # fmt: skip
def test_nothing_from_a_browser_raises(sent: object) -> None:
    found = event_of(sent)
    assert found is None or (1 <= len(found.logits) <= 20 and max(found.logits) > -INFINITY)


def test_logits_are_centred_and_json() -> None:
    shown = centred([2.0, 0.0, -INFINITY])
    assert shown == [1.0, -1.0, None]
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize("logits", [[], [0.0] * 21, [-INFINITY], [INFINITY], [float("nan"), 0.0]])
def test_logits_that_mean_nothing_are_refused(logits: list[float]) -> None:
    with pytest.raises(ValueError, match=r"categories|logits"):
        centred(logits)
