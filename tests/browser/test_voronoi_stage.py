"""The plane's stage in a real Chromium: cells, distances and figures against exhaustive search in float64."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.figures.palette import GROUND, LATENT
from app.voronoi import PlaneView
from dgm_core.vqvae.plane_view import CodebookPlane
from dgm_core.vqvae.voronoi import voronoi_cells
from tests.browser.codebook_page import READ
from tests.browser.film_page import PATIENCE

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).with_name("voronoi_script.py")
SCRIPTS = Path(__file__).parents[2] / "app" / "voronoi" / "js"
WINDOW = (-2.0, 2.0, -1.0, 3.0)
STICKING = """e => { const edge = e.getBoundingClientRect().right + 1;
    return [...e.querySelectorAll("*")].filter(part => part.getBoundingClientRect().right > edge)
        .map(part => part.outerHTML.slice(0, 90)); }"""


@pytest.fixture(scope="module")
def script(chromium: Any) -> Iterator[Any]:
    """``script(expression, argument)``: evaluated with geometry.js as ``m``, in a page without anything else."""
    page = chromium.new_context().new_page()
    load = "async text => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })))"
    page.evaluate(
        f"async text => {{ globalThis.m = await ({load})(text); }}", (SCRIPTS / "geometry.js").read_text("utf-8")
    )
    yield page.evaluate
    page.context.close()


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def show(url: str, new_page: Callable[..., Any]) -> Callable[..., Stage]:
    """``show(query, **context) -> Stage``: the page opened with that query, its stage ready."""

    def open_(query: str = "", **context: Any) -> Stage:
        page = new_page(**{"reduced_motion": "reduce", **context})
        page.goto(f"{url}/?{query}")
        return Stage(page)

    return open_


@cache
def plane(**changes: Any) -> PlaneView:
    """What the script shows."""
    chosen = CodebookPlane(**{"points": "pinwheel", "codes": 8, "count": 200, "steps": 40, **changes})
    return PlaneView.of(chosen.film(), chosen.encoder != "fixed")


class Stage:
    """The stage on an open page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.root = page.locator(".voronoi")
        page.locator(".voronoi[data-ready=true]").wait_for(timeout=PATIENCE)
        self.canvas = self.root.locator("canvas.stage")
        self.frame()

    def frame(self) -> None:
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def scrub(self, index: float) -> None:
        self.root.locator(".scrub").fill(str(index))
        self.until(f"Math.abs(Number(e.dataset.index) - {index}) < 1e-3")

    def until(self, condition: str) -> None:
        self.page.wait_for_function(f"e => {condition}", arg=self.root.element_handle(), timeout=PATIENCE)

    def screen(self, view: PlaneView, place: np.ndarray) -> tuple[float, float]:
        """CSS pixels from the picture's corner."""
        x0, x1, y0, y1 = view.window
        box = self.canvas.bounding_box()
        return float((place[0] - x0) / (x1 - x0) * box["width"]), float((y1 - place[1]) / (y1 - y0) * box["height"])

    def point(self, view: PlaneView, place: np.ndarray) -> None:
        box, (x, y) = self.canvas.bounding_box(), self.screen(view, place)
        self.page.mouse.move(box["x"] + x, box["y"] + y)
        self.frame()

    def state(self, name: str) -> int | None:
        text = self.root.get_attribute(f"data-{name}")
        return int(text) if text else None

    def pixels(self) -> np.ndarray:
        height, width, encoded = self.canvas.evaluate(READ)
        return np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(height, width, 4)

    def text(self, name: str) -> str:
        return str(self.root.locator(f".{name}").inner_text())

    def told(self, pattern: str) -> dict[str, Any]:
        code = self.page.locator("[data-testid=stCode] code", has_text=re.compile(pattern))
        code.wait_for(timeout=PATIENCE)
        return dict(json.loads(code.inner_text()))


