"""What the plane's stage is told and tells, checked in Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from app.voronoi import PlaneEvent, PlaneView
from app.voronoi.events import event_of
from app.voronoi.payload import LONGEST, encode, enlargement
from app.voronoi.settings import options
from dgm_core.pack import unpack
from dgm_core.vqvae.plane_view import CodebookPlane

SCRIPT = Path(__file__).parents[1] / "browser" / "voronoi_script.py"
FILM = CodebookPlane(codes=5, count=40, steps=12, start="corner", patience=4).film()
VIEW = PlaneView.of(FILM)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["point", "code", "t"]), inner),
    max_leaves=9,
)


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("steps", np.arange(13) // 2, "increasing"),
        ("steps", np.arange(3), "frames|shape"),
        ("points", np.zeros((40, 3)), "points"),
        ("points", np.zeros((0, 2)), "points"),
        ("codes", np.zeros((13, 65, 2)), "codes"),
        ("codes", np.zeros((13, 2)), "codes"),
        ("assignment", FILM.indices.astype(np.float32), "assignment"),
        ("assignment", FILM.indices + 5, "assignment"),
        ("distortion", np.zeros(12), "distortion"),
        ("reconstruction", np.zeros(12), "reconstruction"),
        ("outputs", FILM.z[1:], "outputs"),
        ("used", np.zeros((13, 4), bool), "used"),
        ("codebook", FILM.straight, "codebook"),
        ("gradient", FILM.pull, "gradient"),
        ("commitment", FILM.pull, "commitment"),
        ("kmeans_codes", np.zeros((4, 2)), "kmeans_codes"),
        ("kmeans_distortion", float("inf"), "k-means"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name: str, value: object, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        replace(VIEW, **{name: value})


def test_too_many_frames_are_refused() -> None:
    frames, points = 2000, 1500
    with pytest.raises(ValueError, match="too many"):
        PlaneView(
            np.arange(frames), np.zeros((points, 2)), np.zeros((frames, 1, 2)), np.zeros((frames, points), int),
            np.zeros(frames),
        )  # fmt: skip


def test_without_an_encoder_outputs_are_the_points() -> None:
    bare = PlaneView.of(FILM, encoder=False)
    assert (bare.outputs, bare.commitment, bare.gradient, bare.reconstruction) == (None, None, None, None)
    assert bare.codebook is FILM.pull


def test_a_code_is_alive_that_is_nearest_to_some_output() -> None:
    """Against the exhaustive search in float64."""
    for t in range(len(FILM.steps)):
        apart = ((FILM.z[t, :, None].astype(float) - FILM.codes[t].astype(float)) ** 2).sum(-1)
        assert VIEW.alive[t].tolist() == [k in apart.argmin(1) for k in range(5)], t
    given = replace(VIEW, used=np.ones((13, 5), bool))
    assert given.alive.all()


@given(st.integers(0, 10_000), st.floats(0.01, 1000), st.floats(-1e3, 1e3))
def test_the_window_is_a_square_round_everything(seed: int, size: float, shift: float) -> None:
    """Unless a code has flown more than five times the points' size away."""
    rng = np.random.default_rng(seed)
    points = shift + size * rng.uniform(-1, 1, (30, 2))
    codes = shift + size * rng.normal(0, 3, (4, 3, 2))
    view = PlaneView(np.arange(4), points, codes, np.zeros((4, 30), int), np.zeros(4))
    x0, x1, y0, y1 = view.window
    assert x1 - x0 == pytest.approx(y1 - y0, abs=1e-5)
    assert (points > [x0, y0]).all()
    assert (points < [x1, y1]).all()
    centre, reach = (points.max(0) + points.min(0)) / 2, 2.5 * np.ptp(points, axis=0).max()
    near = codes[(np.abs(codes - centre) <= reach).all(-1)]
    assert (near > [x0, y0]).all()
    assert (near < [x1, y1]).all()
    assert x1 - x0 <= 1.17 * 2 * reach


