"""The race in a real Chromium: winners as often as π says, the same draws from the same seed, controls that answer."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import chisquare

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).with_name("race_script.py")
LOGITS = np.array([0.5, 0.0, -0.5])
PATIENCE = 60_000
TOLD = "() => JSON.parse(document.querySelector('[data-testid=stCode] code').innerText.replaceAll('-Infinity', 'null'))"
"""What Python has received; its JSON writes −Infinity."""


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def race(url: str, page: Any) -> Iterator[Callable[[str], Any]]:
    """``race(query)``: the race on an open page, its first draw made."""

    def open_(query: str = "") -> Any:
        page.goto(f"{url}/?{query}")
        page.locator(".race[data-ready=true]").wait_for(timeout=PATIENCE)
        root = page.locator(".race")
        wait(page, root, "e.dataset.total === '1' || Number(e.dataset.failed) > 0")
        page.wait_for_timeout(800)
        return root

    yield open_
    assert page.problems == []


def wait(page: Any, root: Any, condition: str) -> None:
    page.wait_for_function(f"e => {condition}", arg=root.element_handle(), timeout=20_000)


def counts(root: Any) -> np.ndarray:
    return np.array([int(lane.get_attribute("data-count")) for lane in root.locator(".lanes .lane").all()])


def column(root: Any, name: str) -> list[str]:
    return root.locator(f".lanes .{name} b").all_inner_texts()


def numbers(texts: list[str]) -> np.ndarray:
    return np.array([float(text.replace("−", "-").replace("-∞", "-inf")) for text in texts])


def test_winners_come_as_often_as_pi_says(race: Callable[[str], Any], page: Any) -> None:
    """Some thousand draws of a fixed seed against π by χ²; the fourth category has π = 0 and never wins."""
    root = race("")
    root.locator("input[name=speed][value='6000']").check(force=True)
    root.locator(".run").click()
    wait(page, root, "Number(e.dataset.total) > 4000")
    root.locator(".run").click()
    wait(page, root, "e.dataset.running === 'false'")
    found, total = counts(root), int(root.get_attribute("data-total"))
    assert found.sum() == total
    assert found[3] == 0
    assert chisquare(found[:3], softmax(LOGITS) * total).pvalue > 1e-4


def test_one_draw_adds_up(race: Callable[[str], Any], page: Any) -> None:
    """log π + G and its softmax in the table against NumPy, to the digits shown."""
    root = race("tau=0.7")
    noise, total, z = (numbers(column(root, name)) for name in ("noise", "sum", "soft"))
    log_pi = np.append(np.log(softmax(LOGITS)), -np.inf)
    assert np.abs(total[:3] - (log_pi + noise)[:3]).max() <= 0.0151
    assert total[3] == -np.inf
    assert np.abs(z[:3] - softmax((log_pi + noise)[:3] / 0.7)).max() < 0.02
    assert root.locator(".lane[data-winner=true]").count() == 1
    assert root.locator(".lanes .lane").nth(int(total.argmax())).get_attribute("data-winner") == "true"


@pytest.mark.parametrize("tau", [0.1, 1.0, 5.0])
def test_the_mark_at_z_is_its_expectation(race: Callable[[str], Any], page: Any, tau: float) -> None:
    """E[z] by quadrature in the browser against 400,000 draws of NumPy's noise: 5 standard errors at most 0.004."""
    root = race(f"logits=1,0.5,0,-0.5,-2,-inf&tau={tau}")
    marked = [float(lane.get_attribute("data-expected")) for lane in root.locator(".lanes .lane").all()]
    noise = np.random.default_rng(5).gumbel(size=(400_000, 5))
    drawn = softmax((np.array([1, 0.5, 0, -0.5, -2]) + noise) / tau, axis=1)
    error = 5 * drawn.std(0) / math.sqrt(len(drawn))
    assert (np.abs(np.array(marked[:5]) - drawn.mean(0)) < error + 2e-4).all()
    assert marked[5] == 0
    assert sum(marked) == pytest.approx(1)


