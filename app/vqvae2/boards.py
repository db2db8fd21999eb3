"""What the page's boards show, put together from arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.figures.montage import tiles
from app.vqvae2.board import Board, Cell

PREFIXES = {1: ("top only",), 2: ("top only", "top + bottom"), 3: ("top only", "top + middle", "all three")}
NAMES = {1: ("top",), 2: ("top", "bottom"), 3: ("top", "middle", "bottom")}


def levels_board(
    images: np.ndarray,
    reconstructions: Sequence[np.ndarray],
    differences: Sequence[np.ndarray],
    maps: Sequence[np.ndarray],
    colours: Sequence[np.ndarray],
    psnr: np.ndarray,
    bits: np.ndarray,
    scale: np.ndarray,
) -> Board:
    """Images from more and more of the levels, what each level adds, and its code maps.

    Args:
        images: (n, C, H, W) uint8.
        reconstructions: of each prefix of the L levels, (n, C, H, W) uint8.
        differences: what each level adds and what is still missing, L + 1 of (n, C, H, W) uint8 around grey.
        maps: of each level, (n, h, w); the top first.
        colours: of each level, (K, 3) uint8.
        psnr: (n, L) dB.
        bits: (L,) of each level's map.
        scale: (L + 1,) the largest change that a difference shows, in shares of full brightness.
    """
    levels = len(maps)
    names, prefixes, total = NAMES[levels], PREFIXES[levels], np.cumsum(bits)
    cells = [
        Cell(0, k, "picture", k, prefixes[k].capitalize(), tuple(f"{value:.1f} dB · {total[k]:,.0f} bits"
                                                                 for value in psnr[:, k]))
        for k in range(levels)
    ]  # fmt: skip
    raw = 8 * images[0].size
    cells += [Cell(0, levels, "picture", levels, "Original", (f"{raw:,} bits",))]
    said = [*(f"The {name} adds" for name in names), "Still missing"]
    cells += [
        Cell(1, k, "picture", levels + 1 + k, said[k], (f"white is +{100 * scale[k]:.0f} %",))
        for k in range(levels + 1)
    ]
    for k, name in enumerate(names):
        column, row = divmod(k, 2)
        h, w = maps[k].shape[1:]
        words = f"{h} × {w} of {len(colours[k])}" if row == 0 else ""
        cells.append(
            Cell(row, levels + 1 + column, "codes", k, f"{name.capitalize()} codes", (words,) if words else ())
        )
    return Board(
        tuple(cells), (*map(tiles, reconstructions), tiles(images), *map(tiles, differences)), tuple(maps),
        tuple(range(levels)), tuple(colours), names, under=levels, thumbnail=levels,
    )  # fmt: skip


def mix_board(rows: np.ndarray, columns: np.ndarray, mixed: np.ndarray, upper: str, lower: str) -> Board:
    """The upper levels of some images with the lower levels of others.

    Args:
        rows: (R, C, H, W) uint8, whose upper levels each row has.
        columns: (S, C, H, W) uint8, whose lower levels each column has.
        mixed: (R, S, C, H, W) uint8.
        upper, lower: the levels' names, such as "top".
    """
    count, across = mixed.shape[:2]
    pictures = [tiles(columns[c : c + 1]) for c in range(across)]
    cells = [Cell(0, c + 1, "picture", c, "", (f"{lower} of image B{c + 1}",)) for c in range(across)]
    for r in range(count):
        pictures.append(tiles(rows[r : r + 1]))
        cells.append(Cell(r + 1, 0, "picture", len(pictures) - 1, "", (f"{upper} of image A{r + 1}",)))
        for c in range(across):
            pictures.append(tiles(mixed[r, c][None]))
            words = f"{upper} of A{r + 1} with {lower} of B{c + 1}"
            cells.append(Cell(r + 1, c + 1, "picture", len(pictures) - 1, "", (words,)))
    heads = (f"A gives its {upper}", f"B gives its {lower}", "Decoded together")
    return Board(tuple(cells), tuple(pictures), crossed=True, heads=heads)
