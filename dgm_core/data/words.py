"""A word as a density: rendered in the font that ships with Pillow, its ink is where the probability lies."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dgm_core.data.pictures import image_target
from dgm_core.data.target import Target
from dgm_core.errors import DataError

MAX_LETTERS = 24
FONT_SIZE = 96
SIDE = 192
"""Longer side of the rendered picture, in pixels."""


@lru_cache(maxsize=64)
def word_target(text: str) -> Target:
    """The typed word, as large as the window allows; several words are broken into lines where that makes them larger.

    Args:
        text: 1 to 24 letters, spaces at both ends not counted.

    Raises:
        DataError: when it is empty, too long, or has a letter that the font lacks.

    Example:
        >>> word_target("Bayes").title
        '“Bayes”'
    """
    return image_target(word_ink(text), "word", f"“{' '.join(text.split())}”")


def word_ink(text: str) -> np.ndarray:
    """The rendered word: (H, W) float32 in [0, 1], row 0 at the top, cropped to its ink, longer side 192 pixels.

    Raises:
        DataError: as `word_target`.
    """
    words = text.split()
    _require_printable(" ".join(words))
    # The layout whose longer side is shortest is drawn largest in the square window.
    layouts = [_render(lines) for lines in _line_breaks(words)]
    best = min(layouts, key=lambda picture: max(picture.size))
    scale = SIDE / max(best.size)
    size = (max(1, round(best.width * scale)), max(1, round(best.height * scale)))
    return np.asarray(best.resize(size, Image.Resampling.BOX), dtype=np.float32) / 255


def _require_printable(text: str) -> None:
    if not text:
        raise DataError(f"The word is empty; type 1 to {MAX_LETTERS} letters.")
    if len(text) > MAX_LETTERS:
        raise DataError(f"The word has {len(text)} letters; at most {MAX_LETTERS} fit the window.")
    missing = [letter for letter in dict.fromkeys(text) if letter != " " and not _has_glyph(letter)]
    if missing:
        shown = ", ".join(f"“{letter}”" if letter.isprintable() else f"U+{ord(letter):04X}" for letter in missing)
        raise DataError(f"The font has no sign for {shown}; A–Z, a–z, digits and common punctuation work.")


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(FONT_SIZE)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise DataError("This Pillow was built without FreeType, so words cannot be drawn; install Pillow's own wheel.")
    return font


@lru_cache(maxsize=512)
def _has_glyph(letter: str) -> bool:
    """Whether the font has ink for the letter, other than its sign for a missing one."""
    ink = bytes(_font().getmask(letter))
    return any(ink) and ink != bytes(_font().getmask("\U0010fffe"))


def _line_breaks(words: list[str]) -> list[list[str]]:
    """All ways to break the words into lines, in order; 2^(words − 1) of them, at most 2^11."""
    lines = [[words[0]]]
    for word in words[1:]:
        lines = [[*way, word] for way in lines] + [[*way[:-1], f"{way[-1]} {word}"] for way in lines]
    return lines


def _render(lines: list[str]) -> Image.Image:
    """White on black, centred lines, cropped to the ink."""
    text = "\n".join(lines)
    probe = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = probe.multiline_textbbox((0, 0), text, font=_font(), spacing=FONT_SIZE // 8)
    canvas = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4))
    place = (2 - left, 2 - top)
    ImageDraw.Draw(canvas).multiline_text(place, text, fill=255, font=_font(), spacing=FONT_SIZE // 8, align="center")
    return canvas.crop(canvas.getbbox())
