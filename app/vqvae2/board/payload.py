"""A board as the bytes that the browser reads: once for all that stands."""

from __future__ import annotations

import hashlib
import weakref
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from app.vqvae2.board.view import Board
from dgm_core.pack import pack


@dataclass(frozen=True)
class BoardBytes:
    """A board ready to send: its compressed bytes and the digest by which the browser knows it again."""

    packed: bytes
    digest: str


def encode(board: Board) -> BoardBytes:
    """Pack and compress a board; the same object is encoded once."""
    known = _encoded.get(id(board))
    if known is not None and known[0]() is board:
        return known[1]
    packed = pack(facts(board), arrays(board), compress=True)
    made = BoardBytes(packed, hashlib.blake2b(packed, digest_size=12).hexdigest())
    key = id(board)
    _encoded[key] = (weakref.ref(board, lambda _: _encoded.pop(key, None)), made)
    return made


def message(board: BoardBytes | None, options: dict[str, Any]) -> bytes:
    """Everything for one call; without the board where the browser holds what ``options["digest"]`` names."""
    held = {} if board is None else {"board": np.frombuffer(board.packed, np.uint8)}
    return pack(options, held)


def facts(board: Board) -> dict[str, Any]:
    """All but the arrays, ready for JSON."""
    return {
        "items": board.items, "colour": board.colour, "cells": [asdict(cell) for cell in board.cells],
        "arrows": [asdict(arrow) for arrow in board.arrows], "map_levels": list(board.map_levels),
        "levels": list(board.levels), "under": board.under, "thumbnail": board.thumbnail,
        "time_label": board.time_label, "crossed": board.crossed, "heads": list(board.heads),
        "film": board.times is not None, "pictures": len(board.pictures), "maps": len(board.maps),
    }  # fmt: skip


def arrays(board: Board) -> dict[str, np.ndarray]:
    """The arrays by name; a code travels as four bytes, since a map may hold −1."""
    found = {f"picture{k}": np.ascontiguousarray(array) for k, array in enumerate(board.pictures)}
    found |= {f"map{k}": array.astype(np.int32) for k, array in enumerate(board.maps)}
    found |= {f"colours{k}": np.asarray(array, np.uint8) for k, array in enumerate(board.colours)}
    if board.times is not None:
        found["times"] = np.asarray(board.times, np.float64)
    if board.now is not None:
        found["now"] = board.now.astype(np.int32)
    if board.laws is not None:
        found["law"] = board.laws.probabilities.astype(np.float32)
        found["law_codes"] = board.laws.codes.astype(np.int32)
        found["law_drawn"] = board.laws.drawn.astype(np.int32)
        found["law_level"] = board.laws.level.astype(np.int32)
    return found


_encoded: dict[int, tuple[weakref.ref[Board], BoardBytes]] = {}
