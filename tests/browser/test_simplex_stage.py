"""The simplex stage in a real Chromium: samples where they belong, numbers that are measured, controls that answer.

Python draws the same noise, so every bar, dot and table cell has an oracle in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import spearmanr
from torch.distributions import RelaxedOneHotCategorical

from app.simplex import stage_noise
from app.simplex.settings import COLOURS
from tests.browser.conftest import note
from tests.browser.simplex_page import Stage, plane

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).with_name("simplex_script.py")
PI = np.array([0.6, 0.3, 0.1])
HUES = COLOURS["light"]["categories"]


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve(SCRIPT)


@pytest.fixture(scope="module")
def shared(chromium: Any) -> Iterator[Any]:
    """One browser context for most tests: it loads Streamlit's scripts once."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    yield context
    context.close()


@pytest.fixture
def show(url: str, shared: Any, new_page: Callable[..., Any]) -> Iterator[Callable[..., Stage]]:
    """``show(query, **context) -> Stage``: the page opened with that query, its stage ready."""
    pages: list[Any] = []

    def open_(query: str = "", **context: Any) -> Stage:
        page = new_page(**context) if context else shared.new_page()
        if not context:
            pages.append(page)
            page.problems = []
            page.on("pageerror", lambda error: page.problems.append(str(error)))
            page.on("console", lambda message: note(page, message))
        page.goto(f"{url}/?{query}")
        return Stage(page)

    yield open_
    for page in pages:
        page.close()


def perturbed(pi: Any = PI, count: int = 2000, seed: int = 0) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(np.asarray(pi)) + stage_noise(seed)[:count].astype(float)


def shares(y: np.ndarray) -> np.ndarray:
    return np.bincount(y.argmax(-1), minlength=3) / len(y)


def means(y: np.ndarray, tau: float) -> np.ndarray:
    return softmax(y / tau, axis=-1).mean(0)


def drag(stage: Stage, start: np.ndarray, end: np.ndarray, release: bool = True) -> None:
    mouse = stage.page.mouse
    mouse.move(*start)
    mouse.down()
    mouse.move(*end, steps=8)
    stage.frame()
    if release:
        mouse.up()


def on_slider(stage: Stage, share: float) -> np.ndarray:
    """Where on the page the temperature's knob stands at that share of its way (it is 16 pixels wide)."""
    box = stage.slider.bounding_box()
    return np.array([box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2])


def test_the_bars_are_measured_on_the_cloud(show: Callable[..., Stage]) -> None:
    """To the three decimals shown: P(argmax) is the same at every τ, E[z] is not; every number from NumPy."""
    stage = show()
    y = perturbed()
    for key, tau in (("", 1.0), ("End", 20.0), ("Home", 0.0)):
        if key:
            stage.slider.press(key)
            stage.frame()
        assert stage.tau() == tau
        np.testing.assert_allclose(stage.bars("shares"), shares(y), atol=5.1e-4)
        np.testing.assert_allclose(stage.bars("means"), means(y, tau) if tau else shares(y), atol=5.1e-4)
    assert stage.root.locator(".reading b").inner_text() == "0"
    assert "argmax" in (stage.slider.get_attribute("aria-valuetext") or "")
    assert stage.page.problems == []


def test_temperature_answers_while_it_is_dragged_and_python_hears_of_it_at_the_end(show: Callable[..., Stage]) -> None:
    stage = show()
    y, start = perturbed(), on_slider(stage, float(stage.slider.input_value()))
    drag(stage, start, on_slider(stage, 0.9), release=False)
    hot = stage.tau()
    assert hot > 5
    np.testing.assert_allclose(stage.bars("means"), means(y, hot), atol=6e-4)
    assert stage.told() == {"pi": [0.6, 0.3, 0.1], "tau": 1.0, "number": 0}
    stage.page.mouse.move(*on_slider(stage, 0.3))
    stage.frame()
    cold = stage.tau()
    assert 0.1 < cold < 0.5
    stage.page.mouse.up()
    assert stage.await_told(1) == {"pi": [0.6, 0.3, 0.1], "tau": cold, "number": 1}
    stage.page.mouse.move(*on_slider(stage, 0.3))
    drag(stage, on_slider(stage, 0.3), on_slider(stage, -0.2))
    assert stage.await_told(2)["tau"] == 0
    assert stage.page.problems == []


