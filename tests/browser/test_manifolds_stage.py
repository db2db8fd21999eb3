"""The manifolds stage in a real Chromium: the union is the union, dots and numbers follow k, pointing lights balls.

Python makes the same points, so every number and every pixel has an oracle in NumPy.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.manifolds import COLOURS, extent_of
from dgm_core.metrics.manifolds import Manifolds, manifolds
from tests.browser.conftest import note

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).with_name("manifolds_script.py")
PATIENCE = 60_000
NAMES = ("precision", "recall", "density", "coverage")


def example(n: int = 300, m: int = 200, shift: float = 0.5, printed: bool = False) -> Manifolds:
    """What the page's script shows."""
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(n, 2)), 0.8 * random.normal(size=(m, 2)) + [shift, 0]
    return manifolds(real, fake, 50, printed=printed)


class Stage:
    """The stage on an open page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.locator(".manifolds[data-ready=true]").wait_for(timeout=PATIENCE)
        self.root = page.locator(".manifolds")
        self.slider = self.root.locator(".k")
        self.frame()

    def frame(self) -> None:
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def canvas(self, panel: str) -> Any:
        return self.root.locator(f".{panel} canvas")

    def numbers(self) -> list[float]:
        """Precision, recall, density, coverage as they stand on screen."""
        return [float(self.root.locator(f".number[data-name={name}] b").inner_text()) for name in NAMES]

    def k(self) -> int:
        return int(self.root.get_attribute("data-k") or 0)

    def show(self, layer: str, on: bool) -> None:
        self.root.locator(f"input[name=layer][value={layer}]").set_checked(on, force=True)
        self.frame()

    def pixels(self, panel: str) -> np.ndarray:
        """(H, W, 4) uint8, row 0 at the top."""
        read = """c => { const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let s = "";
            for (let i = 0; i < d.length; i += 32768) s += String.fromCharCode(...d.subarray(i, i + 32768));
            return [c.height, c.width, btoa(s)]; }"""
        height, width, encoded = self.canvas(panel).evaluate(read)
        return np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(height, width, 4)

    def place(self, made: Manifolds, point: Any, panel: str) -> np.ndarray:
        """Where a point of the plane lies on the page, CSS pixels."""
        box = self.canvas(panel).bounding_box()
        return np.array([box["x"], box["y"]]) + to_pixels(made, np.asarray(point, float), box["width"])

    def said(self) -> str:
        self.frame()
        return str(self.root.locator(".said").inner_text())

    def await_told(self, k: int) -> None:
        self.page.locator("[data-testid=stCode] code", has_text=f"{k}").wait_for(timeout=PATIENCE)


def to_pixels(made: Manifolds, points: np.ndarray, side: float) -> np.ndarray:
    """Where points (…, 2) lie on a square of pixels."""
    left, right, bottom, top = extent_of(made)
    scale = side / max(right - left, top - bottom)
    return (points - ((left + right) / 2, (bottom + top) / 2)) * (scale, -scale) + side / 2


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve(SCRIPT)


@pytest.fixture(scope="module")
def shared(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    yield context
    context.close()


@pytest.fixture
def show(url: str, shared: Any, new_page: Callable[..., Any]) -> Iterator[Callable[..., Stage]]:
    pages: list[Any] = []

    def open_(query: str = "", **context: Any) -> Stage:
        page = new_page(**context) if context else shared.new_page()
        if not context:
            pages.append(page)
            page.problems = []
            page.on("pageerror", lambda error: page.problems.append(str(error)))
            page.on("console", lambda message: note(page, message))
        page.goto(f"{url}/?{query}")
        return Stage(page)

    yield open_
    for page in pages:
        page.close()


@pytest.mark.parametrize("k", [1, 3, 50])
def test_the_numbers_are_those_of_python(show: Callable[..., Stage], k: int) -> None:
    stage, made = show(f"k={k}"), example()
    np.testing.assert_allclose(stage.numbers(), made.curves[:, k - 1], atol=6e-4)
    assert stage.page.problems == []


@pytest.mark.parametrize("panel", ["left", "right"])
def test_the_union_is_the_union(show: Callable[..., Stage], panel: str) -> None:
    """Away from the rims by more than a pixel, a pixel is tinted just where a ball covers it."""
    stage, made, k = show("k=4&n=80&m=60"), example(80, 60), 4
    stage.show("points", False)
    pixels = stage.pixels(panel)
    centres, table = (made.real, made.real_radii) if panel == "left" else (made.fake, made.fake_radii)
    side = len(pixels)
    left, right, bottom, top = extent_of(made)
    scale = side / max(right - left, top - bottom)
    y, x = np.mgrid[0:side, 0:side] + 0.5
    gaps = np.full((side, side), np.inf)
    for (cx, cy), radius in zip(to_pixels(made, centres, side), table[:, k - 1] * scale, strict=True):
        gaps = np.minimum(gaps, np.hypot(x - cx, y - cy) - radius)
    alpha = pixels[..., 3]
    assert (alpha[gaps < -1.2] > 20).all()
    assert (alpha[gaps > 1.2] == 0).all()
    inside = alpha[gaps < -3]
    assert np.ptp(inside.astype(int)) == 0  # one tint, however many balls overlap
    rim = alpha[np.abs(gaps) < 0.5]
    assert np.median(rim) > 2 * np.median(inside)


def test_covered_points_are_filled_and_others_hollow(show: Callable[..., Stage]) -> None:
    stage, made, k = show("k=1&n=60&m=50"), example(60, 50), 1
    stage.show("balls", False)
    pixels = stage.pixels("left")
    blue = np.array([int(COLOURS["light"]["fake"][c : c + 2], 16) for c in (1, 3, 5)])
    places = to_pixels(made, made.fake, len(pixels))
    everything = np.concatenate([places, to_pixels(made, made.real, len(pixels))])
    seen = {True: 0, False: 0}
    for index, place in enumerate(places):
        if np.sort(np.hypot(*(everything - place).T))[1] < 9:
            continue  # another dot lies over it
        x, y = place.astype(int)
        covered = bool(made.fake_at[index] < k)
        assert (np.abs(pixels[y, x, :3].astype(int) - blue).max() < 60) == covered
        seen[covered] += 1
    assert min(seen.values()) > 2


def test_k_is_answered_while_it_is_dragged(show: Callable[..., Stage]) -> None:
    """Numbers move before the pointer is lifted; Python hears of it only afterwards."""
    stage, made = show("k=3"), example()
    box = stage.slider.bounding_box()
    y = box["y"] + box["height"] / 2
    start = box["x"] + 8 + (box["width"] - 16) * 2 / 49
    stage.page.mouse.move(start, y)
    stage.page.mouse.down()
    seen = []
    for step in range(1, 9):
        stage.page.mouse.move(start + step * 25, y)
        stage.frame()
        seen.append((stage.k(), stage.numbers()))
    told = stage.page.locator("[data-testid=stCode] code").inner_text()
    stage.page.mouse.up()
    assert told == "3"
    assert len({k for k, _ in seen}) >= 6
    for k, numbers in seen:
        np.testing.assert_allclose(numbers, made.curves[:, k - 1], atol=6e-4)
    stage.await_told(seen[-1][0])


def test_keys_move_k(show: Callable[..., Stage]) -> None:
    stage = show("k=3")
    stage.slider.focus()
    for _ in range(4):
        stage.page.keyboard.press("ArrowRight")
    stage.frame()
    assert stage.k() == 7
    stage.await_told(7)


def test_a_rerun_keeps_the_users_k(show: Callable[..., Stage]) -> None:
    stage = show("k=3")
    stage.slider.focus()
    stage.page.keyboard.press("ArrowRight")
    stage.await_told(4)
    stage.page.get_by_role("button", name="Rerun").click()
    stage.page.wait_for_timeout(600)
    assert stage.k() == 4


def isolated(points: np.ndarray, everything: np.ndarray) -> int:
    """The point that is farthest from all others: pointing at it hits no other."""
    gaps = np.sort(np.linalg.norm(points[:, None] - everything, axis=-1), axis=1)[:, 1]
    return int(gaps.argmax())


def test_pointing_counts_the_balls_that_hold_a_point(show: Callable[..., Stage]) -> None:
    stage, made, k = show("k=5&n=60&m=50"), example(60, 50), 5
    index = isolated(made.fake, np.concatenate([made.fake, made.real]))
    before = stage.pixels("left")
    stage.page.mouse.move(*stage.place(made, made.fake[index], "left"))
    distances = np.linalg.norm(made.real.astype(float) - made.fake[index].astype(float), axis=1)
    count = int((distances <= made.real_radii[:, k - 1]).sum())
    said = stage.said()
    assert f"inside {count} real ball" in said
    first = int(made.fake_at[index]) + 1
    assert (f"covered from k = {first} on" if first <= 50 else "not covered up to k = 50") in said
    assert not np.array_equal(before, stage.pixels("left"))
    stage.page.mouse.move(5, 5)
    assert "Point at a point" in stage.said()
    np.testing.assert_array_equal(before, stage.pixels("left"))


def test_pointing_at_a_centre_counts_what_its_ball_holds(show: Callable[..., Stage]) -> None:
    stage, made, k = show("k=5&n=60&m=50"), example(60, 50), 5
    index = isolated(made.fake, np.concatenate([made.fake, made.real]))
    stage.page.mouse.move(*stage.place(made, made.fake[index], "right"))
    radius = float(made.fake_radii[index, k - 1])
    count = int((np.linalg.norm(made.real - made.fake[index], axis=1) <= radius).sum())
    said = stage.said()
    assert f"radius {radius:.3f}" in said
    assert f"holds {count} real point" in said
    assert "5th nearest generated neighbour" in said


def test_arrow_keys_walk_through_the_points(show: Callable[..., Stage]) -> None:
    stage = show("k=3&n=60&m=50")
    stage.canvas("left").focus()
    stage.page.keyboard.press("ArrowRight")
    assert "Generated point" in stage.said()
    stage.page.keyboard.press("Escape")
    assert "Point at a point" in stage.said()


def test_coverage_turns_the_left_panel_to_the_real_points(show: Callable[..., Stage]) -> None:
    stage = show("k=2&n=60&m=50")
    before = stage.pixels("left")
    stage.root.locator("input[name=test][value=coverage]").set_checked(True, force=True)
    stage.frame()
    assert stage.root.get_attribute("data-test") == "coverage"
    assert not np.array_equal(before, stage.pixels("left"))


def test_as_printed_everything_is_covered(show: Callable[..., Stage]) -> None:
    stage = show("printed&shift=9&n=60&m=50")
    assert stage.numbers() == [1, 1, 1, 1]
    assert stage.root.locator(".left .slide").is_visible()
    assert not stage.root.locator(".left .paper").is_visible()
    honest = show("shift=9&n=60&m=50&k=3")
    assert honest.numbers()[0] == 0


@pytest.mark.parametrize(("width", "narrow"), [(1280, "false"), (800, "false"), (480, "true")])
def test_panels_stand_beside_or_below_each_other(show: Callable[..., Stage], width: int, narrow: str) -> None:
    stage = show("n=60&m=50", viewport={"width": width, "height": 900})
    assert stage.root.get_attribute("data-narrow") == narrow
    left, right = (stage.canvas(panel).bounding_box() for panel in ("left", "right"))
    assert (left["y"] == right["y"]) == (narrow == "false")
    assert max(box["x"] + box["width"] for box in (left, right)) <= width
    assert left["width"] == left["height"] == right["width"]


def test_dark_colours(show: Callable[..., Stage]) -> None:
    stage = show("n=60&m=50", color_scheme="dark")
    assert stage.root.get_attribute("data-theme") == "dark"
    orange = [int(COLOURS["dark"]["real"][c : c + 2], 16) for c in (1, 3, 5)]
    stage.show("points", False)
    pixels = stage.pixels("left")
    solid = pixels[pixels[..., 3] > 150][:, :3].astype(int)
    assert np.abs(np.median(solid, axis=0) - orange).max() < 8


@pytest.mark.parametrize("query", ["n=2&m=2&kmax=1", "n=5000&m=5000", "n=6000&m=50&kmax=20&k=20"])
def test_small_and_large_sets(show: Callable[..., Stage], query: str) -> None:
    stage = show(query)
    assert stage.k() >= 1
    assert all(np.isfinite(stage.numbers()))
    assert stage.page.problems == []
