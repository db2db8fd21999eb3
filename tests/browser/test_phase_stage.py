"""The phase plane in a real Chromium: distances, places and pixels against closed forms in float64."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

from tests.browser.codebook_page import READ
from tests.browser.film_page import PATIENCE

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).with_name("phase_script.py")
FIELD = np.array([[-0.3, 2.0], [-2.0, -0.3]])


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


class Stage:
    """The stage on an open page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.root = page.locator(".phase")
        page.locator(".phase[data-ready=true]").wait_for(timeout=PATIENCE)
        self.canvas = self.root.locator("canvas.stage")
        self.frame()

    def frame(self) -> None:
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def until(self, condition: str) -> None:
        self.page.wait_for_function(f"e => {condition}", arg=self.root.element_handle(), timeout=PATIENCE)

    def scrub(self, index: float) -> None:
        self.root.locator(".scrub").fill(str(index))
        self.until(f"Math.abs(Number(e.dataset.index) - {index}) < 1e-3")

    def turn(self, knob: int) -> None:
        self.root.locator(".dial").fill(str(knob))
        self.until(f"e.dataset.knob === '{knob}'")
        self.frame()

    def point(self, place: np.ndarray, reach: float = 2.0) -> None:
        box = self.canvas.bounding_box()
        x, y = (0.5 + 0.5 * place[0] / reach) * box["width"], (0.5 - 0.5 * place[1] / reach) * box["height"]
        self.page.mouse.move(box["x"] + float(x), box["y"] + float(y))
        self.frame()

    def data(self, name: str) -> str:
        return str(self.root.get_attribute(f"data-{name}"))

    def pixels(self) -> np.ndarray:
        height, width, encoded = self.canvas.evaluate(READ)
        return np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(height, width, 4)

    def told(self, pattern: str) -> dict[str, Any]:
        code = self.page.locator("[data-testid=stCode] code", has_text=re.compile(pattern))
        code.wait_for(timeout=PATIENCE)
        return dict(json.loads(code.inner_text()))


def starts(count: int) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    spread: np.ndarray = np.stack([np.cos(angles), np.sin(angles)], 1) * np.linspace(0.5, 1.5, count)[:, None]
    return spread


def gap(count: int, depth: int) -> float:
    """The largest distance at t = 1 of L Euler steps to e^A z."""
    start = starts(count)
    blocks = np.linalg.matrix_power(np.eye(2) + FIELD / depth, depth)
    return float(np.linalg.norm(start @ blocks.T - start @ expm(FIELD).T, axis=1).max())


def test_the_knob_answers_with_the_distance_of_euler_to_the_flow(show: Callable[..., Stage]) -> None:
    """At t = 1 for several depths, to single precision (1e-4), without a word from Python."""
    stage = show()
    stage.scrub(59)
    for depth in (1, 2, 7, 32):
        stage.turn(depth - 1)
        assert float(stage.data("gap")) == pytest.approx(gap(12, depth), rel=1e-4)
    assert stage.page.problems == []


def test_between_two_steps_lines_are_straight(show: Callable[..., Stage]) -> None:
    """At t = ¼ with two steps: half of the first step (1e-4)."""
    stage = show("knob=1")
    stage.scrub(59 / 4)
    start = starts(12)
    blocks, flow = start + 0.25 * start @ FIELD.T, start @ expm(0.25 * FIELD).T
    # The flow too is drawn between 60 times, which differs by less than h²/8 · |A²z|.
    assert float(stage.data("gap")) == pytest.approx(np.linalg.norm(blocks - flow, axis=1).max(), abs=3e-4)


def test_the_clock_stops_where_steps_end(show: Callable[..., Stage]) -> None:
    stage = show("stepwise&knob=3")
    stage.canvas.focus()
    for step in (1, 2, 3, 4):
        stage.page.keyboard.press("ArrowRight")
        stage.until(f"Math.abs(Number(e.dataset.index) - {step}) < 1e-6")
    assert stage.told('"shown": 1')["shown"] == 1.0


