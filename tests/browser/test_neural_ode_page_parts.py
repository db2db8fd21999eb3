"""The page neural_ode in a real Chromium: every part is drawn, nothing is wider than the window, nothing breaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dgm_core.neural_ode.stability import border
from tests.browser.test_app import SECONDS, nothing_broke, settled

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(serve: Callable[..., str]) -> str:
    """The app's address."""
    return serve(ROOT / "app" / "main.py")


@pytest.mark.parametrize(
    ("part", "width"), [("residual", 1440), ("nets", 800), ("solvers", 800), ("adjoint", 1440), ("learn", 1440)]
)
def test_every_part_is_drawn(app: str, new_page: Callable[..., Any], part: str, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if width == 800 else "light")
    page.goto(f"{app}/neural_ode?part={part}")
    page.locator(".phase[data-ready=true]").first.wait_for(timeout=60 * SECONDS)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 1440:
        box = page.locator("canvas.stage").first.bounding_box()
        assert box["y"] + box["height"] <= 900  # above the fold
    nothing_broke(page)


def test_the_border_of_stability_is_where_the_core_finds_it(app: str, new_page: Callable[..., Any]) -> None:
    """Just inside and just outside of dopri5's stretch of the real axis, to which arrow keys of 0.01 lead."""
    page = new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{app}/neural_ode?part=solvers")
    stage = page.locator(".stability")
    stage.wait_for(timeout=60 * SECONDS)
    region = stage.locator(".region")
    region.scroll_into_view_if_needed()
    region.focus()
    stable = {}
    while len(stable) < 400:
        at = round(float(stage.get_attribute("data-re") or 0), 2)
        stable[at] = stage.get_attribute("data-stable") == "true"
        if not stable[at]:
            break
        page.keyboard.press("ArrowLeft" if at > 0.15 - border("dopri5") else "Shift+ArrowLeft")
    edge = min(at for at, held in stable.items() if held)
    assert -border("dopri5") <= edge <= -border("dopri5") + 0.02
    nothing_broke(page)
