"""Images whose every pixel is known: the oracle of the reel player's tests."""

from __future__ import annotations

import numpy as np

from dgm_core.reel import Reel

ROWS, COLUMNS, SIDE = 3, 5, 8


def blocks(frames: int, *, colour: bool = False, rows: int = ROWS, columns: int = COLUMNS, side: int = SIDE) -> Reel:
    """Pixel (y, x) of image (r, c) in frame t is (3 t + 40 r + 20 c + 5 y + 2 x) mod 256; RGB adds 60 a channel."""
    t, r, c, y, x = np.meshgrid(
        *(np.arange(n) for n in (frames, rows, columns, side, side)), indexing="ij", sparse=True
    )
    grey = (3 * t + 40 * r + 20 * c + 5 * y + 2 * x) % 256
    shown = (grey[..., None] + 60 * np.arange(3)) % 256 if colour else grey
    names = ("input", "hard", "soft")[:rows]
    return Reel(
        100.0 * np.arange(frames), shown.astype(np.uint8), names, tuple(str(k) for k in range(columns)),
        time_label="step", note="Reconstructions of test digits.",
    )  # fmt: skip
