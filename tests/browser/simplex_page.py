"""The simplex stage as a test sees it: its pixels, its numbers, and where a point of the triangle lies on screen."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

HEIGHT = np.sqrt(3) / 2
PATIENCE = 60_000


def plane(z: Any) -> np.ndarray:
    """(…, 3) on the simplex → (…, 2) in the plane: corner 1 at (0, 0), 2 at (1, 0), 3 on top."""
    z = np.asarray(z, float)
    return np.stack([z[..., 1] + z[..., 2] / 2, HEIGHT * z[..., 2]], axis=-1)


class Stage:
    """One stage on an open page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.locator(".simplex[data-ready=true]").wait_for(timeout=PATIENCE)
        self.root = page.locator(".simplex")
        self.canvas = self.root.locator(".picture")
        self.handle = self.root.locator(".handle")
        self.slider = self.root.locator(".tau")
        self.rest()

    def rest(self) -> None:
        """Wait until nothing moves and the fine density is drawn."""
        self.until("e.dataset.moving === 'false' && e.dataset.playing === 'false'")

    def until(self, condition: str, timeout: float = 20_000) -> None:
        """Wait for a JavaScript condition on the stage's element ``e``."""
        self.page.wait_for_function(f"e => {condition}", arg=self.root.element_handle(), timeout=timeout)

    def frame(self) -> None:
        """Wait for two display frames: what was asked for is drawn."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def tau(self) -> float:
        """The temperature drawn."""
        return float(self.root.get_attribute("data-tau") or "nan")

    def bars(self, group: str) -> list[float]:
        """The three numbers of a group of bars: ``shares`` or ``means``."""
        return [float(text) for text in self.root.locator(f"[data-group={group}] .row b").all_inner_texts()]

    def choose(self, name: str, value: str, on: bool = True) -> None:
        self.root.locator(f".settings input[name={name}][value={value}]").set_checked(on, force=True)
        self.frame()

    def screen(self, z: Any) -> np.ndarray:
        """Where a point of the simplex lies on the page, CSS pixels."""
        box, (left, base, side) = self.canvas.bounding_box(), self.geometry()
        x, y = plane(z)
        return np.array([box["x"] + left + side * x, box["y"] + base - side * y])

    def geometry(self) -> list[float]:
        """The triangle's left end, base line and side in CSS pixels of the picture."""
        read = "e => ['left', 'base', 'side'].map(name => parseFloat(e.style.getPropertyValue(`--${name}`)))"
        return list(self.root.evaluate(read))

    def pixels(self) -> np.ndarray:
        """The picture as (H, W, 4) uint8, row 0 at the top."""
        read = """c => { const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let s = "";
            for (let i = 0; i < d.length; i += 32768) s += String.fromCharCode(...d.subarray(i, i + 32768));
            return [c.height, c.width, btoa(s)]; }"""
        height, width, encoded = self.canvas.evaluate(read)
        return np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(height, width, 4)

    def places(self, colour: str, slack: int = 24) -> np.ndarray:
        """The pixels of a colour ``#rrggbb`` as (n, 2) in the triangle's plane."""
        wanted = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)])
        rows, columns = np.nonzero(np.abs(self.pixels()[..., :3].astype(int) - wanted).max(-1) <= slack)
        left, base, side = self.geometry()
        return np.stack([(columns + 0.5 - left) / side, (base - rows - 0.5) / side], axis=-1)

    def told(self) -> dict[str, Any]:
        """What Python has received."""
        return dict(json.loads(self.page.locator("[data-testid=stCode] code").inner_text()))

    def await_told(self, number: int) -> dict[str, Any]:
        """What Python has received, once its number has come."""
        self.page.locator("[data-testid=stCode] code", has_text=f'"number": {number}').wait_for(timeout=PATIENCE)
        return self.told()
