"""The reel as a value: what it refuses, what it keeps, and which frame stands at which time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from dgm_core.pack import pack, unpack
from dgm_core.reel import Reel, pixels


def reel(frames: int = 3, **words: Any) -> Reel:
    return Reel(np.arange(float(frames)), np.zeros((frames, 2, 4, 5, 6), np.uint8), **words)


@given(
    frames=arrays_of.arrays(
        np.uint8,
        st.tuples(*[st.integers(1, 3)] * 3, st.integers(1, 5), st.integers(1, 5))
        | st.tuples(*[st.integers(1, 3)] * 5, st.just(3)),
    ),
    first=st.floats(-1e6, 1e6),
    words=st.lists(st.text(max_size=8), max_size=1),
    note=st.text(max_size=20),
)
@settings(max_examples=60, deadline=None)
def test_bytes_keep_everything(frames: np.ndarray, first: float, words: list[str], note: str) -> None:
    times = first + np.arange(len(frames))
    made = Reel(times, frames, tuple(words), tuple(words), "τ", note)
    read = Reel.from_bytes(made.to_bytes())
    np.testing.assert_array_equal(read.frames, frames)
    np.testing.assert_array_equal(read.times, times)
    assert (read.row_labels, read.column_labels, read.time_label, read.note) == (tuple(words), tuple(words), "τ", note)
    assert read.colour == (frames.ndim == 6)


@given(
    gaps=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20), at=st.floats(-2e4, 4e4), first=st.floats(-1e3, 1e3)
)
def test_the_frame_at_a_time_is_the_nearest_one(gaps: list[float], at: float, first: float) -> None:
    """No other frame's time is nearer, however far outside; the scale of float64's rounding apart."""
    times = first + np.cumsum([0.0, *gaps])
    made = Reel(times, np.arange(len(times), dtype=np.uint8).reshape(-1, 1, 1, 1, 1))
    index = made.index(at)
    assert abs(times[index] - at) <= np.abs(times - at).min() + 1e-9 * (1 + abs(at))
    assert made.at(at).item() == index


def test_of_two_equally_near_frames_the_earlier_is_shown() -> None:
    made = Reel(np.array([0.0, 1.0, 2.0]), np.zeros((3, 1, 1, 1, 1), np.uint8))
    assert [made.index(t) for t in (0.5, 1.5, -np.inf, np.inf)] == [0, 1, 0, 2]
    with pytest.raises(ValueError, match="no number"):
        made.at(float("nan"))


@pytest.mark.parametrize(
    ("times", "frames", "reason"),
    [
        (np.zeros(1), np.zeros((1, 2, 3, 4)), r"shape \(T, R, C, H, W\)"),
        (np.zeros(1), np.zeros((1, 2, 3, 4, 4)), "float64"),
        (np.zeros(1), np.zeros((1, 2, 3, 4, 4, 4), np.uint8), r"\(1, 2, 3, 4, 4, 4\)"),
        (np.zeros(0), np.zeros((0, 2, 3, 4, 4), np.uint8), "at least one"),
        (np.zeros(1), np.zeros((1, 2, 0, 4, 4), np.uint8), "at least one"),
        (np.arange(3.0), np.zeros((2, 2, 3, 4, 4), np.uint8), r"2 frames but times of shape \(3,\)"),
        (np.array([0.0, 0.0]), np.zeros((2, 2, 3, 4, 4), np.uint8), "increasing"),
        (np.array([0.0, np.nan]), np.zeros((2, 2, 3, 4, 4), np.uint8), "finite"),
        (np.array([0.0, np.inf]), np.zeros((2, 2, 3, 4, 4), np.uint8), "finite"),
    ],
)
def test_what_is_no_reel_is_refused(times: np.ndarray, frames: np.ndarray, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Reel(times, frames)


def test_labels_may_be_fewer_but_not_more() -> None:
    assert reel(row_labels=("input",)).row_labels == ("input",)
    with pytest.raises(ValueError, match="2 rows but 3 labels"):
        reel(row_labels=("a", "b", "c"))
    with pytest.raises(ValueError, match="4 columns but 5 labels"):
        reel(column_labels=tuple("abcde"))


def test_other_bytes_are_refused() -> None:
    whole = reel().to_bytes()
    meta, arrays = unpack(whole)
    broken = [
        whole[: len(whole) // 2],
        pack(meta, {"times": arrays["times"]}),
        pack({**meta, "colour": "red"}, arrays),
        pack({}, arrays),
        pack(meta, {**arrays, "times": arrays["times"][:1]}),
    ]
    for packed in broken:
        with pytest.raises(ValueError, match=r"\w"):
            Reel.from_bytes(packed)


def test_pixels_are_rounded_to_the_nearest_level() -> None:
    """v → round(255 v) to half a level; every level comes back; what is no brightness is black or white."""
    levels = np.arange(256)
    np.testing.assert_array_equal(pixels(levels / 255), levels)
    values = np.random.default_rng(0).uniform(0, 1, 1000)
    assert np.abs(pixels(values) - 255 * values).max() <= 0.5 + 1e-4
    np.testing.assert_array_equal(pixels(np.array([-3, 7, np.inf, -np.inf, np.nan])), [0, 255, 255, 0, 0])
