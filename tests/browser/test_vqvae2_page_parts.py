"""The page vqvae2 in a real Chromium: parts are drawn, places light up, an image is chosen, a film plays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_app import SECONDS, nothing_broke, settled

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(serve: Callable[..., str]) -> str:
    """The app's address."""
    return serve(ROOT / "app" / "main.py")


@pytest.fixture
def at(app: str, new_page: Callable[..., Any]) -> Callable[..., Any]:
    """``at(part, width) -> page``, once it is drawn; a narrow page is dark."""

    def open_part(part: str, width: int = 1440) -> Any:
        page = new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if width < 1000 else "light")
        page.goto(f"{app}/vqvae2?part={part}")
        page.locator('canvas, [data-testid="stVegaLiteChart"]').first.wait_for(timeout=60 * SECONDS)
        settled(page)
        return page

    return open_part


@pytest.mark.parametrize("part", ["mix", "prior", "diversity"])
def test_a_part_is_drawn_on_a_narrow_dark_page(at: Callable[..., Any], part: str) -> None:
    page = at(part, 800)
    assert page.evaluate("document.documentElement.scrollWidth") <= 800
    nothing_broke(page)


def test_a_place_lights_up_in_every_picture(at: Callable[..., Any]) -> None:
    """Pointing at one picture draws on the upper canvas of each cell; leaving wipes it."""
    page = at("levels")
    page.locator(".board-root[data-ready=true]").wait_for(timeout=30 * SECONDS)
    inked = """() => {
      const roots = [...document.querySelectorAll('*')].map(e => e.shadowRoot);
      const root = roots.find(r => r?.querySelector('.board-root'));
      return [...root.querySelectorAll('canvas.over')].map(canvas => canvas.getContext('2d')
        .getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0));
    }"""
    assert not any(page.evaluate(inked))
    page.locator("canvas.over").nth(2).hover()
    lit = page.evaluate(inked)
    assert len(lit) == 8
    assert all(lit)
    assert "Bottom codes: code" in page.locator(".reading").first.text_content()
    page.mouse.move(2, 2)
    page.wait_for_timeout(100)
    assert not any(page.evaluate(inked))
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440
    nothing_broke(page)


def test_an_image_is_chosen_and_stands_in_the_link(at: Callable[..., Any]) -> None:
    page = at("levels", 800)
    chosen = page.locator(".strip button").nth(4)
    before = page.locator("canvas.base").first.screenshot()
    chosen.click()
    page.wait_for_url("**image=4**", timeout=20 * SECONDS)
    settled(page)
    page.mouse.move(2, 2)
    assert page.locator("canvas.base").first.screenshot() != before
    assert chosen.get_attribute("aria-checked") == "true"
    assert page.evaluate("document.documentElement.scrollWidth") <= 800
    nothing_broke(page)


def test_the_drawing_plays_code_by_code(at: Callable[..., Any]) -> None:
    """Scrubbed to its start the map is empty; the end has every code."""
    page = at("prior")
    board = page.locator(".board-root").first
    page.wait_for_function(
        """() => { const root = [...document.querySelectorAll('*')].map(e => e.shadowRoot)
          .find(r => r?.querySelector('.board-root')); return root?.querySelector('.board-root').dataset.ready; }""",
        timeout=30 * SECONDS,
    )
    scrub = board.locator(".scrub")
    scrub.focus()
    scrub.press("Home")
    page.wait_for_timeout(200)
    board.locator("canvas.over").nth(6).hover()
    assert "Drawn bottom codes: no code yet" in board.locator(".reading").text_content()
    scrub.press("End")
    page.wait_for_timeout(200)
    board.locator("canvas.over").nth(6).hover()
    assert "no code yet" not in board.locator(".reading").text_content()
    nothing_broke(page)
