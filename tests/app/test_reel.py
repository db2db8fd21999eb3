"""The reel player's Python side: settings, what is sent and what is left out, what comes back."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from app.film.bundle import bundle
from app.reel import SCRIPTS
from app.reel.events import ReelEvent, event_of
from app.reel.payload import encode, message
from app.reel.settings import DEFAULTS, options
from dgm_core.pack import unpack
from dgm_core.reel import Reel
from tests.browser.moving_blocks import blocks


def received(packed: bytes, held: dict[str, Reel]) -> Reel:
    """A browser in a few lines: what it shows after a message, given the reels it holds by digest."""
    meta, arrays = unpack(packed)
    base = held[meta["base"]] if meta["base"] else None
    times, frames = (base.times, base.frames) if base else (np.zeros(0), np.zeros((0, *meta["shape"]), np.uint8))
    if "reel" in arrays:
        _, fresh = unpack(arrays["reel"].tobytes())
        times, frames = np.concatenate([times, fresh["times"]]), np.concatenate([frames, fresh["frames"]])
    held[meta["digest"]] = shown = Reel(times, frames)
    return shown


def sent(reel: Reel, held: str | None) -> bytes:
    encoded = encode(reel)
    return message(encoded, {**options({}, reel), "digest": encoded.digest}, held)


def start(reel: Reel, frames: int) -> Reel:
    return Reel(reel.times[:frames], reel.frames[:frames], reel.row_labels, reel.column_labels)


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_the_browser_shows_what_python_has_however_the_reel_grows_or_shrinks(lengths: list[int]) -> None:
    """Each message tells only what is new, and after each the browser holds exactly Python's frames."""
    whole, last = blocks(12), None
    held: dict[str, Reel] = {}
    for frames in lengths:
        now = start(whole, frames)
        shown = received(sent(now, last), held)
        np.testing.assert_array_equal(shown.frames, now.frames)
        np.testing.assert_array_equal(shown.times, now.times)
        last = encode(now).digest


def test_what_the_browser_holds_is_not_sent_again() -> None:
    """Noise does not compress, so bytes count frames: of 31 frames after 30 one is sent, to 10 %."""
    noise = np.random.default_rng(0).integers(0, 256, (31, 3, 10, 28, 28), dtype=np.uint8)
    reel = Reel(np.arange(31.0), noise)
    first = start(reel, 30)
    words = len(sent(reel, encode(reel).digest))
    assert words < 1000
    one = len(sent(reel, encode(first).digest)) - words
    assert one == pytest.approx(noise[0].size, rel=0.1)
    assert len(sent(reel, None)) - words == pytest.approx(noise.size, rel=0.1)


@pytest.mark.parametrize("change", ["pixel", "time", "shape", "frame before"])
def test_another_reel_has_another_digest(change: str) -> None:
    reel = blocks(4)
    times, frames = reel.times.copy(), reel.frames.copy()
    if change == "pixel":
        frames[3, 2, 4, 7, 7] += 1
    elif change == "time":
        times[3] += 1e-9 * times[3]
    elif change == "shape":
        frames = frames.reshape(4, 5, 3, 8, 8)
    else:
        frames[0] += 1
    other = Reel(times, frames)
    assert encode(other).digest != encode(reel).digest
    assert encode(other).held(encode(reel).digest) == 0
    assert unpack(sent(other, encode(reel).digest))[0]["base"] is None


def test_a_reel_is_digested_once_and_forgotten_with_it() -> None:
    reel = blocks(3)
    made = encode(reel)
    assert encode(reel) is made
    assert encode(blocks(3)) is not made
    assert encode(blocks(3)).chain == made.chain
    kept = weakref.ref(reel.frames)
    del reel, made
    gc.collect()
    assert kept() is None


def test_settings_have_defaults_and_the_reels_words() -> None:
    told = options({}, blocks(3))
    assert {name: told[name] for name in DEFAULTS if name not in ("ends", "time_label")} == {
        name: value for name, value in DEFAULTS.items() if name not in ("ends", "time_label")
    }
    assert told["ends"] == ["start", "end"]
    assert (told["time_label"], told["row_labels"]) == ("step", ["input", "hard", "soft"])
    assert options({"time_label": "τ"}, blocks(3))["time_label"] == "τ"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"speed": 3}, "speed is 3"),
        ({"loop": "back"}, "loop is 'back'"),
        ({"height": 10}, "height of 10"),
        ({"time": float("nan")}, "must be a number"),
    ],
)
def test_what_cannot_be_shown_is_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        options(settings, blocks(3))  # type: ignore[arg-type]


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(TypeError, match="no setting 'colour'"):
        options({"colour": "red"}, blocks(3))  # type: ignore[typeddict-unknown-key]


def test_a_picked_image_and_the_time_shown_come_back() -> None:
    event = event_of({"cell": {"row": 2, "column": 4, "t": 300}, "time": 300.0}, blocks(4))
    assert event == ReelEvent((2, 4), 300.0, 300.0)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["row", "column", "t"]), inner),
    max_leaves=6,
)


@given(cell=junk, time=junk)
def test_whatever_a_browser_sends_is_an_image_of_the_reel_or_nothing(cell: object, time: object) -> None:
    event = event_of({"cell": cell, "time": time}, blocks(2))
    if event.cell is not None:
        row, column = event.cell
        assert 0 <= row < 3
        assert 0 <= column < 5
        assert event.time is not None
        assert np.isfinite(event.time)
    else:
        assert event.time is None
    assert event.shown is None or np.isfinite(event.shown)


def test_the_script_is_one_module_with_every_name_once() -> None:
    """Joined modules share one scope: a name declared twice would be a syntax error in the browser."""
    script = bundle(SCRIPTS)
    declared = [
        line.split()[1 + (line.split()[0] == "async")].split("(")[0].rstrip(";=")
        for line in script.splitlines()
        if line.startswith(("const ", "let ", "function ", "async function ", "class "))
    ]
    assert len(declared) > 20
    assert len(set(declared)) == len(declared)
    assert script.count("export ") == 1


def _page() -> None:
    import streamlit as st

    from app.reel import picked, reel_player
    from tests.browser.moving_blocks import blocks

    reel = blocks(3)
    st.session_state.known = picked("reel", reel)
    st.session_state.event = reel_player(reel, key="reel", alt="Blocks.", pick=True)


def test_the_player_mounts_and_remembers_what_it_sent() -> None:
    at = AppTest.from_function(_page, default_timeout=20).run()
    assert not at.exception
    assert at.session_state.event == at.session_state.known == ReelEvent()
    assert at.session_state["dgm:reel:reel"] == encode(blocks(3)).digest
