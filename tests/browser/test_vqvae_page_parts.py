"""The page vqvae in a real Chromium: every part is drawn, nothing is wider than the window, nothing breaks."""

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


@pytest.mark.parametrize("part", ["plane", "codebook", "prior"])
@pytest.mark.parametrize("width", [1440, 800])
def test_every_part_is_drawn(app: str, new_page: Callable[..., Any], part: str, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if width == 800 else "light")
    page.goto(f"{app}/vqvae?part={part}")
    page.locator("canvas").first.wait_for(timeout=60 * SECONDS)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    nothing_broke(page)