def rgb(colour: str) -> list[int]:
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def inside(polygon: np.ndarray, places: np.ndarray, slack: float) -> np.ndarray:
    """Whether a place is in a convex polygon whose corners run counter-clockwise."""
    edges = np.roll(polygon, -1, 0) - polygon
    apart = places[:, None] - polygon
    cross = edges[:, 0] * apart[..., 1] - edges[:, 1] * apart[..., 0]
    return (cross >= -slack * np.linalg.norm(edges, axis=1)).all(1)


def cut(script: Any, codes: np.ndarray) -> list[np.ndarray]:
    """The browser's cells of these codes, (V, 2) each."""
    cells = script("([codes, window]) => m.voronoi(codes, window)", [codes.ravel().tolist(), list(WINDOW)])
    return [np.array(cell, float).reshape(-1, 2) for cell in cells]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20, 64])
def test_cells_hold_what_is_nearest(script: Any, count: int) -> None:
    """2,000 random places each lie in the cell of their nearest code (1e-9), and the cells fill the window (1e-9)."""
    rng = np.random.default_rng(count)
    codes = rng.normal(0.5, 1.2, (count, 2))
    cells = cut(script, codes)
    places = rng.uniform((-2, -1), (2, 3), (2000, 2))
    nearest = ((places[:, None] - codes) ** 2).sum(-1).argmin(1)
    for k in range(count):
        if (nearest == k).any():
            assert inside(cells[k], places[nearest == k], 1e-9).all(), k
    assert sum(area(cell) for cell in cells) == pytest.approx(16, rel=1e-9)


@given(st.integers(0, 10**6), st.integers(2, 12))
@settings(max_examples=25, deadline=None)
def test_cells_of_codes_on_a_coarse_lattice(script: Any, seed: int, count: int) -> None:
    """Equal and collinear codes: areas as the core cuts them in float64 (1e-9); the first of equals has the cell."""
    codes = np.random.default_rng(seed).integers(-2, 3, (count, 2)) / 2.0
    cells, expected = cut(script, codes), voronoi_cells(codes, WINDOW)
    assert [area(cell) for cell in cells] == pytest.approx(
        [area(cell) if len(cell) else 0 for cell in expected], abs=1e-9
    )
    assert sum(area(cell) for cell in cells) == pytest.approx(16, rel=1e-9)


def test_codes_that_nearly_coincide_share_their_cell(script: Any) -> None:
    """A ten-millionth apart, far from the origin: the cells still meet on the bisector (1e-6 of the area)."""
    codes = np.array([[1.2345, 2.1], [1.2345 + 1e-7, 2.1], [-1.0, 0.0]])
    cells = cut(script, codes)
    assert sum(area(cell) for cell in cells) == pytest.approx(16, rel=1e-6)
    assert min(area(cell) for cell in cells) > 1


def test_a_code_that_is_no_number_has_no_cell(script: Any) -> None:
    cells = script("window => m.voronoi([0, 0, NaN, 1, Infinity, 0], window)", list(WINDOW))
    assert [len(cell) for cell in cells] == [8, 0, 0]


def test_the_two_nearest(script: Any) -> None:
    rng = np.random.default_rng(3)
    codes = rng.normal(size=(20, 2))
    for place in rng.normal(size=(50, 2)):
        found = script("([c, x, y]) => m.nearestTwo(c, x, y)", [codes.ravel().tolist(), *place.tolist()])
        apart = np.sqrt(((codes - place) ** 2).sum(1))
        order = apart.argsort()
        assert [found["first"], found["second"]] == order[:2].tolist()
        assert [found["d1"], found["d2"]] == pytest.approx(apart[order[:2]], rel=1e-12)


