"""The reel player in a real Chromium: every pixel of every image, the controls, picking, and a reel that grows.

The reel is a formula of frame, row, column and pixel, so whatever is on the canvas has an oracle.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.film_page import PATIENCE
from tests.browser.moving_blocks import COLUMNS, ROWS, SIDE, blocks
from tests.browser.reel_page import ReelOnPage

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).with_name("reel_script.py")
FRAMES = 12
LAST = FRAMES - 1
# What reaches over the right edge of the player, names cut off included.
STICKING = """e => {
    const edge = e.getBoundingClientRect().right + 1;
    return [...e.querySelectorAll("canvas.stage, .bar > *, .rows span, .columns span, .note, .lens")]
        .filter(part => part.getBoundingClientRect().right > edge || part.scrollWidth > part.clientWidth + 1)
        .map(part => part.outerHTML);
}"""


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def show(url: str, new_page: Callable[..., Any]) -> Callable[..., ReelOnPage]:
    """``show(query, **context) -> ReelOnPage``: the page opened with that query, its player ready."""

    def open_(query: str = "", **context: Any) -> ReelOnPage:
        page = new_page(**context)
        page.goto(f"{url}/?{query}")
        player = ReelOnPage(page)
        player.ready()
        return player

    return open_


def told(player: ReelOnPage, name: str) -> dict[str, Any]:
    """What Python has received, once ``name`` has come."""
    code = player.page.locator("[data-testid=stCode] code", has_text=re.compile(f'"{name}": [^n]'))
    code.wait_for(timeout=PATIENCE)
    return dict(json.loads(code.inner_text()))


def colours(frame: np.ndarray) -> np.ndarray:
    return frame if frame.ndim == 5 else np.repeat(frame[..., None], 3, axis=-1)


@pytest.mark.parametrize(
    ("query", "ratio"), [("", 1), ("colour", 1.5), ("rows=2&columns=3&side=28", 2), ("rows=1&columns=1&side=5", 1.5)]
)
def test_every_pixel_is_where_it_belongs(show: Callable[..., ReelOnPage], query: str, ratio: float) -> None:
    """In every frame looked at, whatever the density of the screen: the very bytes, none blended."""
    settings = dict(part.split("=") for part in query.split("&") if "=" in part)
    rows, columns, side = (int(settings.get(n, d)) for n, d in (("rows", ROWS), ("columns", COLUMNS), ("side", SIDE)))
    reel = blocks(FRAMES, colour="colour" in query, rows=rows, columns=columns, side=side)
    player = show(query, device_scale_factor=ratio)
    for frame in (0, 1, 7, LAST):
        player.to(frame)
        np.testing.assert_array_equal(player.images(rows, columns, side), colours(reel.frames[frame]))
    assert player.page.problems == []


def test_images_are_enlarged_by_whole_numbers_where_that_costs_little(show: Callable[..., ReelOnPage]) -> None:
    """Each of the 28² pixels is a square of the same size: all runs of equal colour have one length."""
    player = show("rows=2&columns=4&side=28&frames=1&height=460")
    picture = player.pixels()
    opaque = np.flatnonzero(picture[0, :, 3])
    first = picture[0, opaque[: np.flatnonzero(np.diff(opaque) > 1)[0] + 1], 0]
    lengths = np.diff(np.flatnonzero(np.r_[True, np.diff(first) != 0, True]))
    assert len(lengths) == 28
    assert len(set(lengths)) == 1


def test_between_two_frames_the_nearer_one_is_shown(show: Callable[..., ReelOnPage]) -> None:
    """What lies between two frames was never computed, so nothing is blended; the time is the frame's."""
    player = show()
    for place, frame in ((3.4, 3), (3.5, 3), (3.6, 4)):
        player.to(place)
        np.testing.assert_array_equal(player.images(ROWS, COLUMNS, SIDE), colours(blocks(FRAMES).frames[frame]))
        assert player.root.locator(".time").inner_text() == f"{100 * frame:,}"


def test_keys_and_buttons(show: Callable[..., ReelOnPage]) -> None:
    player = show("loop=once")
    player.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert player.shown() == 1
    player.press("End", "ArrowRight")
    assert player.shown() == LAST
    player.press("Home")
    player.page.get_by_role("button", name="One frame forward").click()
    player.until("e.dataset.frame === '1'")
    player.page.get_by_role("button", name="One frame back").click()
    player.until("e.dataset.frame === '0'")
    player.press("+", "+")
    assert player.root.locator(".settings input[name=speed]:checked").get_attribute("value") == "4"
    player.press(" ")
    player.until(f"e.dataset.playing === 'false' && e.dataset.frame === '{LAST}'")
    player.page.get_by_role("button", name="Play", exact=True).click()
    player.until(f"e.dataset.playing === 'true' && Number(e.dataset.frame) < {LAST}")
    assert player.page.problems == []