def test_pointing_reads_the_trajectory(show: Callable[..., Stage]) -> None:
    """The start of each is where the closed form puts it; Python hears nothing of it."""
    stage = show()
    start = starts(12)
    for k in (0, 5, 11):
        stage.point(start[k])
        assert stage.data("chosen") == str(k)
        reading = stage.root.locator(".reading").inner_text().replace("−", "-")
        found = re.search(r"z\(0\.00\) = \(([-\d.e]+), ([-\d.e]+)\)", reading)
        assert found is not None, reading
        assert [float(found[1]), float(found[2])] == pytest.approx(start[k], abs=6e-3)


def test_the_keyboard_goes_from_trajectory_to_trajectory(show: Callable[..., Stage]) -> None:
    stage = show()
    stage.canvas.focus()
    for _ in range(2):
        stage.page.keyboard.press("Shift+ArrowRight")
    stage.frame()
    assert stage.data("chosen") == "1"
    assert "Trajectory 2" in stage.root.get_by_role("status").inner_text()
    stage.page.keyboard.press("Escape")
    stage.frame()
    assert stage.data("chosen") == ""


def test_the_knob_at_rest_is_told_and_a_rerun_keeps_it(show: Callable[..., Stage]) -> None:
    stage = show()
    stage.root.locator(".dial").focus()
    stage.page.keyboard.press("ArrowRight")
    assert stage.told('"variant": 4')["variant"] == 4
    stage.page.get_by_role("button", name="Rerun").click()
    stage.frame()
    assert stage.data("knob") == "4"


@pytest.mark.parametrize("layer", ["Field", "Exact flow", "Steps", "Step ends", "Stages"])
def test_layers_come_and_go(show: Callable[..., Stage], layer: str) -> None:
    stage = show("n=3&layers=")
    stage.scrub(30)
    chip = stage.root.locator(".layers label", has_text=re.compile(f"^{layer}( kᵢ)?$"))
    before = stage.pixels()
    chip.click()
    stage.frame()
    shown = stage.pixels()
    assert (before != shown).any(-1).sum() > 20
    chip.click()
    stage.frame()
    stage.page.mouse.move(1, 1)
    stage.frame()
    np.testing.assert_array_equal(stage.pixels(), before)


def test_dragging_turns_what_has_depth_and_a_double_click_turns_it_back(show: Callable[..., Stage]) -> None:
    stage = show("mode=time&layers=flow+lines")
    assert stage.data("turns") == "true"
    stage.page.mouse.move(1, 1)
    stage.frame()
    before, box = stage.pixels(), stage.canvas.bounding_box()
    stage.page.mouse.move(box["x"] + 20, box["y"] + 20)
    stage.page.mouse.down()
    stage.page.mouse.move(box["x"] + 120, box["y"] + 60, steps=4)
    stage.page.mouse.up()
    stage.page.mouse.move(1, 1)
    stage.frame()
    assert (before != stage.pixels()).any(-1).sum() > 500
    stage.page.mouse.dblclick(box["x"] + 8, box["y"] + 8)
    stage.page.mouse.move(1, 1)
    stage.frame()
    np.testing.assert_array_equal(stage.pixels(), before)


def test_frames_change_variant_and_surface(show: Callable[..., Stage]) -> None:
    """The surface's frame k is x^(1 + k) from left to right: at the right edge always the second class."""
    stage = show("frames&layers=surface")
    first = stage.pixels()
    stage.scrub(6)
    last = stage.pixels()
    height, width = first.shape[:2]
    middle = (height // 3, round(0.7 * width))
    assert (first[middle] != last[middle]).any()  # 0.7 is above one half, 0.7⁷ below
    assert stage.root.locator(".time").inner_text() == "60"
    assert stage.page.problems == []


@pytest.mark.parametrize("width", [400, 1200])
def test_nothing_sticks_out_and_every_size_is_kept(show: Callable[..., Stage], width: int) -> None:
    stage = show("classroom&n=500&times=100", viewport={"width": width, "height": 900}, color_scheme="dark")
    assert stage.page.evaluate("document.documentElement.scrollWidth") <= width
    height = stage.root.bounding_box()["height"]
    stage.turn(20)
    stage.point(starts(500)[100])
    assert stage.root.bounding_box()["height"] == pytest.approx(height, abs=1)
    assert "Trajectories over a field" in str(stage.canvas.get_attribute("aria-label"))
    assert stage.page.problems == []