def test_the_running_mean_of_z_comes_to_its_expectation(race: Callable[[str], Any], page: Any) -> None:
    """Some thousand draws at τ = 2: the mean of z within 5 standard errors, which are below 0.2/√4000 = 0.0032."""
    root = race("tau=2")
    root.locator("input[name=shown][value=mean]").check(force=True)
    root.locator("input[name=speed][value='6000']").check(force=True)
    root.locator(".run").click()
    wait(page, root, "Number(e.dataset.total) > 4000")
    root.locator(".run").click()
    wait(page, root, "e.dataset.running === 'false'")
    marked = [float(lane.get_attribute("data-expected")) for lane in root.locator(".lanes .lane").all()]
    assert np.abs(numbers(column(root, "soft")) - marked).max() < 5 * 0.0032 + 5e-4


def test_another_seed_starts_anew_and_reaches_python(race: Callable[[str], Any], page: Any) -> None:
    root = race("seed=11")
    wanted = column(root, "noise")
    root = race("seed=12")
    assert root.locator(".seed").input_value() == "12"
    root.locator(".seed").fill("11")
    root.locator(".seed").press("Enter")
    page.wait_for_function(TOLD + ".seed === 11")
    page.wait_for_timeout(800)
    assert column(root, "noise") == wanted
    assert root.get_attribute("data-total") == "1"
    root.locator(".seed").fill("-4")
    root.locator(".seed").press("Enter")
    assert root.locator(".seed").input_value() == "11"


@pytest.mark.parametrize("width", [400, 700, 1100])
def test_everything_has_room(url: str, new_page: Callable[..., Any], width: int) -> None:
    """Twenty categories, one of them impossible: nothing sticks out, and bars end inside their tracks."""
    page = new_page(viewport={"width": width, "height": 900})
    page.goto(f"{url}/?logits=" + ",".join(["-inf", *(f"{k / 7:.2f}" for k in range(19))]))
    page.locator(".race[data-ready=true]").wait_for(timeout=PATIENCE)
    page.wait_for_timeout(800)
    sticking = page.locator(".race").evaluate(
        """e => { const right = part => part.getBoundingClientRect().right, edge = right(e) + 1;
        return [...e.querySelectorAll(".lane .cell, .drive > *, .under > *")].filter(p => right(p) > edge)
            .concat([...e.querySelectorAll(".beam u, .beam q")].filter(p => right(p) > right(p.parentElement) + 1))
            .map(p => p.outerHTML); }"""
    )
    assert sticking == []
    assert page.problems == []


def test_a_seed_gives_the_same_draws(race: Callable[[str], Any], page: Any) -> None:
    first = column(race("seed=11"), "noise")
    assert column(race("seed=11"), "noise") == first
    assert column(race("seed=12"), "noise") != first


def test_noise_as_printed_is_no_number(race: Callable[[str], Any], page: Any) -> None:
    root = race("")
    root.locator("input[name=law][value=printed]").check(force=True)
    for _ in range(3):
        root.locator(".one").click()
    assert column(root, "noise") == ["NaN"] * 4
    assert counts(root).sum() == 0
    assert "all NaN" in root.locator(".total").inner_text()
    assert root.locator(".lane[data-winner=true]").count() == 0


def test_the_temperature_changes_no_winner(race: Callable[[str], Any], page: Any) -> None:
    root = race("")
    before, soft = counts(root), column(root, "soft")
    root.locator(".tau").focus()
    for _ in range(6):
        page.keyboard.press("End")
    wait(page, root, "Number(e.dataset.tau) === 20")
    assert (counts(root) == before).all()
    assert column(root, "soft") != soft
    assert np.ptp(numbers(column(root, "soft"))[:3]) < 0.3


def test_what_is_set_reaches_python(race: Callable[[str], Any], page: Any) -> None:
    root = race("")
    root.locator(".more").click()
    said = page.locator("[data-testid=stCode] code")
    page.wait_for_function(TOLD + ".logits.length === 5")
    told = json.loads(said.inner_text())
    assert told["tau"] == 1
    assert told["logits"][3] == -math.inf
    slider = root.locator(".lanes .lane").first.locator("input")
    slider.focus()
    page.keyboard.press("Home")  # −∞: never drawn
    page.wait_for_function(TOLD + ".logits[0] === null")
    assert root.locator(".lanes .lane").first.locator(".logit b").inner_text() == "π 0, never"