def test_pointing_enlarges_an_image_and_names_it(show: Callable[..., ReelOnPage]) -> None:
    player = show()
    player.to(4)
    lens = player.root.locator(".lens")
    assert not lens.is_visible()
    player.page.mouse.move(*player.tile(1, 3, ROWS, COLUMNS))
    lens.wait_for()
    assert lens.locator(".lens-name").inner_text() == "hard · 3"
    assert lens.locator(".lens-time").inner_text() == "step = 400"
    enlarged = ReelOnPage(player.page)
    enlarged.canvas = lens.locator("canvas")
    np.testing.assert_array_equal(enlarged.images(1, 1, SIDE)[0, 0], colours(blocks(FRAMES).frames[4])[1, 3])
    assert enlarged.canvas.bounding_box()["width"] >= 100
    player.page.mouse.move(5, 5)
    lens.wait_for(state="hidden")
    assert player.page.problems == []


def test_a_large_image_is_not_shown_again(show: Callable[..., ReelOnPage]) -> None:
    """One image of 400 pixels: its outline shows that it is pointed at, no lens covers what is beside it."""
    player = show("rows=1&columns=1&side=5")
    player.page.mouse.move(*player.tile(0, 0, 1, 1))
    player.root.locator(".spot").wait_for()
    assert not player.root.locator(".lens").is_visible()


def test_images_without_names_are_counted(show: Callable[..., ReelOnPage]) -> None:
    """Only the first three rows have names; columns have them all."""
    player = show("rows=5&columns=4")
    player.page.mouse.move(*player.tile(4, 2, 5, 4))
    player.root.locator(".lens").wait_for()
    assert player.root.locator(".lens-name").inner_text() == "row 5 · 2"


def test_the_lens_follows_the_film(show: Callable[..., ReelOnPage]) -> None:
    """While the pointer rests, the enlarged image changes with the frame."""
    player = show()
    player.page.mouse.move(*player.tile(2, 0, ROWS, COLUMNS))
    player.canvas.focus()
    for _ in range(3):
        player.page.keyboard.press("ArrowRight")
    player.until("e.dataset.frame === '3'")
    assert player.root.locator(".lens-time").inner_text() == "step = 300"
    enlarged = ReelOnPage(player.page)
    enlarged.canvas = player.root.locator(".lens canvas")
    np.testing.assert_array_equal(enlarged.images(1, 1, SIDE)[0, 0], colours(blocks(FRAMES).frames[3])[2, 0])


def test_a_click_picks_an_image(show: Callable[..., ReelOnPage]) -> None:
    player = show("pick")
    player.to(6)
    player.page.mouse.click(*player.tile(2, 4, ROWS, COLUMNS))
    heard = told(player, "cell")
    assert (heard["cell"], heard["time"]) == ([2, 4], 600)
    player.page.mouse.move(5, 5)
    mark, box = player.root.locator(".mark").bounding_box(), player.canvas.bounding_box()
    centre = mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2
    assert np.abs(np.subtract(centre, player.tile(2, 4, ROWS, COLUMNS))).max() < 0.05 * box["width"] / COLUMNS
    assert player.shown() == 6
    assert player.page.problems == []


def test_the_keyboard_picks_an_image(show: Callable[..., ReelOnPage]) -> None:
    """Shift and arrows move through the images, no further than the edges; Enter picks."""
    player = show("pick")
    player.press("Shift+ArrowDown", *["Shift+ArrowRight"] * (COLUMNS + 2), "Shift+ArrowLeft", "Shift+ArrowDown")
    assert player.root.get_by_role("status").inner_text().startswith("hard · 3")
    player.press("Enter")
    assert told(player, "cell")["cell"] == [1, 3]
    assert player.shown() == 0


def test_without_pick_nothing_is_sent(show: Callable[..., ReelOnPage]) -> None:
    player = show()
    player.page.mouse.click(*player.tile(0, 0, ROWS, COLUMNS))
    player.press("ArrowRight")
    heard = told(player, "shown")
    assert heard == {"cell": None, "time": None, "shown": 100}
    assert not player.root.locator(".mark").is_visible()


def test_a_reel_that_grows_is_followed_from_its_end_only(show: Callable[..., ReelOnPage]) -> None:
    """New frames come, the old ones stay, the canvas is the same one and does not move."""
    player = show("follow")
    player.press("End")
    node, box = player.canvas.element_handle(), player.canvas.bounding_box()
    grow = player.page.get_by_role("button", name="Grow")
    grow.click()
    player.until(f"e.dataset.frame === '{LAST + 4}'")
    np.testing.assert_array_equal(player.images(ROWS, COLUMNS, SIDE), colours(blocks(FRAMES + 4).frames[-1]))
    player.to(2)
    np.testing.assert_array_equal(player.images(ROWS, COLUMNS, SIDE), colours(blocks(FRAMES).frames[2]))
    grow.click()
    player.until(f"e.querySelector('.scrub').max === '{LAST + 8}'")
    player.frame()
    assert player.shown() == 2
    assert player.canvas.evaluate("(c, node) => c === node", node)
    assert player.canvas.bounding_box() == box
    assert player.page.problems == []


