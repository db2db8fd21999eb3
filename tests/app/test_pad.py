"""What the drawing pad sends is checked before it is believed."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.pad import MOST, validated

INSIDE = st.floats(-4, 4, width=32)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from(["drawn", "at"]), inner, max_size=2),
    max_leaves=12,
)


@given(st.lists(st.tuples(INSIDE, INSIDE), min_size=2, max_size=40))
def test_points_on_the_sheet_come_back(pairs: list[tuple[float, float]]) -> None:
    points = validated({"drawn": [value for pair in pairs for value in pair]})
    np.testing.assert_array_equal(points, np.array(pairs, np.float32))


@given(JSON)
def test_anything_else_is_nothing(sent: object) -> None:
    points = validated(sent)
    assert points is None or (points.ndim == 2 and points.shape[1] == 2 and np.isfinite(points).all())


def test_bad_numbers_and_too_many_are_nothing() -> None:
    assert validated({"drawn": [0.0, 1.0, math.nan, 0.0]}) is None
    assert validated({"drawn": [0.0, 1.0, 5.0, 0.0]}) is None
    assert validated({"drawn": [0.0, 1.0, True, 0.0]}) is None
    assert validated({"drawn": [0.0, 1.0, 10**400, 0.0]}) is None
    assert validated({"drawn": [0.0, 1.0]}) is None
    assert validated({"drawn": [0.0] * (2 * MOST + 2)}) is None
    assert validated({"drawn": [0.0] * (2 * MOST)}) is not None


def test_a_sheet_that_is_no_square_is_kept_to_on_both_axes() -> None:
    wide = (0.0, 10.0, -1.0, 1.0)
    np.testing.assert_array_equal(validated({"drawn": [9, 1, 0.5, -1]}, wide), [[9, 1], [0.5, -1]])
    assert validated({"drawn": [9, 2, 0.5, 0]}, wide) is None
    assert validated({"drawn": [-0.5, 0, 0.5, 0]}, wide) is None
