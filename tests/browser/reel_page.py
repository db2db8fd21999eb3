"""The reel player as a test sees it: its state, and the colours of its images' pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.browser.film_page import Player


class ReelOnPage(Player):
    """One reel player on an open page."""

    def __init__(self, page: Any, nth: int = 0) -> None:
        super().__init__(page, nth)
        self.root = page.locator(".reel").nth(nth)
        self.canvas = self.root.locator("canvas.stage")

    def shown(self) -> int:
        """The frame that is drawn."""
        return int(self.root.get_attribute("data-frame") or -1)

    def to(self, frame: float) -> None:
        """Move the slider, and wait until the nearest frame is drawn."""
        self.root.locator(".scrub").fill(str(frame))
        self.until(f"Number(e.dataset.frame) === {int(np.ceil(frame - 0.5))}")

    def images(self, rows: int, columns: int, side: int) -> np.ndarray:
        """The colour in the middle of each image's every pixel, read from the canvas: (R, C, side, side, 3) uint8.

        Found from the canvas alone: what lies between the images is transparent.
        """
        picture = self.pixels()
        tops, height = _runs(np.asarray(picture[..., 3].any(1)), rows)
        lefts, width = _runs(np.asarray(picture[..., 3].any(0)), columns)
        y, x = ((np.arange(side) + 0.5) * size / side for size in (height, width))
        tiles = [[picture[np.ix_((top + y).astype(int), (left + x).astype(int))] for left in lefts] for top in tops]
        return np.array(tiles)[..., :3]

    def tile(self, row: int, column: int, rows: int, columns: int) -> tuple[float, float]:
        """The middle of an image on the page, CSS pixels, where names stand beside the rows."""
        box = self.canvas.bounding_box()
        return box["x"] + box["width"] * (column + 0.5) / columns, box["y"] + box["height"] * (row + 0.5) / rows


def _runs(there: np.ndarray, count: int) -> tuple[list[int], int]:
    """Where the runs of True begin, and how long they all are."""
    edges = np.flatnonzero(np.diff(np.r_[False, there, False].astype(int)))
    starts, ends = edges[::2], edges[1::2]
    assert len(starts) == count
    assert len(set(ends - starts)) == 1
    return starts.tolist(), int(ends[0] - starts[0])