def test_pointing_finds_the_cell_at_every_moment(show: Callable[..., Stage]) -> None:
    """At whole frames and between two, where codes are interpolated; places within 2 % of a border are left out."""
    stage, view = show(), plane()
    rng = np.random.default_rng(0)
    x0, x1, y0, y1 = view.window
    for index in (0, 13, 20.5, 40):
        stage.scrub(index)
        low, share = int(index), index % 1
        codes = view.codes[low] + (share * (view.codes[low + 1] - view.codes[low]) if share else 0)
        for place in rng.uniform((x0, y0), (x1, y1), (12, 2)):
            apart = np.sqrt(((codes - place) ** 2).sum(1))
            first, second = np.sort(apart)[:2]
            if second - first < 0.02 * (x1 - x0):
                continue
            stage.point(view, place)
            if stage.state("point") is None:  # not on an output
                assert stage.state("code") == apart.argmin(), (index, place)
    assert stage.page.problems == []


def test_the_figures_are_those_of_the_step(show: Callable[..., Stage]) -> None:
    stage, view = show("start=corner"), plane(start="corner")
    assert float(stage.text("best")) == pytest.approx(view.kmeans_distortion, rel=5e-3)
    for index in (0, 3, 40):
        stage.scrub(index)
        assert float(stage.text("now")) == pytest.approx(view.distortion[index], rel=5e-3)
        assert float(stage.text("error")) == pytest.approx(view.reconstruction[index], rel=5e-3)  # type: ignore[index]
        assert stage.text("used") == f"{view.alive[index].sum()} of 8"
    assert 0 < view.alive[0].sum() < 8  # a corner leaves codes that nobody has chosen


def test_a_point_reads_its_distances(show: Callable[..., Stage]) -> None:
    """To the three figures shown; the keyboard goes from point to point."""
    stage, view = show(), plane()
    stage.scrub(10)
    stage.canvas.focus()
    for _ in range(3):
        stage.page.keyboard.press("Shift+ArrowRight")
    stage.frame()
    assert stage.state("point") == 2
    assert view.outputs is not None
    apart = np.sqrt(((view.codes[10].astype(float) - view.outputs[10, 2]) ** 2).sum(1))
    reading = re.search(
        r"code (\d+) at distance ([\d.e−]+); second nearest code (\d+) at ([\d.e−]+)", stage.text("reading")
    )
    assert reading is not None
    order = apart.argsort()
    assert [int(reading[1]), int(reading[3])] == order[:2].tolist()
    assert [float(reading[k]) for k in (2, 4)] == pytest.approx(apart[order[:2]], rel=5e-3)
    assert "Point 2" in stage.root.get_by_role("status").inner_text()
    stage.page.keyboard.press("Escape")
    stage.frame()
    assert stage.state("point") is None


def test_dead_codes_are_hollow(show: Callable[..., Stage]) -> None:
    """The middle of a living code has the codes' colour, that of a dead one the page's."""
    stage, view = show("start=corner&layers=cells"), plane(start="corner")
    stage.scrub(40)
    picture, seen = stage.pixels().astype(int), set()
    for code, place in enumerate(view.codes[40]):
        x, y = (round(value) for value in stage.screen(view, place))
        others = np.delete(view.codes[40], code, 0)
        if np.abs(others - place).max(1).min() < 0.05 * (view.window[1] - view.window[0]):
            continue  # another one may cover it
        alive = bool(view.alive[40, code])
        colour = rgb(LATENT.light) if alive else rgb(GROUND.light)
        assert np.abs(picture[y, x, :3] - colour).max() <= 3, code
        seen.add(alive)
    assert True in seen


def test_layers_are_switched_one_by_one(show: Callable[..., Stage]) -> None:
    """Each changes pixels when it comes, and leaves none behind when it goes."""
    stage = show("layers=outputs")
    stage.scrub(6)
    plain = stage.pixels()
    for name in ("cells", "assignment", "points", "trails", "codebook", "commitment", "gradient", "kmeans"):
        box = stage.root.locator(f".layers input[value={name}]")
        box.check(force=True)
        stage.frame()
        assert 0.0003 < (stage.pixels() != plain).any(-1).mean() < 0.5, name
        box.uncheck(force=True)
        stage.frame()
        assert np.array_equal(stage.pixels(), plain), name


