"""The film player in a real Chromium: the right picture at the right time, and controls that do what they say.

The film is a Gaussian whose mean and log-density are known at every moment, so pixels and read-outs have an oracle.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.figures.colourmaps import table
from app.figures.palette import GROUND, MODEL
from tests.browser.film_page import PATIENCE, Player
from tests.browser.moving_gaussian import FRAMES, log_density, mean

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).with_name("film_script.py")
LAST = FRAMES - 1
# What reaches over the right edge of the player, or of the bar where it belongs to the picture.
STICKING = """e => {
    const right = part => part.getBoundingClientRect().right, all = names => [...e.querySelectorAll(names)];
    const bar = right(e.querySelector(".bar")) + 1;
    return [...all(".bar > *, .readout span:not(.hint), .layers > *").filter(part => right(part) > bar),
        ...all(".legend-name, .legend-ticks span").filter(part => right(part) > right(e) + 1)]
        .map(part => part.outerHTML);
}"""


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def show(url: str, new_page: Callable[..., Any]) -> Callable[..., Player]:
    """``show(query, **context) -> Player``: the page opened with that query, its first player ready."""

    def open_(query: str = "", **context: Any) -> Player:
        page = new_page(**context)
        page.goto(f"{url}/?{query}")
        return Player(page).ready()

    return open_


def told(page: Any) -> dict[str, Any]:
    """What Python has received from the player."""
    return dict(json.loads(page.locator("[data-testid=stCode] code").inner_text()))


def await_told(page: Any, name: str) -> dict[str, Any]:
    """What Python has received, once ``name`` has come."""
    code = page.locator("[data-testid=stCode] code", has_text=re.compile(f'"{name}": [^n]'))
    code.wait_for(timeout=PATIENCE)
    return told(page)


def test_the_right_frame_is_displayed_the_right_way_up(show: Callable[..., Player]) -> None:
    """The brightest spot is the analytic mean to within one cell (0.0625); between frames too."""
    player = show()
    for index in (0, 15, 30, 45.5, 60):
        player.scrub(index)
        assert np.abs(player.brightest() - mean(index / LAST)).max() < 0.0625, index
    assert player.brightest()[1] < 0.07
    assert player.page.problems == []


def test_the_canvas_has_exactly_the_colours_of_the_map(show: Callable[..., Player]) -> None:
    """Viridis far from the mean is its darkest colour, at the peak its brightest (to 3 of 255 levels)."""
    player = show()
    picture = player.pixels().astype(int)
    assert np.abs(picture[-5, 5, :3] - table("viridis")[0].astype(int)).max() <= 3
    peak = picture[256, 384, :3]
    assert np.abs(peak - table("viridis")[255].astype(int)).max() <= 8
    player.radio("colours", "magma")
    assert np.abs(player.pixels()[256, 384, :3].astype(int) - table("magma")[255].astype(int)).max() <= 8


def test_keys_and_buttons(show: Callable[..., Player]) -> None:
    player = show()
    player.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft")
    assert player.index() == 2
    player.press("End")
    assert player.index() == LAST
    player.press("ArrowRight")
    assert player.index() == LAST
    player.press("Home")
    assert player.index() == 0
    player.press("+", "+", "-")
    assert player.root.locator(".settings input[name=speed]:checked").get_attribute("value") == "2"
    player.press(" ")
    assert player.playing()
    player.until("Number(e.dataset.index) > 4")
    player.press(" ")
    assert not player.playing()
    stopped = player.index()
    player.page.wait_for_timeout(200)
    assert player.index() == stopped
    player.press("Home")
    player.page.get_by_role("button", name="One frame forward").click()
    player.until("Number(e.dataset.index) === 1")
    player.page.get_by_role("button", name="One frame back").click()
    player.until("Number(e.dataset.index) === 0")
    player.page.get_by_role("button", name="Play", exact=True).click()
    player.until("Number(e.dataset.index) > 2")
    player.page.get_by_role("button", name="Pause", exact=True).click()
    assert not player.playing()
    assert player.page.problems == []


def test_layers_are_switched_one_by_one(show: Callable[..., Player]) -> None:
    """Each layer changes pixels when it comes, and leaves none behind when it goes."""
    player = show("path&points&layers=density")
    plain = player.pixels()
    for name in ("points", "arrows", "grid", "particles", "path"):
        box = player.root.locator(f".layers input[value={name}]")
        box.check(force=True)
        player.frame()
        changed = (player.pixels() != plain).any(-1).mean()
        assert 0.0005 < changed < 0.4, (name, changed)
        box.uncheck(force=True)
        player.frame()
        assert np.array_equal(player.pixels(), plain), name
    player.root.locator(".layers input[value=density]").uncheck(force=True)
    player.frame()
    assert not player.pixels()[..., 3].any()


def test_particles_move_with_their_density(show: Callable[..., Player]) -> None:
    """Without the density only particles are drawn: their centroid is the analytic mean, to 4 σ/√2000."""
    player = show("layers=particles")
    for index in (0, 30, 40.5):
        player.scrub(index)
        rows, columns = np.nonzero(player.pixels()[..., 3] > 128)
        centre = np.array([columns.mean() / 64 - 4, 4 - rows.mean() / 64])
        assert np.abs(centre - mean(index / LAST)).max() < 0.06, index


def test_what_happens_at_the_ends(show: Callable[..., Player]) -> None:
    """To and fro comes back through the last frames, a loop begins at the first, once rests; backwards likewise."""
    player = show()
    player.radio("speed", "4")
    for loop, then in (("ping-pong", "Number(e.dataset.index) < 59"), ("loop", "Number(e.dataset.index) < 20")):
        player.radio("loop", loop)
        player.scrub(LAST - 4)
        player.press(" ")
        player.until(f"Number(e.dataset.index) === {LAST}")
        player.until(then)
        assert player.playing()
        first = player.index()
        player.page.wait_for_timeout(100)
        assert player.index() > first if loop == "loop" else player.index() < first
        player.press(" ")
    player.radio("loop", "once")
    player.scrub(LAST - 4)
    player.press(" ")
    player.until(f"Number(e.dataset.index) === {LAST} && e.dataset.playing === 'false'")
    player.scrub(4)
    player.radio("direction", "-1")
    player.press(" ")
    player.until("Number(e.dataset.index) === 0 && e.dataset.playing === 'false'")


def test_the_logarithmic_scale_and_the_films_peak(show: Callable[..., Player]) -> None:
    """On the log scale ten nats below the peak are as dark as it gets, and 2σ away is as bright as ln says."""
    player = show()
    y, x = 128, 256  # the cell at (0, 2): where the mean is in the middle of the film
    player.scrub(30)
    assert player.root.locator(".legend-name").inner_text() == "p / max"
    player.radio("scale", "log")
    assert player.root.locator(".legend-name").inner_text() == "ln p − max"
    picture, colours = player.pixels().astype(int), table("viridis").astype(int)
    for distance in (0.6, 1.2, 1.8):
        level = 1 - (distance / 0.6) ** 2 / 2 / 10
        assert np.abs(picture[y, x + round(64 * distance), :3] - colours[round(255 * level)]).max() <= 6, distance
    player.radio("normalise", "global")
    assert player.root.locator(".legend-name").inner_text() == "ln p"


def test_the_readout_is_the_log_density(show: Callable[..., Player]) -> None:
    """The read-out against ln N: half a byte is 2/q nats, and bilinear blending of cells adds under 0.02."""
    player = show()
    player.scrub(30)
    for point in ((0.0, 2.0), (0.5, 1.5), (-1.0, 2.25), (1.5, 0.5)):
        player.page.mouse.move(*player.screen(*point))
        player.frame()
        shown = {
            name: float(player.root.locator(f"[data-value={name}]").inner_text().replace("−", "-"))
            for name in ("x", "y", "p", "log")
        }
        assert abs(shown["x"] - point[0]) < 0.02
        assert abs(shown["y"] - point[1]) < 0.02
        exact = float(log_density(np.array([shown["x"], shown["y"]]), 0.5))
        q = 255 * np.exp((exact - float(log_density(mean(0.5), 0.5))) / 4)
        assert abs(shown["log"] - exact) < 2 / q + 0.02 + 0.05, point
        assert abs(shown["p"] / np.exp(shown["log"]) - 1) < 0.06
    assert player.page.problems == []


def test_a_click_returns_its_point_to_python(show: Callable[..., Player]) -> None:
    player = show("pick")
    player.scrub(20)
    x, y = player.screen(-1.5, 0.75)
    player.page.mouse.click(x, y)
    heard = await_told(player.page, "point")
    assert np.abs(np.array(heard["point"]) - [-1.5, 0.75]).max() < 0.02
    assert heard["time"] == pytest.approx(20 / LAST)
    assert player.index() == 20
    assert player.page.problems == []


def test_without_pick_nothing_is_sent(show: Callable[..., Player]) -> None:
    player = show()
    player.page.mouse.click(*player.screen(1, 1))
    player.press("ArrowRight")
    heard = await_told(player.page, "shown")
    assert heard["point"] is None
    assert heard["shown"] == pytest.approx(1 / LAST)


def test_a_film_that_grows_is_followed_only_from_its_end(show: Callable[..., Player]) -> None:
    player = show("frames=21&follow")
    player.scrub(20)
    grow = player.page.get_by_role("button", name="Grow")
    grow.click()
    player.until("Number(e.dataset.index) === 30")
    assert player.root.locator(".scrub").get_attribute("max") == "30"
    player.scrub(10)
    grow.click()
    player.until("e.querySelector('.scrub').max === '40'")
    player.frame()
    assert player.index() == 10


def test_nothing_jumps_when_python_sends_anew(show: Callable[..., Player]) -> None:
    """Time, layers and the choice of colours stay; what Python itself changes wins."""
    player = show()
    player.scrub(17)
    player.root.locator(".layers input[value=grid]").check(force=True)
    player.radio("colours", "magma")
    before = player.canvas.bounding_box()
    node = player.root.element_handle()
    player.page.get_by_text("Log", exact=True).click()
    player.until("e.querySelector('.legend-name').textContent === 'ln p − max'")
    assert player.index() == 17
    assert player.root.locator(".layers input[value=grid]").is_checked()
    assert player.root.locator(".settings input[value=magma]").is_checked()
    assert player.canvas.bounding_box() == before
    assert player.root.evaluate("(e, node) => e === node", node)


def test_autoplay_asks_whether_motion_is_welcome(show: Callable[..., Player]) -> None:
    calm = show("autoplay", reduced_motion="reduce")
    calm.page.wait_for_timeout(300)
    assert not calm.playing()
    assert calm.index() == 0
    calm.press(" ")
    assert calm.playing()
    lively = show("autoplay", reduced_motion="no-preference")
    lively.until("e.dataset.playing === 'true' && Number(e.dataset.index) > 1")


@pytest.mark.parametrize("classroom", ["", "&classroom"])
def test_it_fits_every_width(show: Callable[..., Player], classroom: str) -> None:
    """Nothing sticks out of the player, the picture stays square, and is as large as the column or its height."""
    player = show(f"path&points&layers=density,particles{classroom}", reduced_motion="reduce")
    for width in (1280, 800, 500, 380, 330):
        player.page.set_viewport_size({"width": width, "height": 900})
        player.page.wait_for_timeout(250)
        room, box = player.root.bounding_box()["width"], player.canvas.bounding_box()
        assert abs(box["width"] - box["height"]) < 1
        legend = 84 if classroom else 66
        assert abs(box["width"] - min(512, room - legend)) <= 1, width
        player.page.mouse.move(box["x"] + 40, box["y"] + 40)
        player.frame()
        sticking = player.root.evaluate(STICKING)
        assert sticking == [], width
        height = player.root.bounding_box()["height"]
        player.scrub(23.4)
        assert player.root.bounding_box()["height"] == height


def test_dark_theme(show: Callable[..., Player]) -> None:
    player = show("layers=particles", color_scheme="dark")
    assert player.root.get_attribute("data-theme") == "dark"
    ground = player.root.evaluate("e => getComputedStyle(e).backgroundColor")
    assert ground == "rgb({}, {}, {})".format(*(int(GROUND.dark[k : k + 2], 16) for k in (1, 3, 5)))
    picture = player.pixels()
    drawn = picture[picture[..., 3] == 255][:, :3]
    model = [int(MODEL.dark[k : k + 2], 16) for k in (1, 3, 5)]
    assert (np.abs(drawn.astype(int) - model) <= 12).all(-1).mean() > 0.5


def test_the_text_alternative_says_what_and_when(show: Callable[..., Player]) -> None:
    player = show("layers=density,particles")
    player.press("End")
    label = player.canvas.get_attribute("aria-label") or ""
    assert label.startswith("A Gaussian that runs round a circle.")
    assert "density, particles" in label
    assert f"t = 1.00, frame {FRAMES} of {FRAMES}" in label
    assert player.canvas.get_attribute("role") == "img"
    assert player.root.get_by_role("status").inner_text() == f"t = 1.00, frame {FRAMES} of {FRAMES}"
    for button in player.root.locator("button").all():
        assert button.get_attribute("aria-label") or button.inner_text()


def test_two_players_of_one_group_share_their_time(show: Callable[..., Player]) -> None:
    """The second film has half the frames over half the time: it follows in time, and rests at its own end."""
    player = show("sync=pair")
    second = Player(player.page, 1)
    second.root.and_(player.page.locator("[data-ready=true]")).wait_for(timeout=PATIENCE)
    player.scrub(12)
    second.until("Number(e.dataset.index) === 12")
    player.scrub(50)
    second.until("Number(e.dataset.index) === 30")
    second.press("Home", " ")
    player.until("Number(e.dataset.index) > 3")
    assert player.playing()
    player.press(" ")
    assert not second.playing()
    assert abs(player.index() - second.index()) < 1e-3
    assert player.page.problems == []


def test_zoom_with_control_and_wheel(show: Callable[..., Player]) -> None:
    """The point under the pointer stays; the button shows the whole picture again."""
    player = show()
    x, y = player.screen(2, 0)
    player.page.mouse.move(x, y)
    player.page.keyboard.down("Control")
    player.page.mouse.wheel(0, -200)
    player.page.keyboard.up("Control")
    player.frame()
    assert player.root.locator("[data-value=x]").inner_text() == "2.00"
    wide = (player.pixels()[..., 1] > 200).sum()
    player.page.get_by_role("button", name="Whole picture").click()
    player.frame()
    assert (player.pixels()[..., 1] > 200).sum() < wide / 2
