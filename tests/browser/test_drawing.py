"""The drawing pad in a real Chromium: points arrive in Python where the pointer or the keys have put them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).with_name("pad_script.py")
PATIENCE = 60_000
RADIUS = 0.35  # of the brush at first


class Pad:
    """The pad on a page, in the coordinates of its sheet."""

    def __init__(self, page: Any, extent: tuple[float, float, float, float] = (-4, 4, -4, 4)) -> None:
        self.page, self.extent = page, extent
        self.sheet = page.locator(".pad .sheet")
        self.sheet.wait_for(timeout=PATIENCE)
        page.wait_for_function(f"() => ({FIND})('.sheet').width > 100")

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def move(self, x: float, y: float) -> None:
        box, (xmin, xmax, ymin, ymax) = self.sheet.bounding_box(), self.extent
        across, down = (x - xmin) / (xmax - xmin), (ymax - y) / (ymax - ymin)
        self.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])

    def stroke(self, *places: tuple[float, float]) -> None:
        """Press at the first place, rest a moment at each, let go at the last."""
        self.move(*places[0])
        self.page.mouse.down()
        for place in places:
            self.move(*place)
            self.page.wait_for_timeout(120)
        self.page.mouse.up()

    def count(self) -> int:
        return int(self.page.locator(".pad .count").inner_text().split()[0].replace(",", ""))

    def use(self) -> dict[str, Any]:
        """Send the points; what Python says of them."""
        before = self.page.locator("[data-testid=stCode] code").inner_text()
        self.button("Use these points").click()
        self.page.wait_for_function(
            "before => document.querySelector('[data-testid=stCode] code').innerText !== before",
            arg=before,
            timeout=PATIENCE,
        )
        return dict(json.loads(self.page.locator("[data-testid=stCode] code").inner_text()))


FIND = """name => [...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector(name)).find(Boolean)"""


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def pad(url: str, page: Any) -> Pad:
    page.goto(url)
    return Pad(page)


def test_a_stroke_arrives_where_it_was_drawn(pad: Pad) -> None:
    assert pad.button("Use these points").is_disabled()
    pad.stroke((1, 2), (3, 2))
    drawn = pad.count()
    told = pad.use()
    assert told["count"] == drawn > 20
    low, high = np.array(told["low"]), np.array(told["high"])
    slack = RADIUS + 0.05  # the brush, and a pixel of the pointer
    assert (low >= [1 - slack, 2 - slack]).all()
    assert (high <= [3 + slack, 2 + slack]).all()
    assert low[0] < 1.1
    assert high[0] > 2.9
    assert told["mean"][1] == pytest.approx(2, abs=0.15)
    assert pad.page.problems == []


def test_what_is_drawn_stays_when_the_page_reruns(pad: Pad) -> None:
    pad.stroke((0, 0), (1, 0))
    drawn = pad.count()
    pad.button("Rerun").click()
    pad.page.wait_for_timeout(1000)
    assert pad.count() == drawn > 0


def test_eraser_undo_and_clear(pad: Pad) -> None:
    pad.stroke((-2, -2))
    one = pad.count()
    pad.stroke((2, 2))
    both = pad.count()
    assert both > one > 0
    pad.button("Erase").click()
    pad.stroke((-3, -2), (-1, -2))
    assert pad.count() < both
    told = pad.use()
    assert min(told["low"]) > 1.5
    pad.button("Undo").click()
    assert pad.count() == both
    pad.button("Undo").click()
    assert pad.count() == one
    pad.button("Clear").click()
    assert pad.count() == 0
    assert pad.button("Use these points").is_disabled()
    pad.button("Undo").click()
    assert pad.count() == one


def test_a_whole_picture_is_drawn_with_the_keyboard_alone(pad: Pad) -> None:
    pad.sheet.focus()
    for _ in range(10):
        pad.page.keyboard.press("ArrowRight")  # each a fortieth of the sheet: 0.2
    for _ in range(5):
        pad.page.keyboard.press("ArrowUp")
    pad.page.keyboard.press("Space")
    pad.page.keyboard.press("Space")
    assert pad.count() == 20
    pad.page.keyboard.press("Control+z")
    assert pad.count() == 10
    told = pad.use()
    assert (told["count"], told["mean"]) == (10, [pytest.approx(2, abs=RADIUS), pytest.approx(1, abs=RADIUS)])
    reached = []
    pad.sheet.focus()
    for _ in range(7):
        pad.page.keyboard.press("Tab")
        reached.append(pad.page.evaluate("() => document.activeElement.shadowRoot?.activeElement?.className"))
    assert reached == ["spray", "erase", "undo", "clear", "size", "flow", "use"]


def test_a_pad_is_never_fuller_than_its_most(pad: Pad) -> None:
    pad.page.evaluate(f"() => {{ const e = ({FIND})('.flow'); e.max = 30000; e.value = 30000; }}")
    pad.stroke((0, 0))
    assert pad.count() == 20_000
    assert pad.use()["count"] == 20_000


def test_no_point_leaves_a_sheet_that_is_no_square(url: str, page: Any) -> None:
    page.goto(f"{url}/?wide")
    pad = Pad(page, (0, 6, 0, 3))
    box = pad.sheet.bounding_box()
    assert box["width"] == pytest.approx(2 * box["height"], abs=2)
    pad.stroke((5.9, 0.1), (4, 0.1))
    told = pad.use()
    assert told["low"][1] >= 0
    assert told["high"][0] <= 6
    assert told["low"][0] == pytest.approx(4 - RADIUS / 2, abs=RADIUS / 2 + 0.05)


def test_given_points_are_drawn_where_they_are(url: str, page: Any) -> None:
    page.goto(f"{url}/?given")
    pad = Pad(page)
    assert pad.count() == 3
    page.wait_for_timeout(300)
    ink = page.evaluate(
        f"""() => {{
          const sheet = ({FIND})('.sheet'), {{ width, height }} = sheet, found = [];
          const pixels = sheet.getContext('2d').getImageData(0, 0, width, height).data;
          for (let i = 0; i < pixels.length; i += 4)
            if (pixels[i] - pixels[i + 2] > 60 && pixels[i + 3] > 200)
              found.push([(i / 4) % width / width * 8 - 4, 4 - Math.floor(i / 4 / width) / height * 8]);
          return found;
        }}"""
    )
    for place in ([-1, 2], [1, 2], [3, -3]):
        assert np.abs(np.array(ink) - place).max(axis=1).min() < 0.05
    assert len(ink) == 3 * 4
    assert pad.use()["mean"] == [pytest.approx(1), pytest.approx(1 / 3, abs=1e-4)]


def test_a_finger_draws_too(url: str, new_page: Callable[..., Any]) -> None:
    page = new_page(has_touch=True, viewport={"width": 390, "height": 800})
    page.goto(url)
    pad = Pad(page)
    box = pad.sheet.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    assert pad.count() >= 5
    told = pad.use()
    assert told["mean"] == [pytest.approx(-2, abs=RADIUS), pytest.approx(2, abs=RADIUS)]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.problems == []
