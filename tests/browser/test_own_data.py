"""One's own data on the page of continuous flows: drawn, uploaded, broken, a picture, and back again."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60_000
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(serve: Callable[..., str]) -> str:
    return serve(ROOT / "app" / "main.py")


def choose(page: Any, target: str) -> None:
    box = page.get_by_role("combobox", name="Target")
    box.click(timeout=PATIENCE)
    box.press_sequentially(target)  # the list is long and shows only a part
    page.get_by_role("option", name=target, exact=True).click()


def data(page: Any) -> str | None:
    """The key of the data that the address names."""
    return parse_qs(urlsplit(page.url).query).get("data", [None])[0]


def new_data(page: Any, before: str | None) -> str:
    """The key, once the address names other data than before."""
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("data", [None])[0] not in (None, before))
    settled(page)
    key = data(page)
    assert key is not None
    assert re.fullmatch("[0-9a-f]{16}", key)
    return key


def settled(page: Any) -> None:
    page.wait_for_timeout(500)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE)


def draw(page: Any, share: float) -> None:
    """A dab at that share of the sheet's diagonal, and use it."""
    sheet = page.locator(".pad .sheet")
    sheet.wait_for(timeout=PATIENCE)
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
    page.mouse.down()
    page.wait_for_timeout(150)
    page.mouse.up()
    page.get_by_role("button", name="Use these points").click()


def upload(page: Any, name: str, content: bytes) -> None:
    field = page.locator("input[type=file]").first
    field.set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})


def test_own_data_come_in_by_every_door_and_the_last_good_ones_stay(app: str, page: Any) -> None:
    page.goto(f"{app}/cnf")
    choose(page, "Your points")
    draw(page, 0.3)
    drawn = new_data(page, None)
    assert page.get_by_role("button", name="Train it live").is_enabled()

    page.get_by_role("tab", name="Upload").click()
    table = io.StringIO()
    np.savetxt(table, np.random.default_rng(0).normal(size=(50, 2)), delimiter=",")
    upload(page, "good.csv", table.getvalue().encode())
    uploaded = new_data(page, drawn)

    upload(page, "bad.csv", b"hello,there\nno,numbers\n")
    page.get_by_text("two numbers are needed in each line").wait_for(timeout=PATIENCE)
    settled(page)
    assert data(page) == uploaded

    page.get_by_role("tab", name="Draw").click()
    page.get_by_role("button", name="Use these points").click()
    assert new_data(page, uploaded) == drawn

    choose(page, "Your image")
    page.get_by_text("it needs data").wait_for(timeout=PATIENCE)
    picture = io.BytesIO()
    Image.fromarray(np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))).save(picture, "PNG")
    upload(page, "ramp.png", picture.getvalue())
    image = new_data(page, drawn)
    assert page.get_by_text("it needs data").count() == 0

    choose(page, "Your points")
    assert new_data(page, image) == drawn
    choose(page, "Your image")
    assert new_data(page, drawn) == image
    assert page.locator('[data-testid="stException"]').count() == 0
    assert page.problems == []


@pytest.mark.parametrize("query", ["target=points", "target=points&data=0123456789abcdef", "target=image&data=x"])
def test_a_link_to_data_that_are_not_here_says_so_once(app: str, page: Any, query: str) -> None:
    page.goto(f"{app}/cnf?{query}")
    page.get_by_role("combobox", name="Target").wait_for(timeout=PATIENCE)
    settled(page)
    assert page.locator("[data-testid=stAlert]").count() == 1
    assert 20 < len(page.locator("[data-testid=stAlert]").inner_text()) < 300
    page.wait_for_selector(".film canvas")
    assert page.problems == []
