"""The film player as a test sees it: its state, its pixels, and where a point of the plane lies on the screen."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from tests.browser.moving_gaussian import EXTENT

# Streamlit's static page imports are heavy on a busy machine; a wait ends as soon as the thing is there.
PATIENCE = 60_000


class Player:
    """One player on an open page."""

    def __init__(self, page: Any, nth: int = 0) -> None:
        self.page = page
        self.root = page.locator(".film").nth(nth)
        self.canvas = self.root.locator("canvas.stage")

    def ready(self) -> Player:
        """Wait until the film is drawn."""
        self.page.locator(".film[data-ready=true]").nth(0).wait_for(timeout=PATIENCE)
        self.root.and_(self.page.locator("[data-ready=true]")).wait_for(timeout=PATIENCE)
        return self

    def index(self) -> float:
        """The frame shown, as a fractional index."""
        return float(self.root.get_attribute("data-index") or "nan")

    def playing(self) -> bool:
        return self.root.get_attribute("data-playing") == "true"

    def until(self, condition: str, timeout: float = 10_000) -> None:
        """Wait for a JavaScript condition on the player's element ``e``."""
        self.page.wait_for_function(f"e => {condition}", arg=self.root.element_handle(), timeout=timeout)

    def scrub(self, index: float) -> None:
        """Move the slider to a frame and wait until that frame is drawn."""
        self.root.locator(".scrub").fill(str(index))
        self.until(f"Math.abs(Number(e.dataset.index) - {index}) < 1e-3")

    def press(self, *keys: str) -> None:
        """Keys while the picture is focused."""
        self.canvas.focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.frame()

    def frame(self) -> None:
        """Wait for two display frames: what was asked for is drawn."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def pixels(self) -> np.ndarray:
        """The canvas as (H, W, 4) uint8, row 0 at the top."""
        read = """c => { const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let s = "";
            for (let i = 0; i < d.length; i += 32768) s += String.fromCharCode(...d.subarray(i, i + 32768));
            return [c.height, c.width, btoa(s)]; }"""
        height, width, encoded = self.canvas.evaluate(read)
        return np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(height, width, 4)

    def screen(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the plane lies on the page, CSS pixels."""
        box, (x0, x1, y0, y1) = self.canvas.bounding_box(), EXTENT
        return box["x"] + box["width"] * (x - x0) / (x1 - x0), box["y"] + box["height"] * (y1 - y) / (y1 - y0)

    def brightest(self) -> np.ndarray:
        """The centroid of the brightest pixels in the plane's coordinates; viridis grows brighter with density."""
        picture = self.pixels().astype(float)
        light = picture[..., :3] @ [0.2126, 0.7152, 0.0722]
        rows, columns = np.nonzero(light > light.max() - 6)
        (height, width), (x0, x1, y0, y1) = light.shape, EXTENT
        return np.array(
            [x0 + (columns.mean() + 0.5) / width * (x1 - x0), y1 - (rows.mean() + 0.5) / height * (y1 - y0)]
        )

    def radio(self, setting: str, value: str) -> None:
        """Choose in the settings panel, which is opened where it is hidden."""
        field = self.root.locator(f".settings input[name={setting}][value='{value}']")
        if not field.is_visible():
            self.root.locator(".more").click()
        field.check(force=True)
        self.frame()
