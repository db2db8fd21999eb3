"""One frame of a reel as an array of pixels, with its names, without a browser."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.figures.palette import GROUND, INK
from app.film.raster import rgb
from dgm_core.reel import Reel

GAP, LEAST_GAP = 0.05, 2
"""Between two images: a share of an image's edge, and pixels."""
TEXT, SMALLEST, LARGEST = 1 / 48, 12, 40
"""Height of the letters: a share of the picture's size, and pixels."""


@dataclass(frozen=True)
class Look:
    """How a picture of a reel is made.

    Args:
        size: the images together are at most so many pixels wide and high, unless they are larger as they are.
        words: whether names and time stand beside the images.
        dark: the ground.
    """

    size: int = 960
    words: bool = True
    dark: bool = True

    def __post_init__(self) -> None:
        if not 16 <= self.size <= 4096:
            raise ValueError(f"a picture of {self.size} pixels cannot be made; choose 16 to 4096")


@dataclass(frozen=True)
class Layout:
    """Where everything stands, in pixels.

    Args:
        scale: each pixel of an image is a square of so many.
        gap: between two images.
        corner: (row, column) of the first image's top left.
        shape: (height, width) of the picture, both even, as H.264 needs them.
        letters: their size.
    """

    scale: int
    gap: int
    corner: tuple[int, int]
    shape: tuple[int, int]
    letters: int

    def place(self, tile: tuple[int, int], row: int, column: int) -> tuple[int, int]:
        """(row, column) of an image's top left."""
        high, wide = (self.scale * edge + self.gap for edge in tile)
        return self.corner[0] + row * high, self.corner[1] + column * wide


def layout(reel: Reel, look: Look) -> Layout:
    """How a reel's picture is divided; the same for all its frames."""
    rows, columns, height, width = reel.frames.shape[1:5]
    scale = max(1, int(look.size / max((1 + GAP) * rows * height, (1 + GAP) * columns * width)))
    gap = max(LEAST_GAP, round(GAP * scale * max(height, width)))
    letters = int(np.clip(round(TEXT * look.size), SMALLEST, LARGEST))
    left = max((_width(name, letters) + 2 * letters for name in reel.row_labels), default=0) if look.words else 0
    top = 2 * letters if look.words and reel.column_labels else 0
    below = 2 * letters if look.words else 0
    corner = (gap + top, gap + left)
    high = corner[0] + rows * (scale * height + gap) + below
    wide = corner[1] + columns * (scale * width + gap)
    if look.words:
        wide = max(wide, corner[1] + _longest_time(reel, letters) + gap)
    return Layout(scale, gap, corner, (high + high % 2, wide + wide % 2), letters)


def mosaic(tiles: np.ndarray, where: Layout, ground: int | np.ndarray) -> np.ndarray:
    """Images side by side, each pixel a square.

    Args:
        tiles: (R, C, H, W) or (R, C, H, W, 3) uint8.
        where: the layout.
        ground: what stands between them: a number, or (3,) uint8.

    Returns:
        (height, width) or (height, width, 3) uint8.
    """
    pixels = np.empty((*where.shape, *tiles.shape[4:]), np.uint8)
    pixels[:] = ground
    enlarged = tiles.repeat(where.scale, 2).repeat(where.scale, 3)
    tile = (tiles.shape[2], tiles.shape[3])
    for row, column in np.ndindex(*tiles.shape[:2]):
        top, left = where.place(tile, row, column)
        pixels[top : top + enlarged.shape[2], left : left + enlarged.shape[3]] = enlarged[row, column]
    return pixels


def lettering(reel: Reel, index: int, where: Layout) -> np.ndarray:
    """How much of each pixel the names of rows and columns and the time cover: (height, width) uint8."""
    rows, height, width = reel.frames.shape[1], *reel.frames.shape[3:5]
    tile, font = (height, width), ImageFont.load_default(where.letters)
    image = Image.new("L", (where.shape[1], where.shape[0]))
    pen = ImageDraw.Draw(image)
    for row, name in enumerate(reel.row_labels):
        top, left = where.place(tile, row, 0)
        pen.text((left - where.letters, top + where.scale * height / 2), spelled(name), 255, font, "rm")
    for column, name in enumerate(reel.column_labels):
        top, left = where.place(tile, 0, column)
        fitting = _fitting(spelled(name), where.letters, where.scale * width)
        pen.text((left + where.scale * width / 2, top - where.letters / 2), fitting, 255, font, "mb")
    bottom = where.place(tile, rows, 0)[0]
    pen.text((where.corner[1], bottom + where.letters / 2), spelled(moment(reel, index)), 255, font, "la")
    return np.asarray(image)


def picture(reel: Reel, index: int, look: Look) -> np.ndarray:
    """A frame of a reel in colours: (height, width, 3) uint8, row 0 at the top."""
    where, ground = layout(reel, look), rgb(GROUND.on(look.dark))
    frame = reel.frames[index]
    tiles = frame if reel.colour else np.repeat(frame[..., None], 3, axis=-1)
    pixels = mosaic(tiles, where, ground)
    if look.words:
        cover = lettering(reel, index, where)
        inked = cover > 0
        pixels[inked] = inks(look.dark, cover[inked] / 255)
    return pixels


def inks(dark: bool, cover: np.ndarray) -> np.ndarray:
    """The colours of pixels that letters cover in part.

    Args:
        dark: the ground.
        cover: (N,) in [0, 1].

    Returns:
        (N, 3) uint8.
    """
    ground, ink = (rgb(colour.on(dark)).astype(float) for colour in (GROUND, INK))
    return np.rint(ground + cover[:, None] * (ink - ground)).astype(np.uint8)


def moment(reel: Reel, index: int) -> str:
    """The time of a frame in words, with the decimals that the player shows.

    Example:
        >>> reel = Reel(np.array([0.0, 1500.0]), np.zeros((2, 1, 1, 4, 4), np.uint8), time_label="step")
        >>> moment(reel, 1)
        'step = 1,500'
    """
    whole = len(reel.times) > 1 and reel.times[-1] > 2 and bool((reel.times == np.rint(reel.times)).all())
    return f"{reel.time_label} = {reel.times[index]:{',.0f' if whole else '.2f'}}"


def spelled(text: str) -> str:
    """Text in letters that the built-in font has: a Greek letter by its name, others by what is nearest to them.

    Example:
        >>> spelled("τ = −0.50 · naïve")
        'tau = -0.50 · naive'
    """
    return "".join(map(_spelled, text))


def _spelled(letter: str) -> str:
    if letter.isascii() or letter == "·":
        return letter
    if unicodedata.combining(letter):
        return ""
    name = unicodedata.name(letter, "")
    if name.startswith("GREEK SMALL LETTER "):
        return name.split()[3].lower()
    known = {"−": "-", "–": "-", "—": "-", "→": "->", "×": "x"}
    return known.get(letter) or unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or "?"


def _width(text: str, letters: int) -> int:
    return int(np.ceil(ImageFont.load_default(letters).getlength(spelled(text))))


def _longest_time(reel: Reel, letters: int) -> int:
    return max(_width(moment(reel, index), letters) for index in (0, -1))


def _fitting(text: str, letters: int, room: int) -> str:
    """As much of a text as there is room for."""
    while text and _width(text, letters) > room:
        text = text[:-1]
    return text
