"""What the simplex stage is told and tells: checked in Python before and after the browser."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from streamlit.testing.v1 import AppTest

from app.simplex.events import SimplexEvent, event_of
from app.simplex.memory import Memory
from app.simplex.noise import stage_noise
from app.simplex.settings import COLOURS, options, probabilities
from dgm_core.pack import unpack

SCRIPT = Path(__file__).parents[1] / "browser" / "simplex_script.py"
START = SimplexEvent((0.6, 0.3, 0.1), 1.0)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["pi", "tau", "n", "seed"]), inner, max_size=4)
    ),
    max_leaves=12,
)
WEIGHT = st.floats(0, 1e300)


def told(**changes: Any) -> dict[str, Any]:
    given = {"pi": (1, 1, 1), "tau": 1, "samples": 10, "height": 400, "autoplay": None, "show": ("cloud",)}
    return options(**{**given, "mode": "soft", "scale": "log", **changes})


def place(tau: float, number: int = 0) -> SimplexEvent:
    return SimplexEvent(START.pi, tau, number)


@given(st.tuples(WEIGHT, WEIGHT, WEIGHT).filter(any))
def test_weights_become_probabilities(weights: tuple[float, float, float]) -> None:
    """However large or small: not negative, of sum 1 (1e-9), in the weights' ratio, and 0 stays 0 (1e-12)."""
    pi = probabilities(weights)
    assert sum(pi) == pytest.approx(1, abs=1e-9)
    top = max(weights)
    for p, weight in zip(pi, weights, strict=True):
        assert p >= 0
        assert p / max(pi) == pytest.approx(weight / top, abs=1e-12)


@pytest.mark.parametrize(
    "changes",
    [
        {"pi": (0, 0, 0)},
        {"pi": (1, -1, 1)},
        {"pi": (1, math.nan, 1)},
        {"pi": (1, math.inf, 1)},
        {"pi": (1, 1)},
        {"tau": -0.1},
        {"tau": math.nan},
        {"tau": 21},
        {"samples": 0},
        {"samples": 5001},
        {"height": 10},
        {"autoplay": "never"},
        {"show": ("clouds",)},
        {"mode": "softly"},
        {"scale": "loud"},
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_sentence(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]{20,140}$"):
        told(**changes)


@given(JSON)
def test_anything_at_all_from_a_browser_is_a_place_on_the_stage_or_nothing(sent: object) -> None:
    event = event_of(sent)
    if event is not None:
        assert sum(event.pi) == pytest.approx(1)
        assert 0 <= event.tau <= 20
        assert event.number > 0


@pytest.mark.parametrize(
    "sent",
    [
        {"pi": [0.5, 0.5, 0], "tau": 21, "n": 1},
        {"pi": [0.5, 0.5, 0], "tau": math.nan, "n": 1},
        {"pi": [0.5, 0.5, 0], "tau": 10**400, "n": 1},
        {"pi": [0.5, 0.5, 0], "tau": True, "n": 1},
        {"pi": [0.5, 0.5, 0], "tau": 1, "n": 0},
        {"pi": [0.5, 0.5, 0], "tau": 1},
        {"pi": [0.5, 0.5], "tau": 1, "n": 1},
        {"pi": [1.5, -0.5, 0], "tau": 1, "n": 1},
        {"pi": [0.5, 0.4, 0], "tau": 1, "n": 1},
        {"pi": "0.5", "tau": 1, "n": 1},
    ],
)
def test_a_place_that_is_none_is_nothing(sent: object) -> None:
    assert event_of(sent) is None


def test_the_hand_wins_until_the_page_asks_for_something_new() -> None:
    memory = Memory(START, START)
    assert memory.resolve(START, None) == START
    assert memory.resolve(START, place(5, 1)).tau == 5
    assert memory.resolve(START, place(5, 1)).tau == 5
    assert memory.resolve(place(0.2), place(5, 1)).tau == 0.2
    assert memory.revision == 1
    assert memory.resolve(place(0.2), place(5, 1)).tau == 0.2
    assert memory.resolve(place(0.2), place(3, 2)).tau == 3
    assert memory.revision == 1


def test_a_page_that_hands_back_what_it_was_told_holds_nobody_up() -> None:
    """Such a page is one rerun behind: the hand has moved on, and stays where it is; a preset still wins."""
    memory = Memory(START, START)
    assert memory.resolve(START, place(5, 1)).tau == 5
    assert memory.resolve(place(5), place(7, 2)).tau == 7
    assert memory.resolve(place(7), place(7, 2)).tau == 7
    assert memory.revision == 0
    assert memory.resolve(START, place(7, 2)).tau == 1
    assert memory.revision == 1


def test_a_stage_that_is_new_in_the_browser_is_heard_again() -> None:
    memory = Memory(START, START)
    memory.resolve(START, place(5, 9))
    memory.resolve(place(2), place(5, 9))
    assert memory.resolve(place(2), None).tau == 2
    assert memory.resolve(place(2), place(4, 1)).tau == 4


def test_the_noise_is_gumbel_and_the_same_for_the_same_seed() -> None:
    """Kolmogorov–Smirnov against scipy's law on 15,000 draws of a fixed seed: p > 0.01; another seed differs."""
    noise = stage_noise(3)
    assert noise.dtype == np.float32
    assert noise.shape == (5000, 3)
    assert np.isfinite(noise).all()
    assert stats.kstest(noise.ravel(), stats.gumbel_r.cdf).pvalue > 0.01
    assert not np.array_equal(noise, stage_noise(4))
    stage_noise.cache_clear()
    np.testing.assert_array_equal(noise, stage_noise(3))


def test_the_categories_stand_out_on_their_density() -> None:
    """Three hues, each with a contrast of 3 : 1 or more with the page's ground (WCAG 2.2, 1.4.11)."""
    for shade in ("light", "dark"):
        colours = COLOURS[shade]
        assert len({*colours["categories"]}) == 3
        for hue in colours["categories"]:
            assert contrast(hue, str(colours["rim"])) >= 3, (shade, hue)


def contrast(first: str, second: str) -> float:
    """WCAG's contrast ratio of two ``#rrggbb``."""
    lights = []
    for colour in (first, second):
        channels = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        lights.append(float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05)
    return max(lights) / min(lights)


def test_noise_travels_once() -> None:
    """The first message carries the noise; when the browser says that it holds it, it is left out."""
    app = AppTest.from_file(str(SCRIPT), default_timeout=30).run()
    assert not app.exception
    first = message(app)
    np.testing.assert_array_equal(first[1]["noise"], stage_noise(0))
    assert first[0]["pi"] == [0.6, 0.3, 0.1]
    app.session_state["stage"] = {"state": {"pi": [0.2, 0.8, 0.0], "tau": 0.0, "n": 1, "seed": 0}}
    app.run()
    assert '"tau": 0.0, "number": 1' in app.code[0].value
    meta, arrays = message(app)
    assert arrays == {}
    assert (meta["pi"], meta["tau"], meta["revision"]) == ([0.2, 0.8, 0.0], 0.0, 0)
    app.session_state["stage"] = {"state": {"pi": [0.2, 0.8, 0.0], "tau": 0.0, "n": 1, "seed": 0}, "want": 0}
    app.run()
    assert "noise" in message(app)[1]


def message(app: AppTest) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the component was sent."""
    proto = app.get("bidi_component")[0].proto
    return unpack(proto.bytes)
