"""The app as a person meets it: every page in a real Chromium, its stage drawn, its controls moved, nothing broken."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 1000
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(serve: Callable[..., str]) -> str:
    """The app's address."""
    return serve(ROOT / "app" / "main.py")


def opened(page: Any, address: str) -> Any:
    """The page, once its stage has a picture."""
    page.goto(address)
    page.wait_for_selector("canvas", timeout=60 * SECONDS)
    settled(page)
    return page


def settled(page: Any) -> None:
    """Wait until Streamlit has nothing left to run."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60 * SECONDS)


def nothing_broke(page: Any) -> None:
    assert page.locator('[data-testid="stException"]').count() == 0
    assert page.problems == []


def ink(page: Any) -> int:
    """How many different colours the first canvas shows: a picture has many, a blank one few."""
    return page.evaluate(
        """() => {
          const roots = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean);
          const all = roots.flatMap(root => [...root.querySelectorAll('canvas')]);
          const canvas = [...document.querySelectorAll('canvas'), ...all].find(c => c.width > 100);
          const { width, height } = canvas, seen = new Set();
          const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
          for (let i = 0; i < pixels.length; i += 28) seen.add(pixels[i] * 65536 + pixels[i + 1] * 256 + pixels[i + 2]);
          return seen.size;
        }"""
    )


def stop(page: Any) -> Any:
    """The page's own Stop button; Streamlit has another one in its header."""
    return page.get_by_test_id("stMainBlockContainer").get_by_role("button", name="Stop")


def stop_once_it_runs(page: Any) -> None:
    """Wait until steps are counted, stop, and wait until the page says so."""
    page.get_by_text(re.compile(r"step [\d,]+ of 20,000 · [\d.]+ s · \d+ s left")).wait_for(timeout=60 * SECONDS)
    stop(page).click()
    page.get_by_text(re.compile(r"Stopped ·")).first.wait_for(timeout=60 * SECONDS)


@pytest.mark.parametrize("path", ["", "cnf"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_opens_with_a_picture(app: str, new_page: Callable[..., Any], path: str, scheme: str) -> None:
    page = opened(new_page(color_scheme=scheme), f"{app}/{path}")
    page.wait_for_timeout(500)
    assert ink(page) > 50
    nothing_broke(page)


def test_nothing_is_wider_than_a_narrow_window(app: str, new_page: Callable[..., Any]) -> None:
    page = opened(new_page(viewport={"width": 800, "height": 900}), f"{app}/cnf")
    assert page.evaluate("document.documentElement.scrollWidth") <= 800
    nothing_broke(page)


def test_the_film_plays_and_another_target_is_shown(app: str, page: Any) -> None:
    opened(page, f"{app}/cnf")
    page.get_by_role("button", name="Play").first.wait_for(timeout=30 * SECONDS)  # the film has come to its end
    end = page.locator("canvas").first.screenshot()
    page.get_by_role("button", name="Play").first.click()
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Pause").first.click()
    assert page.locator("canvas").first.screenshot() != end
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name=re.compile("moons", re.IGNORECASE)).click()
    page.wait_for_url(re.compile("target=moons"), timeout=30 * SECONDS)
    settled(page)
    nothing_broke(page)


def test_a_training_runs_to_its_end_and_leaves_a_film(app: str, page: Any) -> None:
    opened(page, f"{app}/cnf?target=moons&steps=300&seed=7")
    page.get_by_role("button", name=re.compile("Train it live")).first.click()
    page.get_by_text(re.compile(r"Trained · step 300 of 300")).wait_for(timeout=90 * SECONDS)
    settled(page)
    assert ink(page) > 50
    nothing_broke(page)


def test_a_training_can_be_stopped_and_resumed(app: str, page: Any) -> None:
    opened(page, f"{app}/cnf?target=circles&objective=likelihood&steps=20000&seed=8")
    page.get_by_role("button", name=re.compile("Train it live")).first.click()
    stop_once_it_runs(page)
    page.get_by_role("button", name="Resume").click()
    stop_once_it_runs(page)
    nothing_broke(page)


def test_a_prediction_is_asked_before_it_is_revealed(app: str, page: Any) -> None:
    opened(page, f"{app}/cnf")
    assert page.get_by_role("button", name="Show me").count() == 0
    card = page.get_by_text("What do you expect?").first
    card.scroll_into_view_if_needed()
    card.locator("xpath=following::button[1]").click()
    page.get_by_role("button", name="Show me").first.wait_for(timeout=20 * SECONDS)
    page.get_by_role("button", name="Show me").first.click()
    settled(page)
    nothing_broke(page)
