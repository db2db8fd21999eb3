"""What a board shows: pictures, code maps and laws of codes in a grid of cells, and the arrows between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Kind = Literal["picture", "codes", "law"]
ITEMS, CODES = 4_096, 4_096
"""The most items of a board, and codes of a level."""


@dataclass(frozen=True)
class Cell:
    """One place of the board.

    Args:
        row, column: where it stands.
        kind: what it shows.
        source: which of the board's pictures or maps; 0 for a law.
        title: stands above it.
        captions: below it; one for each item, a single one for all, or none.
    """

    row: int
    column: int
    kind: Kind
    source: int = 0
    title: str = ""
    captions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arrow:
    """From one cell to another, by their indices, with a word or two beside it."""

    start: int
    end: int
    text: str = ""


@dataclass(frozen=True, eq=False)
class Laws:
    """What the code of each item was drawn from.

    Args:
        probabilities: (n, M) float32, the likeliest codes' first; 0 where there are fewer.
        codes: (n, M) integers, which codes these are.
        drawn: (n,) integers, the drawn one's place among them, or −1.
        level: (n,) integers, whose codes they are.
    """

    probabilities: np.ndarray
    codes: np.ndarray
    drawn: np.ndarray
    level: np.ndarray


@dataclass(frozen=True, eq=False)
class Board:
    """n items, such as images to choose from or frames of a film, seen through the same cells.

    Args:
        cells: what stands where.
        pictures: each (n or 1, H, W) or (n or 1, H, W, 3) uint8, all with one H and W; of one item for all.
        maps: code maps, each (n or 1, h, w) integers; −1 where there is no code yet.
        map_levels: which level each map is of.
        colours: of each level's codes, (K, 3) uint8.
        levels: the levels' names.
        arrows: between cells.
        laws: for cells of kind ``law``.
        now: (n, 2) integers, the map and its flat cell that an item has just drawn, −1 for none.
        under: the picture that code maps can be laid over, or None.
        thumbnail: the picture by which an item is chosen, or None for a board that is a film.
        times: (n,) float64 of a film.
        time_label: what they are.
        crossed: the picture's row and column heads light up where it is pointed at, instead of the same place.
        heads: of a crossed board, words for a row's head, a column's head, and what both make.

    Raises:
        ValueError: when these do not belong together, in one sentence.
    """

    cells: tuple[Cell, ...]
    pictures: tuple[np.ndarray, ...]
    maps: tuple[np.ndarray, ...] = ()
    map_levels: tuple[int, ...] = ()
    colours: tuple[np.ndarray, ...] = ()
    levels: tuple[str, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    laws: Laws | None = None
    now: np.ndarray | None = None
    under: int | None = None
    thumbnail: int | None = None
    times: np.ndarray | None = None
    time_label: str = ""
    crossed: bool = False
    heads: tuple[str, ...] = ()
    items: int = field(init=False)

    def __post_init__(self) -> None:
        counts = {len(array) for array in (*self.pictures, *self.maps)} - {1}
        if not self.pictures or len(counts) > 1 or not all(1 <= count <= ITEMS for count in counts):
            raise ValueError(f"a board shows 1 to {ITEMS:,} items, the same of every picture and map; here {counts}")
        object.__setattr__(self, "items", counts.pop() if counts else 1)
        self._check_pictures()
        self._check_maps()
        self._check_cells()
        if self.times is not None and (len(self.times) != self.items or not (np.diff(self.times) > 0).all()):
            raise ValueError(f"the times of {self.items} items must be as many and increasing")

    @property
    def colour(self) -> bool:
        """Whether the pictures are RGB; otherwise they are grey."""
        return self.pictures[0].ndim == 4

    def _check_pictures(self) -> None:
        shape = self.pictures[0].shape[1:]
        for picture in self.pictures:
            if picture.dtype != np.uint8 or picture.shape[1:] != shape or len(shape) not in (2, 3):
                raise ValueError(f"the pictures must be uint8 of one size; here {picture.shape} of {picture.dtype}")

    def _check_maps(self) -> None:
        if len(self.map_levels) != len(self.maps) or len(self.colours) != len(self.levels):
            raise ValueError("each map needs a level, and each level a name and colours")
        for codes, level in zip(self.maps, self.map_levels, strict=True):
            most = len(self.colours[level])
            if codes.ndim != 3 or codes.size == 0 or codes.min() < -1 or codes.max() >= min(most, CODES):
                raise ValueError(f"a code map of level {level} must be (n, h, w) of −1 to {most - 1}")

    def _check_cells(self) -> None:
        for cell in self.cells:
            known = {"picture": len(self.pictures), "codes": len(self.maps), "law": int(self.laws is not None)}
            if not 0 <= cell.source < known[cell.kind]:
                raise ValueError(f"there is no {cell.kind} {cell.source} for the cell “{cell.title}”")
            if len(cell.captions) not in (0, 1, self.items):
                raise ValueError(f"the cell “{cell.title}” has {len(cell.captions)} captions for {self.items} items")
        for arrow in self.arrows:
            if not (0 <= arrow.start < len(self.cells) and 0 <= arrow.end < len(self.cells)):
                raise ValueError(f"there is no cell for the arrow “{arrow.text}”")
