"""Algorithm 2 of Razavi et al. (2019) as a board: an image's codes above, codes drawn by the priors below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.figures.montage import tiles
from app.vqvae2.board import Arrow, Board, Cell, Laws
from app.vqvae2.boards import NAMES

BARS = 20
"""Codes whose probabilities are shown."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Stage one, of one image.

    Args:
        image, decoded: (C, H, W) uint8.
        maps: of each level, the top first, (h, w).
    """

    image: np.ndarray
    decoded: np.ndarray
    maps: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Stage two: one new image, drawn code by code.

    Args:
        maps: of each level, the top first, (h, w).
        probabilities: of each level, (h w, K): what each code was drawn from.
        kept: of each level, (h w,) bool: codes that were given and not drawn.
        places: (T,) integers, increasing: how many codes are drawn in each frame.
        pictures: (T, C, H, W) uint8, what is decoded then.
    """

    maps: tuple[np.ndarray, ...]
    probabilities: tuple[np.ndarray, ...]
    kept: tuple[np.ndarray, ...]
    places: np.ndarray
    pictures: np.ndarray

    def order(self) -> list[tuple[int, int]]:
        """(level, flat cell) of the codes drawn, in the order in which they are."""
        return [(level, int(cell)) for level, kept in enumerate(self.kept) for cell in np.flatnonzero(~kept)]


def pipeline_board(
    encoded: Encoded, drawn: Drawn, colours: Sequence[np.ndarray], laws: Sequence[str]
) -> Board:  # fmt: skip
    """The board of both stages.

    Args:
        encoded: an image that the autoencoder has seen.
        drawn: a new one.
        colours: of each level, (K, 3) uint8.
        laws: what each level's prior is, such as "PixelSNAIL".
    """
    levels = len(encoded.maps)
    names, order = NAMES[levels], drawn.order()
    cells = [Cell(0, 0, "picture", 0, "An image x")]
    cells += [Cell(0, 1 + k, "codes", k, f"Its {name} codes") for k, name in enumerate(names)]
    cells += [Cell(0, 1 + levels, "picture", 1, "Decoded")]
    cells += [Cell(1, 0, "law", 0, "The next code's law")]
    cells += [Cell(1, 1 + k, "codes", levels + k, f"Drawn {name} codes") for k, name in enumerate(names)]
    cells += [Cell(1, 1 + levels, "picture", 2, "A new image")]
    below = levels + 2
    arrows = [Arrow(k, k + 1, "E" if k < levels else "D") for k in range(levels + 1)]
    arrows += [Arrow(1 + k, below + 1 + k, laws[k]) for k in range(levels)]
    arrows += [Arrow(below, below + 1, "draw")]
    arrows += [Arrow(below + 1 + k, below + 2 + k, "given") for k in range(levels - 1)]
    arrows += [Arrow(below + levels, below + levels + 1, "D")]
    places = np.asarray(drawn.places, np.int64)
    now = np.array([(-1, -1), *((levels + level, cell) for level, cell in order)], np.int64)[places]
    pictures = (tiles(encoded.image[None]), tiles(encoded.decoded[None]), tiles(drawn.pictures))
    return Board(
        tuple(cells), pictures, (*(codes[None] for codes in encoded.maps), *_growing(drawn, order)),
        (*range(levels), *range(levels)), tuple(colours), names, tuple(arrows), _laws(drawn, order), now,
        times=places.astype(np.float64), time_label="codes drawn",
    )  # fmt: skip


def _growing(drawn: Drawn, order: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """Each level's map in each frame, (T, h, w), −1 where nothing is drawn yet."""
    found = []
    for level, codes in enumerate(drawn.maps):
        mine = np.array([which == level for which, _ in order], bool)
        places = np.array([cell for which, cell in order if which == level], np.int64)
        rank = np.zeros(codes.size, np.int64)  # given codes are there from the start
        rank[places] = 1 + np.flatnonzero(mine)
        there = rank[None] <= np.asarray(drawn.places)[:, None]
        found.append(np.where(there, codes.reshape(1, -1), -1).reshape(-1, *codes.shape))
    return found


def _laws(drawn: Drawn, order: Sequence[tuple[int, int]]) -> Laws:
    """The likeliest codes of the law that each frame's last code is from, the drawn one always among them."""
    most = min(BARS, *(table.shape[1] for table in drawn.probabilities))
    shape = (len(drawn.places), most)
    p, codes = np.zeros(shape, np.float32), np.zeros(shape, np.int64)
    at, level = np.full(shape[0], -1), np.zeros(shape[0], np.int64)
    for t, place in enumerate(drawn.places):
        if not place:
            continue  # nothing is drawn yet
        which, cell = order[place - 1]
        law, code = drawn.probabilities[which][cell], int(drawn.maps[which].flat[cell])
        best = np.argsort(-law, kind="stable")[:most]
        if code not in best:
            best = np.append(best[:-1], code)
        p[t], codes[t], level[t] = law[best], best, which
        at[t] = int(np.flatnonzero(best == code)[0])
    return Laws(p, codes, at, level)