def test_keys_move_temperature_by_an_eighth_of_an_octave(show: Callable[..., Stage]) -> None:
    stage = show()
    for key, tau in (("ArrowRight", 2**0.125), ("ArrowLeft", 1), ("PageUp", 2), ("Shift+ArrowRight", 4)):
        stage.slider.press(key)
        stage.frame()
        assert stage.tau() == pytest.approx(tau, rel=1e-3), key
    assert stage.await_told(1)["tau"] == pytest.approx(4, rel=1e-3)
    state = stage.root.locator(".state")
    assert "not log-convex" in state.inner_text()
    for _ in range(3):
        stage.slider.press("PageDown")
    stage.frame()
    assert "τ ≤ ½" in state.inner_text()


def test_pi_is_dragged_within_the_triangle_and_onto_its_edges(show: Callable[..., Stage]) -> None:
    """A category on whose opposite edge π lies cannot be drawn: it is said, and no number is NaN."""
    stage = show("tau=0.7")
    drag(stage, stage.screen(PI), stage.screen((0.2, 0.3, 0.5)))
    told = stage.await_told(1)
    np.testing.assert_allclose(told["pi"], (0.2, 0.3, 0.5), atol=0.004)
    y = perturbed(told["pi"])
    np.testing.assert_allclose(stage.bars("shares"), shares(y), atol=5.1e-4)
    np.testing.assert_allclose(stage.bars("means"), means(y, 0.7), atol=5.1e-4)
    drag(stage, stage.screen(told["pi"]), stage.screen((0.45, 0.65, -0.1)))
    told = stage.await_told(2)
    assert told["pi"][2] == 0
    assert stage.root.locator(".corner em").nth(2).is_visible()
    assert not stage.root.locator(".corner em").nth(0).is_visible()
    assert stage.bars("shares")[2] == stage.bars("means")[2] == 0
    np.testing.assert_allclose(stage.bars("means"), means(perturbed(told["pi"]), 0.7), atol=5.1e-4)
    stage.choose("layer", "paths")
    for tau in ("Home", "End"):
        stage.slider.press(tau)
        stage.frame()
        assert "NaN" not in stage.root.inner_text()
    drag(stage, stage.screen(told["pi"]), stage.screen((1.5, -0.25, -0.25)))
    stage.frame()
    assert "NaN" not in stage.root.inner_text()
    assert stage.bars("shares") == [1, 0, 0]
    assert stage.page.problems == []


def test_arrow_keys_move_pi(show: Callable[..., Stage]) -> None:
    stage = show()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        stage.handle.press(key)
    told = stage.await_told(1)
    np.testing.assert_allclose(told["pi"], (0.6 - 0.02 - 0.025, 0.3 + 0.02 - 0.025, 0.15), atol=1e-3)
    assert "0.15" in (stage.handle.get_attribute("aria-valuetext") or "")


def test_an_argument_that_changes_wins_and_one_that_does_not_leaves_the_hand_alone(show: Callable[..., Stage]) -> None:
    stage = show()
    stage.slider.press("PageUp")
    assert stage.await_told(1)["tau"] == 2
    stage.page.get_by_role("button", name="Rerun").click()
    stage.page.wait_for_timeout(500)
    assert (stage.tau(), stage.told()["tau"]) == (2, 2)
    stage.page.evaluate("dgmGumbelNoise.clear()")  # a browser that has lost the noise asks for it again
    stage.page.locator("[data-testid=stCheckbox] label").click()
    stage.until("e.dataset.tau === '5'")
    stage.rest()
    assert stage.told()["tau"] == 5
    stage.slider.press("PageDown")
    assert stage.await_told(2)["tau"] == 2.5
    assert stage.tau() == 2.5


