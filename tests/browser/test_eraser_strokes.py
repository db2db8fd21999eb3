"""The eraser in a real Chromium: strokes, keys and buttons, and what Python hears of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.eraser import word_of
from tests.browser.film_page import PATIENCE

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).with_name("eraser_script.py")
ROWS, COLUMNS = 4, 6


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def page(url: str, new_page: Callable[..., Any]) -> Any:
    """The script, its eraser ready."""
    opened = new_page()
    opened.goto(url)
    opened.locator(".eraser[data-ready=true]").wait_for(timeout=PATIENCE)
    return opened


def heard(page: Any, cells: set[int], columns: int = COLUMNS) -> None:
    """Wait until Python has exactly these cells."""
    mask = np.zeros(ROWS * columns, bool)
    mask[list(cells)] = True
    text = f"{ROWS}x{columns} {word_of(mask.reshape(ROWS, columns))}"
    page.locator("[data-testid=stCode] code", has_text=text).wait_for(timeout=PATIENCE)


def drag(page: Any, *places: tuple[int, int]) -> None:
    """From cell to cell with the pointer held down."""
    box = page.locator(".eraser canvas").bounding_box()
    for k, (row, column) in enumerate(places):
        page.mouse.move(
            box["x"] + (column + 0.5) * box["width"] / COLUMNS, box["y"] + (row + 0.5) * box["height"] / ROWS
        )
        if k == 0:
            page.mouse.down()
    page.mouse.up()


def test_a_quick_stroke_has_no_gaps_and_one_from_an_erased_cell_restores(page: Any) -> None:
    lower = set(range(12, 24))
    heard(page, lower)
    drag(page, (0, 0), (0, 5))
    heard(page, lower | set(range(6)))
    drag(page, (3, 1), (2, 1))
    heard(page, (lower | set(range(6))) - {19, 13})
    assert page.problems == []


def test_buttons(page: Any) -> None:
    everywhere = np.arange(24).reshape(ROWS, COLUMNS)
    wanted = {"Restore all": set(), "Left half": set(everywhere[:, :3].ravel().tolist()),
              "Centre": set(everywhere[1:3, 1:5].ravel().tolist()), "Lower half": set(range(12, 24))}  # fmt: skip
    for name, cells in wanted.items():
        button = page.get_by_role("button", name=name)
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        heard(page, cells)
    assert page.problems == []


def test_keys(page: Any) -> None:
    canvas = page.locator(".eraser canvas")
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", " "):
        page.keyboard.press(key)
    heard(page, set(range(12, 24)) | {7})
    assert "13 of 24 codes erased" in canvas.get_attribute("aria-label")


def test_another_grid_begins_anew(page: Any) -> None:
    drag(page, (0, 0), (0, 1))
    heard(page, set(range(12, 24)) | {0, 1})
    page.get_by_text("Wider").click()
    heard(page, set(range(16, 32)), 8)
    page.locator(".eraser[data-erased='16']").wait_for(timeout=PATIENCE)
    assert page.problems == []


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_sticks_out(url: str, new_page: Callable[..., Any], width: int) -> None:
    page = new_page(viewport={"width": width, "height": 800}, color_scheme="dark")
    page.goto(url)
    root = page.locator(".eraser[data-ready=true]")
    root.wait_for(timeout=PATIENCE)
    right = "e => e.getBoundingClientRect().right"
    edge = root.evaluate(right)
    assert all(part.evaluate(right) <= edge + 1 for part in root.locator("button, canvas").all())
