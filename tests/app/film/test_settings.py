"""What the player is told and what it tells: bounds, shapes, and values from a browser that may be anything."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.figures.palette import DATA, MODEL
from app.film import FilmEvent
from app.film.bundle import bundle, colour_tables
from app.film.events import event_of
from app.film.settings import ACCENTS, options, overlay

EXTENT = (-4.0, 4.0, -3.0, 3.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colours", "jet"), ("speed", 3), ("scale", "sqrt"), ("normalise", "row"), ("loop", "twice"),
        ("layers", ("density", "smoke")), ("log_range", 0), ("log_range", math.nan), ("ellipse_radius", -1),
        ("height", 5), ("height", 1e9), ("time", math.inf),
    ],
)  # fmt: skip
def test_a_setting_out_of_bounds_is_named(name: str, value: Any) -> None:
    word = "layer" if name == "layers" else name
    with pytest.raises(ValueError, match=word):
        options({name: value})  # type: ignore[misc]


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(TypeError, match="colour"):
        options({"colour": "viridis"})  # type: ignore[typeddict-unknown-key]


def test_numbers_of_numpy_become_plain() -> None:
    told = options({"time": np.float32(0.5), "ends": ("noise", "image"), "height": np.int64(300)})  # type: ignore[typeddict-item]
    assert (type(told["time"]), told["ends"], type(told["height"])) == (float, ["noise", "image"], int)


def test_meanings_have_the_palettes_colours() -> None:
    assert ACCENTS["data"] == {"light": DATA.light, "dark": DATA.dark}
    assert ACCENTS["model"] == {"light": MODEL.light, "dark": MODEL.dark}


@pytest.mark.parametrize("shape", [(6,), (5, 2), (6, 3), (6, 2, 1)])
def test_an_overlay_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"path has shape .*; the film needs \(6, 2\)"):
        overlay("path", np.zeros(shape), (6, 2))


def test_an_empty_overlay_is_none() -> None:
    assert overlay("points", np.zeros((0, 2)), (None, 2)) is None
    assert overlay("points", None, (None, 2)) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyt"), inner, max_size=3),
    max_leaves=6,
)


@given(json_values, json_values)
def test_anything_from_a_browser_is_a_point_in_the_plane_or_none(point: Any, time: Any) -> None:
    event = event_of({"point": point, "time": time}, EXTENT)
    if event.point is not None:
        assert EXTENT[0] <= event.point[0] <= EXTENT[1]
        assert EXTENT[2] <= event.point[1] <= EXTENT[3]
        assert event.time is not None
        assert math.isfinite(event.time)
    assert event.shown is None or math.isfinite(event.shown)


def test_a_point_comes_back_as_it_was_sent() -> None:
    assert event_of({"point": {"x": 4, "y": -3.0, "t": 0.25}, "time": 1}, EXTENT) == FilmEvent((4.0, -3.0), 0.25, 1.0)
    assert event_of({"point": {"x": True, "y": 0, "t": 0}}, EXTENT) == FilmEvent()
    assert event_of({"point": {"x": 10**400, "y": 0, "t": 0}}, EXTENT) == FilmEvent()
    assert event_of({}, EXTENT) == FilmEvent()


def test_modules_become_one_script(tmp_path: Any) -> None:
    (tmp_path / "a.js").write_text("export const one = 1;\nexport function two() {}\n")
    (tmp_path / "b.js").write_text('import {\n  one,\n} from "./a.js";\nexport default () => one;\n')
    script = bundle([tmp_path / "a.js", tmp_path / "b.js"])
    assert script == "const one = 1;\nfunction two() {}\n\nexport default () => one;\n"
    (tmp_path / "c.js").write_text('  import x from "./a.js";\n')
    with pytest.raises(ValueError, match=r"c\.js"):
        bundle([tmp_path / "c.js"])


def test_the_colour_tables_are_one_statement() -> None:
    script = colour_tables()
    assert script.startswith("const COLOUR_TABLES = {")
    assert all(f'{name}: "' in script for name in ("viridis", "magma", "inferno", "cividis"))