def test_what_the_browser_lacks_it_asks_for(show: Callable[..., ReelOnPage]) -> None:
    """Python believes wrongly that the browser holds the frames; it says so and gets them."""
    player = show("follow")
    player.page.get_by_role("button", name="Swap").click()
    player.until("e.querySelector('.scrub').max === '19'")
    player.to(19)
    np.testing.assert_array_equal(player.images(ROWS, COLUMNS, SIDE), colours(blocks(20).frames[19]))
    assert player.page.problems == []


def test_a_rerun_changes_nothing(show: Callable[..., ReelOnPage]) -> None:
    player = show("pick")
    player.to(5)
    player.page.mouse.click(*player.tile(1, 1, ROWS, COLUMNS))
    told(player, "cell")
    player.radio("speed", "2")
    before = player.pixels()
    player.page.get_by_role("button", name="Rerun").click()
    player.page.wait_for_timeout(500)
    player.frame()
    assert player.shown() == 5
    np.testing.assert_array_equal(player.pixels(), before)
    assert player.root.locator(".settings input[name=speed]:checked").get_attribute("value") == "2"
    assert player.root.locator(".mark").is_visible()


def test_autoplay_asks_whether_motion_is_welcome(show: Callable[..., ReelOnPage]) -> None:
    calm = show("autoplay", reduced_motion="reduce")
    calm.page.wait_for_timeout(300)
    assert not calm.playing()
    assert calm.shown() == 0
    lively = show("autoplay", reduced_motion="no-preference")
    lively.until("e.dataset.playing === 'true' && Number(e.dataset.frame) > 1")


@pytest.mark.parametrize("classroom", ["", "&classroom"])
def test_it_fits_every_width(show: Callable[..., ReelOnPage], classroom: str) -> None:
    """Nothing sticks out, each row's name stands at its row, and pointing does not move the page."""
    player = show(f"rows=3&columns=10&side=8{classroom}", reduced_motion="reduce")
    for width in (1280, 700, 400, 320):
        player.page.set_viewport_size({"width": width, "height": 900})
        player.page.wait_for_timeout(250)
        box = player.canvas.bounding_box()
        assert box["width"] > 0.7 * player.root.bounding_box()["width"], width
        height = player.root.bounding_box()["height"]
        player.page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] - 8)
        player.frame()
        assert player.root.evaluate(STICKING) == [], width
        assert player.root.bounding_box()["height"] == height
        assert player.root.locator(".lens-name").inner_text() == "soft · 9"
        stacked = player.root.get_attribute("data-stacked") == "true"
        for row, name in enumerate(player.root.locator(".rows span").all()):
            label, pitch = name.bounding_box(), box["height"] / 3
            middle = label["y"] + label["height"] / 2 - box["y"]
            assert pitch * row <= middle <= pitch * (row + (0.6 if stacked else 1)), (width, row)
        player.page.mouse.move(2, 2)


def test_names_that_need_much_room_stand_above_their_rows(show: Callable[..., ReelOnPage]) -> None:
    """Then too the images are exact, and pointing finds them."""
    player = show("classroom&names=long", viewport={"width": 320, "height": 900})
    assert player.root.get_attribute("data-stacked") == "true"
    np.testing.assert_array_equal(player.images(ROWS, COLUMNS, SIDE), colours(blocks(FRAMES).frames[0]))
    x, y = player.tile(1, 2, ROWS, COLUMNS)
    player.page.mouse.move(x, y + 4)
    player.frame()
    assert player.root.locator(".lens-name").inner_text() == "from hard codes · 2"


def test_the_text_alternative_says_what_and_when(show: Callable[..., ReelOnPage]) -> None:
    player = show()
    player.press("End")
    label = player.canvas.get_attribute("aria-label") or ""
    assert label == f"Blocks that grow brighter. Shown: step = {100 * LAST:,}, frame {FRAMES} of {FRAMES}."
    assert player.canvas.get_attribute("role") == "img"
    for button in player.root.locator("button").all():
        assert button.get_attribute("aria-label") or button.inner_text()


def test_a_reel_that_comes_while_it_has_no_room_waits_for_it(url: str, new_page: Callable[..., Any]) -> None:
    """In a part of the page that is not shown yet nothing is drawn and nothing fails; with the room come the pictures.

    Seen or not is said by the browser some time after the reel has come, so here it never says that.
    """
    page = new_page()
    page.add_init_script("window.IntersectionObserver = class { observe() {} disconnect() {} unobserve() {} };")
    page.add_init_script("""document.addEventListener("DOMContentLoaded", () => document.head.insertAdjacentHTML(
        "beforeend", '<style id="hidden">#root { display: none !important }</style>'));""")
    page.goto(url)
    player = ReelOnPage(page)
    page.locator(".reel[data-ready=true]").wait_for(state="attached", timeout=PATIENCE)
    assert player.root.evaluate("e => e.clientWidth") == 0
    page.wait_for_timeout(300)
    assert page.problems == []
    page.evaluate("document.getElementById('hidden').remove()")
    player.ready()
    found, wanted = player.images(ROWS, COLUMNS, SIDE), colours(blocks(FRAMES).frames[0])
    np.testing.assert_array_equal(found, wanted)
