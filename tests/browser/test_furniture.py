"""What of the bones only a browser shows: colours, sizes, the clipboard, files, charts that stay where they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.figures.palette import GROUND, INK, Accent, accent

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).with_name("furniture_script.py")


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve(SCRIPT)


def rgb(colour: str) -> str:
    """``#rrggbb`` as browsers print it."""
    return f"rgb({int(colour[1:3], 16)}, {int(colour[3:5], 16)}, {int(colour[5:7], 16)})"


def ready(page: Any, url: str) -> Any:
    page.goto(url)
    page.get_by_role("heading", name="How does a density flow?").wait_for(timeout=60_000)
    page.locator("[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas").nth(1).wait_for()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 800])
def test_the_page_wears_its_theme_and_nothing_sticks_out(
    url: str, new_page: Callable[..., Any], scheme: str, width: int
) -> None:
    page = ready(new_page(color_scheme=scheme, viewport={"width": width, "height": 900}), url)

    def worn(colour: Accent) -> str:
        return rgb(colour.on(scheme == "dark"))

    assert page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor") == worn(GROUND)
    assert page.get_by_role("heading", level=1).evaluate("e => getComputedStyle(e).color") == worn(INK)
    symbol = page.locator(".katex-html [style*=color]").first
    assert symbol.evaluate("e => getComputedStyle(e).color") == rgb(accent("data", scheme == "dark"))
    assert page.get_by_text("✓ holds").is_visible()
    assert page.get_by_text("✗ fails").is_visible()
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert page.problems == []


def test_the_link_is_copied_and_opens_the_same_settings(url: str, new_page: Callable[..., Any]) -> None:
    page = ready(new_page(permissions=["clipboard-read", "clipboard-write"]), f"{url}/?steps=300&model=planar")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    query = parse_qs(urlsplit(link).query)
    assert (query["v"], query["steps"], query["model"], query["seed"]) == (["3"], ["300"], ["planar"], ["0"])
    assert link.startswith(url)
    ready(page, link)
    assert page.get_by_role("radio", name="Planar field").is_checked()


def test_where_copying_is_forbidden_the_link_is_shown_selected(url: str, new_page: Callable[..., Any]) -> None:
    page = new_page()
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('forbidden'))")
    ready(page, url).get_by_role("button", name="Copy link").click()
    field = page.get_by_label("Link to this picture")
    field.wait_for()
    chosen = field.evaluate("e => e.value.slice(e.selectionStart, e.selectionEnd)")
    assert chosen == field.input_value()
    assert "v=3" in chosen


def test_a_control_moves_the_chart_in_place_and_the_address(url: str, new_page: Callable[..., Any]) -> None:
    page = ready(new_page(), url)
    chart = page.locator("[data-testid=stVegaLiteChart]").first
    chart.evaluate("e => { e.dataset.marked = 'yes'; e.querySelector('svg, canvas').dataset.marked = 'yes'; }")
    page.get_by_role("slider", name="Steps").press("ArrowRight")
    page.wait_for_function("location.search.includes('steps=')")
    page.wait_for_timeout(1500)
    assert chart.get_attribute("data-marked") == "yes"
    assert chart.locator("svg, canvas").first.get_attribute("data-marked") == "yes"
    assert page.problems == []


def test_the_classroom_enlarges_type_and_charts(url: str, new_page: Callable[..., Any]) -> None:
    sizes = []
    for address in (url, f"{url}/?classroom=true"):
        page = ready(new_page(viewport={"width": 1440, "height": 900}), address)
        heading = page.get_by_role("heading", level=1).evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        sizes.append((heading, page.locator("[data-testid=stVegaLiteChart]").first.bounding_box()["height"]))
    assert sizes[1][0] == pytest.approx(1.3 * sizes[0][0], rel=0.02)
    assert sizes[1][1] > 1.2 * sizes[0][1]


def test_a_file_is_made_when_it_is_asked_for(url: str, new_page: Callable[..., Any]) -> None:
    page = ready(new_page(), url)
    with page.expect_download() as started:
        page.get_by_role("button", name="CSV").click()
    assert started.value.suggested_filename == "a.csv"
    assert Path(started.value.path()).read_bytes() == b"x,y\n1,2\n"


def test_charts_speak_to_those_who_do_not_see_them(url: str, new_page: Callable[..., Any]) -> None:
    page = ready(new_page(), url)
    charts = page.locator("[data-testid=stVegaLiteChart]")
    spoken = [charts.nth(k).get_attribute("aria-label") for k in (0, 1)]
    assert spoken[0].startswith("Negative log-likelihood by training step")
    assert spoken[1].startswith("A small circle about the point")