def test_what_is_not_finite_has_no_say_in_the_window() -> None:
    codes = np.array([[[np.nan, 0.0], [np.inf, 1.0], [0.5, 0.5]]])
    view = PlaneView(np.array([0]), np.eye(2), codes, np.zeros((1, 2), int), np.zeros(1))
    assert np.isfinite(view.window).all()


@given(st.floats(1e-4, 1e4), st.floats(0.1, 100))
def test_arrows_are_enlarged_by_a_plain_number(length: float, width: float) -> None:
    """1, 2 or 5 times a power of ten: the largest with which nine in ten stay within the bound; never below 1."""
    arrows = np.zeros((2, 50, 2))
    arrows[..., 0] = np.linspace(0.5, 1, 50) * length
    factor = enlargement([arrows, None], width)
    typical = np.quantile(np.linspace(0.5, 1, 50) * length, 0.9)
    assert str(f"{factor:e}")[0] in "125"
    if typical > 1e-5 * width:
        assert factor == 1 or factor * typical <= LONGEST * width * (1 + 1e-9)
        assert factor * 2.5 * typical >= LONGEST * width * (1 - 1e-9)
    assert factor >= 1


def test_what_the_browser_reads_is_the_view() -> None:
    encoded = encode(VIEW)
    meta, arrays = unpack(encoded.packed)
    assert tuple(meta["extent"]) == VIEW.window
    assert meta["kmeans_distortion"] == FILM.kmeans_distortion
    for name, array in (
        ("codes", FILM.codes), ("outputs", FILM.z), ("assignment", FILM.indices), ("codebook", FILM.pull),
        ("gradient", FILM.straight), ("commitment", FILM.commit), ("distortion", FILM.distortion),
        ("reconstruction", FILM.reconstruction), ("restarted", FILM.restarted), ("alive", VIEW.alive),
    ):  # fmt: skip
        assert np.array_equal(arrays[name], array), name
    assert encode(VIEW) is encoded
    assert encode(replace(VIEW)).digest == encoded.digest
    assert encode(replace(VIEW, kmeans_distortion=None)).digest != encoded.digest


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"speed": 3}, "speed"), ({"loop": "twice"}, "loop"), ({"curve": "square"}, "curve"),
        ({"layers": ("cells", "fog")}, "fog"), ({"height": 20}, "height"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_shown_are_refused(settings: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        options(settings)


def test_a_name_that_is_no_setting_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        options({"colour": "red"})  # type: ignore[typeddict-unknown-key]


@given(JSON, JSON)
def test_nothing_that_comes_back_breaks_it(pick: object, time: object) -> None:
    event = event_of({"pick": pick, "time": time}, VIEW)
    assert event.code is None or 0 <= event.code < 5
    assert event.point is None or (event.code is not None and 0 <= event.point < 40)
    assert event.shown is None or np.isfinite(event.shown)


def test_a_pick_is_read() -> None:
    assert event_of({"pick": {"point": 7, "code": 2, "t": 3}, "time": 4.5}, VIEW) == PlaneEvent(7, 2, 3.0, 4.5)
    assert event_of({"pick": {"point": None, "code": 2, "t": 3}}, VIEW) == PlaneEvent(None, 2, 3.0)
    for wrong in ({"code": 5}, {"code": True}, {"t": "3"}, {"t": float("nan")}):
        assert event_of({"pick": {"point": 7, "code": 2, "t": 3, **wrong}}, VIEW) == PlaneEvent()


def test_the_page_runs() -> None:
    page = AppTest.from_file(str(SCRIPT), default_timeout=60)
    page.query_params["count"] = "30"
    page.run()
    assert not page.exception
    page.session_state["plane"] = {"pick": {"point": 1, "code": 3, "t": 2}}
    page.run()
    assert '"point": 1, "code": 3' in page.code[0].value
