"""The page gumbel in a real Chromium: every part is drawn, what is dragged stands in the link and in the table."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_app import SECONDS, nothing_broke, settled

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.browser
WAITED_FOR = {
    "simplex": ".simplex[data-ready=true] canvas",
    "categories": ".race[data-ready=true]",
    "estimators": "[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas",
    "vae": "canvas",
}


@pytest.fixture(scope="module")
def app(serve: Callable[..., str]) -> str:
    """The app's address."""
    return serve(ROOT / "app" / "main.py")


def opened(page: Any, app: str, part: str, rest: str = "") -> Any:
    page.goto(f"{app}/gumbel?part={part}{rest}")
    page.locator(WAITED_FOR[part]).first.wait_for(timeout=60 * SECONDS)
    settled(page)
    return page


@pytest.mark.parametrize("part", sorted(WAITED_FOR))
@pytest.mark.parametrize("width", [1440, 800])
def test_every_part_is_drawn(app: str, new_page: Callable[..., Any], part: str, width: int) -> None:
    scheme = "dark" if width == 800 else "light"
    page = opened(new_page(viewport={"width": width, "height": 900}, color_scheme=scheme), app, part)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    nothing_broke(page)


def test_what_is_dragged_stands_in_the_link_and_in_the_table(app: str, page: Any) -> None:
    opened(page, app, "simplex")
    page.locator(".simplex .tau").focus()
    page.keyboard.press("Home")
    page.wait_for_url(re.compile(r"s_tau=0"), timeout=30 * SECONDS)
    page.locator(".st-key-check table").wait_for(timeout=60 * SECONDS)
    nothing_broke(page)


def test_a_prediction_moves_the_stage(app: str, page: Any) -> None:
    opened(page, app, "simplex")
    page.get_by_role("button", name="E[z]").first.click()
    page.get_by_role("button", name="Show me").first.click()
    page.wait_for_url(re.compile(r"s_tau=5"), timeout=30 * SECONDS)
    page.locator(".simplex[data-tau='5']").wait_for(timeout=30 * SECONDS)
    nothing_broke(page)


def test_the_vae_trains_to_its_end(app: str, page: Any) -> None:
    opened(page, app, "vae", "&steps=200&seed=5")
    page.get_by_role("button", name=re.compile("Train it live")).first.click()
    page.get_by_text(re.compile(r"Trained · step 200 of 200")).wait_for(timeout=90 * SECONDS)
    settled(page)
    nothing_broke(page)
