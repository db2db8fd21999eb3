"""Reels in few bytes: differences from frame to frame, compressed with xz, without loss."""

from __future__ import annotations

import lzma
from collections.abc import Sequence
from typing import Any

import numpy as np

from dgm_core.pack import pack, unpack
from dgm_core.reel import Reel


def small(reel: Reel) -> bytes:
    """A reel as differences from frame to frame, modulo 256, compressed with xz.

    Example:
        >>> reel = Reel(np.array([0.0, 1.0]), np.arange(8, dtype=np.uint8).reshape(2, 1, 1, 2, 2))
        >>> bool((large(small(reel)).frames == reel.frames).all())
        True
    """
    steps = np.diff(reel.frames, axis=0, prepend=np.zeros_like(reel.frames[:1]))
    return lzma.compress(pack(reel.words, {"times": reel.times, "steps": steps}), preset=9)


def large(packed: bytes) -> Reel:
    """Read what `small` wrote.

    Raises:
        ValueError: when the bytes are no shipped reel.
    """
    try:
        meta, arrays = unpack(lzma.decompress(packed))
        rows, columns = tuple(meta.pop("row_labels")), tuple(meta.pop("column_labels"))
        frames = np.add.accumulate(arrays["steps"], axis=0, dtype=np.uint8)
        return Reel(arrays["times"], frames, rows, columns, **meta)
    except (lzma.LZMAError, KeyError, TypeError) as error:
        raise ValueError(f"these bytes are no shipped reel: {error}") from error


def thinned(pictured: Sequence[Any], most: int) -> list[Any]:
    """At most so many items of a sequence, evenly spread, the first and the last among them.

    Example:
        >>> thinned([0, 1, 2, 3, 4, 5, 6], 3)
        [0, 3, 6]
    """
    places = np.unique(np.linspace(0, len(pictured) - 1, most).round().astype(int))
    return [pictured[place] for place in places]