def test_a_sample_is_drawn_where_its_softmax_lies(show: Callable[..., Stage]) -> None:
    """One sample alone: the centroid of its pixels is softmax((ln π + G)/τ), to a pixel (1/400 of the side)."""
    stage = show("samples=1&tau=0.25&show=cloud&seed=4&pi=0.2,0.5,0.3")
    y = perturbed((0.2, 0.5, 0.3), 1, seed=4)
    for tau in (0.25, 0.5, 1, 2, 4):
        found = stage.places(HUES[y[0].argmax()])
        assert 4 < len(found) < 80
        np.testing.assert_allclose(found.mean(0), plane(softmax(y[0] / tau)), atol=1 / 400)
        stage.slider.press("PageUp")
        stage.frame()


def test_the_sample_pointed_at_is_told_in_numbers(show: Callable[..., Stage]) -> None:
    """Noise, perturbed logits and z of the only sample, to the decimals shown; by pointer and key; Escape lets go."""
    stage = show("samples=1&tau=2&show=cloud&seed=4")
    y, z = perturbed(PI, 1, seed=4)[0], softmax(perturbed(PI, 1, seed=4)[0] / 2)
    cells = stage.root.locator(".sample tbody td")
    assert set(cells.all_inner_texts()) == {"–"}
    stage.page.mouse.move(*(stage.screen(z) + 3))
    stage.frame()
    shown = np.array([float(text.replace("−", "-")) for text in cells.all_inner_texts()]).reshape(3, 3)
    np.testing.assert_allclose(shown[:, 0], stage_noise(4)[0], atol=0.0051)
    np.testing.assert_allclose(shown[:, 1], y, atol=0.0051)
    np.testing.assert_allclose(shown[:, 2], z, atol=5.1e-4)
    stage.page.mouse.move(5, 5)
    stage.frame()
    assert set(cells.all_inner_texts()) == {"–"}
    stage.canvas.press("ArrowRight")
    stage.frame()
    assert stage.root.locator(".which").inner_text() == "Sample 1"
    stage.canvas.press("Escape")
    stage.frame()
    assert set(cells.all_inner_texts()) == {"–"}


def test_a_path_leads_through_its_sample_at_every_temperature(show: Callable[..., Stage]) -> None:
    """The line drawn for the only sample passes within two pixels of softmax((ln π + G)/τ) for τ from 0.3 to 10."""
    stage = show("samples=1&tau=0&show=paths&seed=4&pi=0.4,0.3,0.3")
    stage.root.locator(".settings input[value=cloud]").set_checked(False, force=True)
    y = perturbed((0.4, 0.3, 0.3), 1, seed=4)[0]
    blank = stage.pixels().astype(int)
    stage.choose("layer", "paths", on=False)
    rows, columns = np.nonzero(np.abs(stage.pixels().astype(int) - blank).max(-1) > 20)
    left, base, side = stage.geometry()
    line = np.stack([(columns + 0.5 - left) / side, (base - rows - 0.5) / side], axis=-1)
    assert len(line) > 100
    for tau in (0.3, 0.5, 1, 2, 5, 10):
        assert np.linalg.norm(line - plane(softmax(y / tau)), axis=-1).min() * side < 2, tau


def test_hard_samples_lie_at_the_corners_and_straight_through_keeps_the_soft_ones(show: Callable[..., Stage]) -> None:
    stage = show("tau=5&show=cloud,bars&mode=hard")
    corners = plane(np.eye(3))
    for k, hue in enumerate(HUES):
        found = stage.places(hue)
        assert len(found) > 100
        assert np.linalg.norm(found - corners[k], axis=-1).max() < 0.08, k
    y = perturbed()
    np.testing.assert_allclose(stage.bars("means"), shares(y), atol=5.1e-4)
    hard = stage.pixels()
    stage.choose("mode", "straight")
    both = stage.pixels()
    disc = np.linalg.norm(stage.places(HUES[0]) - corners[0], axis=-1)
    assert (disc < 0.08).sum() > 100
    centre = stage.screen(softmax(y / 5, axis=-1).mean(0)) - [stage.canvas.bounding_box()[name] for name in ("x", "y")]
    column, row = centre.astype(int)
    near = np.s_[row - 30 : row + 30, column - 30 : column + 30]
    assert np.ptp(hard[near][..., :3].astype(int), axis=(0, 1)).max() < 130  # only the cross in the middle
    assert (hard[near] != both[near]).any(-1).mean() > 0.2
    stage.choose("mode", "soft")
    np.testing.assert_allclose(stage.bars("means"), means(y, 5), atol=5.1e-4)


