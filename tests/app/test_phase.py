"""What the phase plane is told and tells, checked in Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from app.phase import PhaseEvent, PhaseView, Plot, Series, Variant
from app.phase.events import event_of
from app.phase.payload import encode, spans
from app.phase.settings import options
from dgm_core.pack import unpack

SCRIPT = Path(__file__).parents[1] / "browser" / "phase_script.py"
TIMES = np.linspace(0, 1, 5)
RNG = np.random.default_rng(0)


def variant(steps: int, stages: int = 0, rejected: int = 0) -> Variant:
    shape = (steps, stages, 2)
    return Variant(
        f"{steps}", np.linspace(0, 1, steps + 1), RNG.normal(size=(steps + 1, 3, 2)),
        RNG.normal(size=shape) if stages else None, RNG.normal(size=shape) if stages else None,
        RNG.uniform(size=rejected), RNG.normal(size=(rejected, 2)),
    )  # fmt: skip


VIEW = PhaseView(
    TIMES, (-1.0, 1.0, -2.0, 2.0), flow=RNG.normal(size=(5, 3, 2)), variants=(variant(2), variant(4, 3, 2)),
    field=RNG.normal(size=(1, 6, 6, 2)),
    plots=(Plot("Error", np.array([1.0, 2.0]), [Series("e", np.ones(2))], "knob"),),
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=9,
)


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("times", np.zeros(5), "increase"),
        ("times", np.array([0.0, 1.0, np.nan, 2.0, 3.0]), "increase"),
        ("times", np.linspace(0, 1, 4), "flow"),
        ("window", (1.0, -1.0, 0.0, 1.0), "window"),
        ("window", (0.0, np.inf, 0.0, 1.0), "window"),
        ("flow", np.zeros((5, 4, 2)), "trajectories"),
        ("flow", np.zeros((5, 3)), "flow"),
        ("variants", (variant(2),) * 401, "variants"),
        ("drive", "frame", "frames"),
        ("field", np.zeros((2, 6, 6, 2)), "field"),
        ("surface", np.zeros((3, 4, 4)), "surface"),
        ("arrow_points", np.zeros((4, 1, 2)), "arrow_points"),
        ("flow", np.zeros((5, 3, 4)), "dimensions"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name: str, value: object, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        replace(VIEW, **{name: value})  # type: ignore[arg-type]


def test_too_many_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        PhaseView(np.arange(3000.0), (-1, 1, -1, 1), flow=np.zeros((3000, 1500, 2), np.float32))


def test_a_view_needs_something_to_show() -> None:
    with pytest.raises(ValueError, match="flow or a variant"):
        PhaseView(TIMES, (-1, 1, -1, 1))


def test_stages_need_their_moves() -> None:
    with pytest.raises(ValueError, match="moves"):
        Variant("a", np.array([0.0, 1.0]), np.zeros((2, 1, 2)), np.zeros((1, 2, 2)))


def test_a_rejected_step_needs_its_place() -> None:
    with pytest.raises(ValueError, match="rejected"):
        Variant("a", np.array([0.0, 1.0]), np.zeros((2, 1, 2)), rejected_times=np.zeros(2))


def test_the_bytes_hold_every_variant_one_after_the_other() -> None:
    """Read back by hand: offsets of each variant's knots, states, stages and rejected steps, in single precision."""
    meta, arrays = unpack(encode(VIEW).packed)
    assert meta["labels"] == ["2", "4"]
    assert meta["stages"] == [0, 3]
    assert arrays["counts"].tolist() == [3, 5]
    assert arrays["tried"].tolist() == [0, 2]
    first, second = VIEW.variants
    np.testing.assert_array_equal(arrays["knots"], np.concatenate([first.times, second.times]))
    np.testing.assert_array_equal(arrays["states"][:18], first.states.astype(np.float32).ravel())
    np.testing.assert_array_equal(arrays["states"][18:], second.states.astype(np.float32).ravel())
    assert second.stage_points is not None
    np.testing.assert_array_equal(arrays["stage_points"], second.stage_points.astype(np.float32).ravel())
    np.testing.assert_array_equal(arrays["plot_x"], np.array([1, 2], np.float32))


def test_the_same_view_is_encoded_once() -> None:
    assert encode(VIEW) is encode(VIEW)
    assert encode(replace(VIEW)).digest == encode(VIEW).digest
    assert encode(replace(VIEW, window=(-1.0, 1.0, -2.0, 3.0))).digest != encode(VIEW).digest


def test_the_third_coordinate_spans_what_is_finite() -> None:
    flow = np.zeros((5, 2, 3))
    flow[..., 2] = np.arange(10).reshape(5, 2)
    flow[-1, -1, 2] = np.inf
    assert spans(PhaseView(TIMES, (-1, 1, -1, 1), flow=flow))[2] == [0.0, 8.0]


@pytest.mark.parametrize(
    ("given_", "word"),
    [
        ({"speed": 3}, "speed"), ({"loop": "never"}, "loop"), ({"mode": "cube"}, "mode"), ({"height": 5}, "pixels"),
        ({"layers": ("sky",)}, "sky"), ({"names": {"sky": "a"}}, "sky"), ({"knob": -1}, "knob"),
        ({"knob": 1.0}, "knob"), ({"time": float("nan")}, "time"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_shown_are_refused(given_: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        options(given_)


def test_a_name_that_is_no_setting_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        options({"colour": "red"})  # type: ignore[typeddict-unknown-key]


@given(JSON, JSON)
def test_whatever_a_browser_sends_is_an_event(knob: object, time: object) -> None:
    event = event_of({"knob": knob, "time": time}, VIEW)
    assert event.variant in (None, 0, 1)
    assert event.shown is None or np.isfinite(event.shown)


def test_events_are_read() -> None:
    assert event_of({"knob": 1, "time": 0.5}, VIEW) == PhaseEvent(1, 0.5)
    assert event_of({"knob": True, "time": 10**400}, VIEW) == PhaseEvent()


def test_the_script_runs() -> None:
    app = AppTest.from_file(str(SCRIPT), default_timeout=30).run()
    assert not app.exception
    assert '"variant": null' in app.code[0].value
