"""The codebook browser as a test sees it: its state, its canvases, and where tiles and cells lie on the screen."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from tests.browser.film_page import PATIENCE

READ = """c => { const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let s = "";
    for (let i = 0; i < d.length; i += 32768) s += String.fromCharCode(...d.subarray(i, i + 32768));
    return [c.height, c.width, btoa(s)]; }"""


class Browser:
    """The browser on an open page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.root = page.locator(".codebook")
        page.locator(".codebook[data-ready=true]").wait_for(timeout=PATIENCE)
        self.frame()

    def frame(self) -> None:
        """Wait for two display frames: what was asked for is drawn."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def layer(self, name: str, which: str = "over") -> Any:
        """One of a panel's two canvases; a panel is ``tiles``, ``bars``, ``strip``, ``map``, ``decoded``, …"""
        inside = f".{name} .layers" if name in ("map", "decoded", "original") else f".layers.{name}"
        return self.root.locator(f"{inside} canvas").nth({"base": 0, "over": 1}[which])

    def pixels(self, name: str, which: str = "base") -> np.ndarray:
        """(H, W, 4) uint8."""
        height, width, encoded = self.layer(name, which).evaluate(READ)
        return np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(height, width, 4)

    def hover(self, name: str, x: float, y: float) -> None:
        """Point at a place of a panel, CSS pixels from its corner."""
        self.layer(name).hover(position={"x": x, "y": y}, force=True)
        self.frame()

    def click(self, name: str, x: float, y: float) -> None:
        self.layer(name).click(position={"x": x, "y": y}, force=True)
        self.frame()

    def press(self, name: str, *keys: str) -> None:
        """Keys while a panel has the focus."""
        self.layer(name).focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.frame()

    def choose(self, name: str, value: str) -> None:
        self.root.locator(f"input[name={name}][value={value}]").check(force=True)
        self.frame()

    def state(self, name: str) -> int | None:
        """``code``, ``image`` or ``cell`` pointed at; None where nothing is."""
        text = self.root.get_attribute(f"data-{name}")
        return int(text) if text else None

    def answered(self) -> dict[str, Any]:
        """Wait until the browser shows Python's answer to its last message; returns what Python heard."""
        self.page.wait_for_function(
            "e => e.dataset.sent && e.dataset.answered === e.dataset.sent",
            arg=self.root.element_handle(), timeout=PATIENCE,
        )  # fmt: skip
        number = self.root.get_attribute("data-sent")
        self.page.locator("[data-testid=stCode] code", has_text=f'"number": {number}').wait_for(timeout=PATIENCE)
        self.frame()
        return dict(json.loads(self.page.locator("[data-testid=stCode] code").inner_text()))

    def text(self, name: str) -> str:
        return str(self.root.locator(f".{name}").inner_text())

    def cell(self, name: str, cell: int, grid: tuple[int, int]) -> tuple[float, float]:
        """The middle of a cell of one of the three pictures, CSS pixels from its corner."""
        box = self.layer(name).bounding_box()
        return (cell % grid[1] + 0.5) * box["width"] / grid[1], (cell // grid[1] + 0.5) * box["height"] / grid[0]

    def tile(self, slot: int, codes: int) -> tuple[int, int, int]:
        """Left, top and edge of the tile in that place: the grid is found from the canvas's size."""
        box = self.layer("tiles").bounding_box()
        wide, high = round(box["width"]) - 6, round(box["height"]) - 6
        for edge in range(96, 4, -1):
            gap = 2 if edge >= 14 else 1
            columns, rows = (wide + gap) / (edge + gap), (high + gap) / (edge + gap)
            if columns == int(columns) and rows == int(rows) and (rows - 1) * columns < codes <= rows * columns:
                return 3 + slot % int(columns) * (edge + gap), 3 + slot // int(columns) * (edge + gap), edge
        raise AssertionError(f"no grid of {codes} tiles has {wide} × {high} pixels")