@pytest.mark.parametrize(("scale", "dark"), [("log", False), ("linear", False), ("log", True)])
def test_the_pictures_brightness_is_the_density(show: Callable[..., Stage], scale: str, dark: bool) -> None:
    """Rank correlation above 0.995 between pixels and torch's density over 400 places that the scale tells apart."""
    query = f"tau=1.5&pi=0.5,0.3,0.2&show=density&scale={scale}"
    stage = show(query, color_scheme="dark" if dark else "light")
    rng = np.random.default_rng(0)
    z = rng.dirichlet([1, 1, 1], 600)
    z = z[(z.min(-1) > 0.03) & (np.abs(z - 1 / 3).max(-1) > 0.05) & (np.abs(z - (0.5, 0.3, 0.2)).max(-1) > 0.07)]
    law = RelaxedOneHotCategorical(torch.tensor(1.5, dtype=torch.float64), probs=torch.tensor([0.5, 0.3, 0.2]).double())
    log_p = law.log_prob(torch.tensor(z)).numpy()
    picture, (left, base, side) = stage.pixels().astype(float), stage.geometry()
    x, y = plane(z).T
    light = picture[(base - side * y).astype(int), (left + side * x).astype(int), :3] @ [0.2126, 0.7152, 0.0722]
    told_apart = log_p < np.quantile(log_p, 0.9)  # brighter ones may be clipped
    assert told_apart.sum() > 300
    correlation = spearmanr(light[told_apart], log_p[told_apart]).statistic
    assert (correlation if dark else -correlation) > 0.995


def test_annealing_follows_its_schedule(show: Callable[..., Stage]) -> None:
    stage = show()
    step = stage.root.locator(".step")
    stage.choose("schedule", "jang")
    for share in (0.3, 0.9):
        step.fill(str(share))
        stage.until(f"Math.abs(e.dataset.tau - {max(0.5, np.exp(-share))}) < 1e-3")
    assert stage.await_told(2)["tau"] == 0.5
    stage.choose("schedule", "linear")
    stage.page.get_by_role("button", name="Play the annealing").click()
    stage.until("e.dataset.playing === 'true' && e.dataset.tau > 4 && e.dataset.tau < 4.8")
    stage.page.get_by_role("button", name="Pause the annealing").click()
    stage.until("e.dataset.playing === 'false'")
    told, stopped = stage.await_told(3), stage.tau()
    assert told["tau"] == stopped
    stage.page.wait_for_timeout(200)
    assert stage.tau() == stopped
    stage.root.locator(".step").fill("0.97")
    stage.page.get_by_role("button", name="Play the annealing").click()
    stage.rest()
    stage.page.locator("[data-testid=stCode] code", has_text='"tau": 0.1,').wait_for(timeout=20_000)
    assert stage.page.problems == []


def test_autoplay_heeds_the_wish_for_little_motion(show: Callable[..., Stage]) -> None:
    calm = show("autoplay=cosine&tau=3", reduced_motion="reduce")
    assert calm.root.get_attribute("data-playing") == "false"
    assert calm.tau() == 3
    calm.page.goto(calm.page.url)
    calm.page.emulate_media(reduced_motion="no-preference")
    calm.page.goto(calm.page.url)
    calm.root.and_(calm.page.locator("[data-playing=true]")).wait_for(timeout=60_000)
    calm.until("e.dataset.tau < 4.9")


