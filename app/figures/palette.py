"""One accent colour a meaning, the same on every page, in a light and a dark shade.

The hues are near those of Okabe and Ito's set for all kinds of colour vision: orange, blue, green, rose. Lightness and
hue were then searched for the largest smallest distance between any two of the four, seen with and without a colour
deficiency, at a contrast of at least 4.5 : 1 with the page and with panels (WCAG 2.2, 1.4.3). Colour never stands
alone: marks differ in shape or carry words as well.

References:
    Okabe and Ito (2008), "Color Universal Design: how to make figures that are friendly to colorblind people".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Meaning = Literal["data", "model", "base", "latent", "good", "bad", "muted"]


@dataclass(frozen=True)
class Accent:
    """A colour as ``#rrggbb`` for a light and for a dark ground."""

    light: str
    dark: str

    def on(self, dark: bool) -> str:
        """The shade for a dark or a light ground.

        Example:
            >>> Accent("#000000", "#ffffff").on(dark=True)
            '#ffffff'
        """
        return self.dark if dark else self.light


DATA = Accent("#b3471b", "#f48a19")
"""What is given: samples of the target, its density, its entropy."""
MODEL = Accent("#086ec7", "#3590d9")
"""What is learned: the model's density, samples and loss."""
BASE = Accent("#265e40", "#38e192")
"""Where the flow starts: the Gaussian."""
LATENT = Accent("#884576", "#fab3db")
"""What is inferred or noise that is drawn: codes, probes, hidden variables."""
GOOD = Accent("#16733d", "#52c98a")
BAD = Accent("#bb3527", "#ff8a75")
MUTED = Accent("#5f6775", "#9aa3b2")

GROUND = Accent("#fbfaf8", "#14171d")
"""The page itself."""
PANEL = Accent("#f2f0ec", "#1e232c")
"""Cards, inputs, the sidebar."""
INK = Accent("#1f2430", "#e8eaee")
"""Text."""
GRID = Accent("#dedbd4", "#333a46")
"""Rules, borders and the grid lines of a chart."""

ACCENTS: dict[Meaning, Accent] = {
    "data": DATA, "model": MODEL, "base": BASE, "latent": LATENT, "good": GOOD, "bad": BAD, "muted": MUTED,
}  # fmt: skip


def accent(meaning: Meaning, dark: bool) -> str:
    """The colour of a meaning as ``#rrggbb``.

    Raises:
        ValueError: for a word that is no meaning here.

    Example:
        >>> accent("data", dark=False) == DATA.light
        True
    """
    if meaning not in ACCENTS:
        raise ValueError(f"no accent is called {meaning!r}; there are {', '.join(ACCENTS)}")
    return ACCENTS[meaning].on(dark)
