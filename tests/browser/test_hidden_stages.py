"""Stages whose data come while they have no room, in a part of the page that is not shown: they wait, and then draw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.film_page import PATIENCE

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
UNWATCHED = "window.IntersectionObserver = class { observe() {} disconnect() {} unobserve() {} };"
HIDE = """document.addEventListener("DOMContentLoaded", () => document.head.insertAdjacentHTML(
    "beforeend", '<style id="hidden">#root { display: none !important }</style>'));"""
PRESS = """word => [...document.querySelectorAll("#root label, #root button")]
    .find(part => part.textContent.trim() === word).click()"""
DRAWN = """e => { const { width, height } = e, seen = e.getContext("2d").getImageData(0, 0, width, height).data;
    let marked = 0;
    for (let i = 3; i < seen.length; i += 4) marked += seen[i] > 0;
    return marked / (width * height); }"""


@pytest.mark.parametrize(
    ("script", "stage", "canvas", "control"),
    [
        ("film_script.py", ".film", "canvas.stage", "Grow"),
        ("voronoi_script.py", ".voronoi", "canvas.stage", "More codes"),
        ("codebook_script.py", ".codebook", ".tiles canvas", "Other codes"),
    ],
)
def test_what_has_no_room_waits_for_it(
    serve: Callable[..., str], new_page: Callable[..., Any], script: str, stage: str, canvas: str, control: str
) -> None:
    """Nothing fails when data come, nor when other data follow; with the room, a fiftieth of the picture is drawn."""
    url, page = serve(HERE / script), new_page(reduced_motion="reduce")
    page.add_init_script(UNWATCHED)
    page.add_init_script(HIDE)
    page.goto(url)
    root = page.locator(f"{stage}[data-ready=true]")
    root.wait_for(state="attached", timeout=PATIENCE)
    page.wait_for_timeout(300)
    assert root.evaluate("e => e.clientWidth") == 0
    page.evaluate(PRESS, control)
    page.wait_for_timeout(1500)
    assert page.problems == []
    page.evaluate("document.getElementById('hidden').remove()")
    page.wait_for_function("e => e.clientWidth > 0", arg=root.element_handle())
    page.wait_for_timeout(500)
    assert root.locator(canvas).first.evaluate(DRAWN) > 0.02
    assert page.problems == []