def test_the_number_of_samples(show: Callable[..., Stage]) -> None:
    stage = show("samples=5000")
    np.testing.assert_allclose(stage.bars("shares"), shares(perturbed(count=5000)), atol=5.1e-4)
    count = stage.root.locator(".count")
    for _ in range(3):
        count.press("ArrowLeft")
    stage.frame()
    np.testing.assert_allclose(stage.bars("shares"), shares(perturbed(count=4700)), atol=5.1e-4)
    box = count.bounding_box()
    stage.page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    stage.frame()
    assert sorted(stage.bars("shares")) == [0, 0, 1]


# What reaches over the right edge of the stage, and words that are cut off.
STICKING = """e => [...e.querySelectorAll('*:not(.spoken)')].map(part => [part, part.getBoundingClientRect()])
    .filter(([, box]) => box.width && box.right > e.getBoundingClientRect().right + 9)
    .map(([part]) => part.outerHTML)"""
CUT = """e => [...e.querySelectorAll('.state, .legend-name, .caption, h4, .segments span, th, td')]
    .filter(part => part.scrollWidth > part.clientWidth + 1).map(part => part.textContent)"""


@pytest.mark.parametrize("classroom", ["", "classroom"])
def test_it_fits_its_column_and_does_not_jump(show: Callable[..., Stage], classroom: str) -> None:
    """From 360 to 1100 pixels; height and triangle stay while τ goes from end to end and π to an edge and back."""
    stage = show(classroom)
    for width in (360, 400, 700, 900, 1100):
        stage.page.set_viewport_size({"width": width + 32, "height": 1000})
        stage.page.wait_for_timeout(150)
        sizes = []
        for key in ("Home", "End"):
            stage.slider.press(key)
            stage.frame()
            sizes.append((stage.root.bounding_box()["height"], *stage.geometry()))
        for key in ("Shift+ArrowDown", "Shift+ArrowUp"):
            for _ in range(2 if key.endswith("Up") else 4):
                stage.handle.press(key)
            stage.frame()
            sizes.append((stage.root.bounding_box()["height"], *stage.geometry()))
        assert len(set(sizes)) == 1, width
        assert stage.root.evaluate(STICKING) == [], width
        assert stage.root.evaluate(CUT) == [], width
    assert stage.page.problems == []


def test_a_finger_moves_pi_without_scrolling_the_page(show: Callable[..., Stage]) -> None:
    stage = show(viewport={"width": 390, "height": 640}, has_touch=True)
    stage.handle.scroll_into_view_if_needed()
    before = stage.page.evaluate("document.scrollingElement.scrollTop")
    (x0, y0), (x1, y1) = stage.screen(PI), stage.screen((0.4, 0.2, 0.4))
    touch = stage.page.context.new_cdp_session(stage.page)
    send = lambda kind, *at: touch.send(  # noqa: E731
        "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at[0], "y": at[1]}] if at else []}
    )
    send("touchStart", x0, y0)
    for share in (0.25, 0.5, 0.75, 1):
        send("touchMove", x0 + share * (x1 - x0), y0 + share * (y1 - y0))
    send("touchEnd")
    told = stage.await_told(1)
    np.testing.assert_allclose(told["pi"], (0.4, 0.2, 0.4), atol=0.01)
    assert stage.page.evaluate("document.scrollingElement.scrollTop") == before
    assert stage.page.problems == []


def test_every_control_is_reached_with_the_tabulator(show: Callable[..., Stage]) -> None:
    stage = show()
    stage.canvas.focus()
    reached = ["picture"]
    for _ in range(12):
        stage.page.keyboard.press("Tab")
        read = (
            "() => { const e = document.activeElement.shadowRoot?.activeElement; return e && (e.name || e.className); }"
        )
        reached.append((stage.page.evaluate(read) or "").split(" ")[0])
    assert reached[:4] == ["picture", "handle", "play", "tau"]
    assert {"mode", "scale", "layer", "count", "schedule", "step"} <= set(reached)
