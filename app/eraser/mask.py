"""Which codes of a map are erased: as an array, as the word in a link, and as a browser sends it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

WORD = re.compile(r"[0-9a-f]{1,1024}")


def lower_half(grid: tuple[int, int]) -> np.ndarray:
    """(h, w) bool, the lower half erased.

    Example:
        >>> lower_half((2, 3)).astype(int).tolist()
        [[0, 0, 0], [1, 1, 1]]
    """
    mask = np.zeros(grid, bool)
    mask[grid[0] // 2 :] = True
    return mask


def word_of(mask: np.ndarray) -> str:
    """A mask (h, w) as hexadecimal digits, four cells each, row by row.

    Example:
        >>> word_of(np.array([[True, False, False], [False, False, True]]))
        '84'
    """
    flat = np.asarray(mask, bool).ravel()
    return np.packbits(np.pad(flat, (0, -len(flat) % 8))).tobytes().hex()[: -(-len(flat) // 4)]


def mask_of(word: object, grid: tuple[int, int]) -> np.ndarray | None:
    """What `word_of` wrote, (h, w) bool; None for anything that is no mask of this grid.

    Example:
        >>> mask_of("84", (2, 3)).astype(int).tolist(), mask_of("84", (3, 3)), mask_of("<b>", (2, 3))
        ([[1, 0, 0], [0, 0, 1]], None, None)
    """
    count = grid[0] * grid[1]
    if not isinstance(word, str) or len(word) != -(-count // 4) or not WORD.fullmatch(word):
        return None
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(word + "0" * (len(word) % 2)), np.uint8))
    return None if bits[count:].any() else bits[:count].astype(bool).reshape(grid)


def validated(sent: object, grid: tuple[int, int]) -> np.ndarray | None:
    """A mask from what a browser sent, (h, w) bool, or None for anything else than one of this grid.

    Example:
        >>> validated({"rows": 1, "columns": 2, "cells": [1]}, (1, 2)).tolist()
        [[False, True]]
        >>> validated({"rows": 1, "columns": 2, "cells": [2]}, (1, 2)) is None, validated("nonsense", (1, 2)) is None
        (True, True)
    """
    if not isinstance(sent, Mapping) or (sent.get("rows"), sent.get("columns")) != grid:
        return None
    cells, count = sent.get("cells"), grid[0] * grid[1]
    if not isinstance(cells, list) or len(cells) > count:
        return None
    if not all(type(cell) is int and 0 <= cell < count for cell in cells):
        return None
    mask = np.zeros(count, bool)
    mask[cells] = True
    return mask.reshape(grid)
