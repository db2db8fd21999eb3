"""The codebook browser in a real Chromium: every panel shows the same code, edits are decoded as NumPy decodes them.

The codes are k-means patches of real digits, so each pixel, count and distance has an oracle in a few lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.codebook import similarity_order
from app.figures.palette import BAD, GROUND, LATENT
from tests.browser.codebook_page import Browser
from tests.browser.patch_codes import PatchCodes, digits, patch_codes

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).with_name("codebook_script.py")
CODES, GRID, CELLS = 32, (4, 4), 16
# What reaches over the right edge of its panel.
STICKING = """e => [...e.querySelectorAll(".panel")].flatMap(panel => {
    const edge = Math.min(panel.getBoundingClientRect().right, e.getBoundingClientRect().right) + 4;
    return [...panel.querySelectorAll("*")].filter(part => part.getBoundingClientRect().right > edge)
        .map(part => part.outerHTML.slice(0, 90));
})"""


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def show(url: str, new_page: Callable[..., Any]) -> Callable[..., Browser]:
    """``show(query, **context) -> Browser``: the page opened with that query, its browser ready."""

    def open_(query: str = "", **context: Any) -> Browser:
        page = new_page(**context)
        page.goto(f"{url}/?{query}")
        return Browser(page)

    return open_


@cache
def book() -> PatchCodes:
    """What the script shows without a query."""
    return patch_codes(digits()[:400], 2, CODES, dead=2)


def by_usage() -> np.ndarray:
    return np.argsort(-book().view.usage, kind="stable")


def rgb(colour: str) -> list[int]:
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def enlarged(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A picture enlarged by a whole number to a canvas's size."""
    return picture.repeat(shape[0] // picture.shape[0], 0).repeat(shape[1] // picture.shape[1], 1)


def pin(browser: Browser, code: int) -> None:
    left, top, edge = browser.tile(int(np.flatnonzero(by_usage() == code)[0]), CODES)
    browser.click("tiles", left + edge / 2, top + edge / 2)


def free_code(image: int) -> int:
    """The most used code that this image does not have."""
    return next(int(k) for k in by_usage() if k not in book().view.maps[image])


def test_tiles_stand_by_usage_and_dead_ones_are_marked(show: Callable[..., Browser]) -> None:
    """Each of the four pixels of each living tile, exactly; the dead ones are paler and have a line across them."""
    browser = show()
    picture = browser.pixels("tiles").astype(int)
    for slot, code in enumerate(by_usage()):
        left, top, edge = browser.tile(slot, CODES)
        quarters = picture[top + edge // 4 : top + edge : edge // 2, left + edge // 4 : left + edge : edge // 2]
        if book().view.usage[code]:
            assert np.array_equal(quarters[:2, :2, 0], book().view.tiles[code]), code
            assert (quarters[..., 3] == 255).all()
        else:
            assert (quarters[[0, 1], [0, 1], 3] < 128).all()
            assert picture[top + edge // 2, left + edge // 2, 3] > 150
    assert browser.text("facts") == f"{CODES} codes, {(book().view.usage == 0).sum()} dead"
    over_set, in_batch = book().view.set_perplexity, book().view.batch_perplexity
    words = f"perplexity {over_set:.1f} over the whole set {in_batch:.1f} within a batch"
    assert browser.text("perplexity-line").split() == words.split()
    assert browser.page.problems == []


def test_pointing_at_a_tile_lights_its_cells_everywhere(show: Callable[..., Browser]) -> None:
    """In the strip exactly the code's cells are free of the veil; its numbers and its neighbours are named."""
    browser = show()
    view, code = book().view, int(by_usage()[5])
    left, top, edge = browser.tile(5, CODES)
    browser.hover("tiles", left + edge / 2, top + edge / 2)
    assert browser.state("code") == code
    veil = browser.pixels("strip", "over")
    free = veil[..., 3] == 0
    lit = sum(int((view.maps[image] == code).sum()) for image in range(len(view.images)))
    width = strip_width(browser, len(view.images))
    cell = width / GRID[1]
    for image in range(len(view.images)):
        x, y = strip_corner(browser, image, len(view.images))
        for k in range(CELLS):
            at = (round(y + (k // GRID[1] + 0.5) * cell), round(x + (k % GRID[1] + 0.5) * cell))
            assert free[at] == (view.maps[image].ravel()[k] == code), (image, k)
    assert lit > 0
    assert browser.text("name") == f"Code {code}"
    numbers = browser.text("numbers")
    assert f"chosen {view.usage[code]:,} times" in numbers
    assert "rank 6 of 32" in numbers
    near = browser.root.locator(".neighbours button").evaluate_all("all => all.map(b => Number(b.dataset.code))")
    assert near == view.neighbours[code].tolist()
    images = (view.maps == code).any((1, 2)).sum()
    assert browser.text("note") == f"code {code}: in {images} of 400 images"


def strip_width(browser: Browser, count: int) -> int:
    """The images' width in the strip: the largest that its canvas's size allows (digits are square)."""
    box = browser.layer("strip").bounding_box()
    wide, high = round(box["width"]) - 6, round(box["height"]) - 6
    for width in range(104, 17, -1):
        columns, rows = (wide + 4) / (width + 4), (high + 4) / (width + 4)
        if columns == int(columns) and rows == int(rows) and (rows - 1) * columns < count <= rows * columns:
            return width
    raise AssertionError("no grid of images has this size")


def strip_corner(browser: Browser, image: int, count: int) -> tuple[int, int]:
    width = strip_width(browser, count)
    columns = round((browser.layer("strip").bounding_box()["width"] - 2) / (width + 4))
    return 3 + image % columns * (width + 4), 3 + image // columns * (width + 4)


def test_the_other_orders(show: Callable[..., Browser]) -> None:
    """Similarity is the greedy chain; by position each column lies right of the one before in the projection."""
    browser = show()
    view = book().view
    browser.choose("sort", "similarity")
    seen = read_slots(browser, range(0, CODES, 3))
    assert seen == similarity_order(view.tiles)[::3].tolist()
    browser.choose("sort", "position")
    edge = browser.tile(0, CODES)[2]
    columns = round((browser.layer("tiles").bounding_box()["width"] - 4) / (edge + 2))
    slots = read_slots(browser, range(CODES))
    assert sorted(slots) == list(range(CODES))
    x, y = view.positions.T
    for column in range(columns - 1):
        assert x[slots[column::columns]].max() <= x[slots[column + 1 :: columns]].min()
    for column in range(columns):
        assert (np.diff(y[slots[column::columns]]) <= 1e-2).all()


def read_slots(browser: Browser, slots: range) -> list[int | None]:
    seen = []
    for slot in slots:
        left, top, edge = browser.tile(slot, CODES)
        browser.hover("tiles", left + edge / 2, top + edge / 2)
        seen.append(browser.state("code"))
    return seen


def test_keys_point_pin_and_let_go(show: Callable[..., Browser]) -> None:
    browser = show("report")
    order = by_usage()
    browser.press("tiles", "ArrowRight", "ArrowRight", "ArrowRight")
    assert browser.state("code") == order[2]
    live = browser.root.get_by_role("status")
    assert live.inner_text().startswith(f"Code {order[2]}, chosen {book().view.usage[order[2]]:,} times, rank 3 of 32")
    browser.press("tiles", "Enter")
    browser.page.locator("[data-testid=stCode] code", has_text=f'"pinned": {order[2]}').wait_for()
    browser.press("bars", "ArrowRight")
    assert browser.state("code") == order[3]
    browser.press("strip", "ArrowRight", "ArrowDown", "Enter")
    assert browser.state("code") == order[2]
    image = browser.state("image")
    assert image is not None
    assert image > 1
    browser.press("map", "ArrowRight", "ArrowRight", "ArrowDown")
    assert browser.state("cell") == 1 + GRID[1]
    assert live.inner_text().startswith("Row 1, column 1: code")
    browser.press("map", "Escape")
    assert (browser.state("code"), browser.state("cell")) == (None, None)
    browser.page.locator("[data-testid=stCode] code", has_text='"pinned": null, "pinned_image": null').wait_for()
    assert browser.page.problems == []


def test_a_cell_tells_its_code_and_distances(show: Callable[..., Browser]) -> None:
    """Against the exhaustive search in float64, to the three figures shown."""
    browser = show()
    image, cell = 7, 6
    x, y = strip_corner(browser, image, len(book().view.images))
    browser.click("strip", x + 10, y + 10)
    assert browser.state("image") == image
    browser.hover("map", *browser.cell("map", cell, GRID))
    output = book().outputs[image * CELLS + cell]
    apart = np.sqrt(((book().codes - output) ** 2).sum(1))
    first, second = np.sort(apart)[:2]
    reading = browser.text("reading")
    shown = re.search(r"code (\d+), distance ([\d.]+); the second nearest code is ([\d.]+) away", reading)
    assert shown is not None, reading
    assert int(shown[1]) == apart.argmin()
    assert float(shown[2]) == pytest.approx(first, rel=5e-3)
    assert float(shown[3]) == pytest.approx(second, rel=5e-3)
    assert browser.state("code") == apart.argmin()
    browser.hover("original", *browser.cell("original", cell, GRID))
    assert browser.text("reading") == reading


def test_what_is_painted_is_decoded(show: Callable[..., Browser]) -> None:
    """A stroke without holes; the code map and then the decoded picture are those of NumPy, pixel by pixel."""
    browser = show()
    code = free_code(0)
    pin(browser, code)
    browser.choose("mode", "paint")
    box, mouse = browser.layer("map").bounding_box(), browser.page.mouse
    start, end = browser.cell("map", 4, GRID), browser.cell("map", 7, GRID)
    mouse.move(box["x"] + start[0], box["y"] + start[1])
    mouse.down()
    mouse.move(box["x"] + end[0], box["y"] + end[1], steps=2)
    mouse.up()
    heard = browser.answered()
    assert heard["edits"] == [{"kind": "paint", "codes": [code], "image": 0, "cells": [4, 5, 6, 7]}]
    maps = book().view.maps[:1].copy()
    maps[0, 1] = code
    expected = book().decode(maps)[0]
    for name in ("decoded", "map"):
        picture = browser.pixels(name)[..., 0]
        inside = enlarged(expected, picture.shape)
        lines = picture != inside
        assert lines.mean() < (0.001 if name == "decoded" else 0.06), name  # the code map has its grid
    browser.root.get_by_role("button", name="Undo").click()
    assert browser.answered()["edits"] == []
    picture = browser.pixels("decoded")[..., 0]
    assert np.array_equal(picture, enlarged(book().view.reconstructions[0], picture.shape))
    assert browser.page.problems == []


def test_paint_is_there_before_python_answers(show: Callable[..., Browser]) -> None:
    browser = show("mute")
    code = free_code(0)
    pin(browser, code)
    browser.choose("mode", "paint")
    browser.press("map", "ArrowRight", "Enter")
    picture = browser.pixels("decoded")[..., 0]
    patch = enlarged(book().view.tiles[code], (picture.shape[0] // 4, picture.shape[1] // 4))
    assert np.array_equal(picture[: len(patch), : patch.shape[1]], patch)
    rest = enlarged(book().view.reconstructions[0], picture.shape)
    assert np.array_equal(picture[len(patch) :], rest[len(patch) :])
    other = int(by_usage()[1])
    browser.root.get_by_role("button", name="Swap with…").click()
    pin(browser, other)
    maps = book().view.maps[: len(book().view.images)].copy()
    maps[0, 0, 0] = code
    browser.choose("shows", "reconstructions")
    check_strip(browser, book().decode(np.where(maps == code, other, np.where(maps == other, code, maps))))
    assert browser.root.get_attribute("data-answered") == "0"


def test_swap_and_drop_act_on_every_image(show: Callable[..., Browser]) -> None:
    """All pictures of the strip against NumPy; a dropped code's cells go to the nearest code that is left."""
    browser = show()
    one, other = (int(code) for code in by_usage()[:2])
    pin(browser, one)
    browser.root.get_by_role("button", name="Swap with…").click()
    pin(browser, other)
    heard = browser.answered()
    assert heard["edits"] == [{"kind": "swap", "codes": [one, other], "image": None, "cells": []}]
    browser.choose("shows", "reconstructions")
    maps = book().view.maps[: len(book().view.images)].copy()
    swapped = np.where(maps == one, other, np.where(maps == other, one, maps))
    check_strip(browser, book().decode(swapped))
    browser.root.get_by_role("button", name="Drop").click()
    heard = browser.answered()
    assert [edit["kind"] for edit in heard["edits"]] == ["swap", "drop"]
    left = np.arange(CODES) != one
    dropped = np.where(swapped == one, book().reassign(left), swapped)
    check_strip(browser, book().decode(dropped))
    tiles = browser.pixels("tiles").astype(int)
    x, y, edge = browser.tile(int(np.flatnonzero(by_usage() == one)[0]), CODES)
    assert np.abs(tiles[y + edge - 8, x + edge - 8, :3] - rgb(BAD.light)).max() < 60
    assert browser.root.get_by_role("button", name="Drop").is_disabled()
    browser.root.get_by_role("button", name="Reset").click()
    browser.answered()
    check_strip(browser, book().view.reconstructions)
    assert browser.page.problems == []


def check_strip(browser: Browser, pictures: np.ndarray) -> None:
    """Each image's pixels in the middle of where they are drawn."""
    picture, width = browser.pixels("strip")[..., 0], strip_width(browser, len(pictures))
    centres = ((np.arange(8) + 0.5) * width / 8).astype(int)
    for image, expected in enumerate(pictures):
        x, y = strip_corner(browser, image, len(pictures))
        assert np.array_equal(picture[np.ix_(y + centres, x + centres)], expected), image


def test_another_codebook_begins_unedited_and_the_first_keeps_its_edits(show: Callable[..., Browser]) -> None:
    browser = show()
    pin(browser, int(by_usage()[0]))
    browser.root.get_by_role("button", name="Drop").click()
    browser.answered()
    switch = browser.page.get_by_text("Other codes")
    switch.click()
    browser.root.locator(".facts", has_text="40 codes").wait_for()
    browser.frame()
    assert browser.root.get_by_role("button", name="Undo").is_disabled()
    assert browser.state("code") is None
    switch.click()
    browser.root.locator(".facts", has_text="32 codes").wait_for()
    browser.page.wait_for_function("e => e.dataset.answered === '1'", arg=browser.root.element_handle())
    browser.frame()
    assert browser.text("edits") == "1 edit"


def test_a_browser_that_lacks_the_codebook_asks_for_it(show: Callable[..., Browser]) -> None:
    browser = show("forget")
    assert browser.text("facts").startswith("32 codes")
    assert browser.page.problems == []


@pytest.mark.parametrize("classroom", ["", "&classroom"])
def test_it_fits_every_width(show: Callable[..., Browser], classroom: str) -> None:
    browser = show(f"data=photos&codes=64&images=90{classroom}")
    assert browser.state("code") is None
    for width in (1280, 1000, 800, 560, 400):
        browser.page.set_viewport_size({"width": width, "height": 900})
        browser.page.wait_for_timeout(250)
        height = browser.root.bounding_box()["height"]
        browser.hover("tiles", 30, 30)
        assert browser.root.evaluate(STICKING) == [], width
        assert browser.root.bounding_box()["height"] == height
        browser.hover("map", 30, 30)
        browser.hover("strip", 30, 30)
        assert browser.root.bounding_box()["height"] == height
    assert browser.page.problems == []


def test_dark_theme(show: Callable[..., Browser]) -> None:
    browser = show(color_scheme="dark")
    assert browser.root.get_attribute("data-theme") == "dark"
    assert browser.root.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb({}, {}, {})".format(
        *rgb(GROUND.dark)
    )
    browser.press("bars", "ArrowRight")
    drawn = browser.pixels("bars", "over")
    solid = drawn[drawn[..., 3] == 255][:, :3].astype(int)
    assert (np.abs(solid - rgb(LATENT.dark)) <= 2).all(-1).mean() > 0.3


def test_every_control_has_a_name(show: Callable[..., Browser]) -> None:
    browser = show()
    browser.press("tiles", "ArrowRight")
    for canvas in browser.root.locator("canvas[role=img]").all():
        assert len(canvas.get_attribute("aria-label") or "") > 20
    for button in browser.root.locator("button").all():
        assert button.get_attribute("aria-label") or button.inner_text()
    for field in browser.root.locator("input").all():
        assert field.evaluate("e => e.closest('label').innerText.trim().length") > 2