def test_without_an_encoder_there_is_nothing_of_one(show: Callable[..., Stage]) -> None:
    stage = show("encoder=fixed")
    chips = stage.root.locator(".layers label").all_inner_texts()
    assert "Data x = z" in chips
    assert not {"Commitment term", "Straight-through gradient", "Outputs z"} & set(chips)
    assert not stage.root.locator(".missed").is_visible()


def test_a_code_that_starts_anew_jumps(show: Callable[..., Stage]) -> None:
    """Before the middle between two frames it is where it was, after it where it starts."""
    view = plane(start="corner", patience=3)
    assert view.restarted is not None
    frame, code = (int(value) for value in np.argwhere(view.restarted)[0])
    stage = show("start=corner&patience=3&layers=cells")
    for share, at in ((0.4, frame - 1), (0.6, frame)):
        stage.scrub(frame - 1 + share)
        stage.point(view, view.codes[at, code])
        assert stage.state("code") == code, share


def test_a_click_tells_python(show: Callable[..., Stage]) -> None:
    stage, view = show("pick"), plane()
    stage.scrub(5)
    code = 3
    stage.point(view, view.codes[5, code])
    stage.page.mouse.down()
    stage.page.mouse.up()
    assert stage.told('"code": 3') == {"point": None, "code": code, "step": 5.0, "shown": None}


def test_the_curve_leads_to_a_step(show: Callable[..., Stage]) -> None:
    stage = show("report")
    box = stage.root.locator(".curve").bounding_box()
    stage.page.mouse.click(box["x"] + box["width"] - 9, box["y"] + 40)
    stage.until("Number(e.dataset.index) === 40")
    assert stage.told('"shown": 40')["shown"] == 40


def test_play_step_and_stop(show: Callable[..., Stage]) -> None:
    stage = show()
    stage.canvas.focus()
    stage.page.keyboard.press("ArrowRight")
    stage.until("Number(e.dataset.index) === 1")
    stage.page.keyboard.press(" ")
    stage.until("Number(e.dataset.index) > 3")
    stage.page.keyboard.press(" ")
    assert stage.root.get_attribute("data-playing") == "false"
    label = stage.canvas.get_attribute("aria-label") or ""
    assert label.startswith("Codes divide the plane among them.")
    assert "8 codes used" in label


def test_another_film_is_played_from_its_start(show: Callable[..., Stage]) -> None:
    stage = show("autoplay", reduced_motion="no-preference")
    stage.until("Number(e.dataset.index) === 40 && e.dataset.playing === 'false'")
    stage.page.get_by_text("More codes").click()
    stage.root.locator(".used", has_text="of 12").wait_for(timeout=PATIENCE)
    stage.until("e.dataset.playing === 'true' && Number(e.dataset.index) < 20")
    assert stage.page.problems == []


@pytest.mark.parametrize("classroom", ["", "&classroom"])
def test_it_fits_every_width(show: Callable[..., Stage], classroom: str) -> None:
    """Nothing sticks out, the picture is a square, and pointing moves nothing."""
    stage = show(f"height=480{classroom}")
    for width in (1280, 800, 560, 400):
        stage.page.set_viewport_size({"width": width, "height": 900})
        stage.page.wait_for_timeout(250)
        box, room = stage.canvas.bounding_box(), stage.root.bounding_box()
        assert box["width"] == box["height"] == min(480, int(room["width"]))
        stage.page.mouse.move(box["x"] + 150, box["y"] + 150)
        stage.frame()
        assert stage.root.evaluate(STICKING) == [], width
        assert stage.root.bounding_box()["height"] == room["height"]


def test_dark_theme(show: Callable[..., Stage]) -> None:
    stage, view = show("layers=cells", color_scheme="dark"), plane()
    assert stage.root.get_attribute("data-theme") == "dark"
    x, y = (round(value) for value in stage.screen(view, view.codes[0, np.argmax(view.alive[0])]))
    assert np.abs(stage.pixels()[y, x, :3].astype(int) - rgb(LATENT.dark)).max() <= 3
