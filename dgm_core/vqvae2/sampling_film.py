"""How images come about while their codes are drawn: top first, then level by level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from dgm_core.data.pixels import as_bytes
from dgm_core.nn.threads import alone
from dgm_core.reel import Reel
from dgm_core.vqvae2.model import HierarchicalAutoencoder

GREY = 128
"""Brightness of pixels of which nothing is drawn yet."""
FRAMES = 120
"""At most; of longer drawings, codes are taken several at a time."""


def sampling_reel(model: HierarchicalAutoencoder, codes: Sequence[Tensor], frames: int = FRAMES) -> Reel:
    """The pictures so far, from no code at all to the last one; one column an image.

    Args:
        model: decodes.
        codes: (n, h, w) int64 of each level, top first.
        frames: at most so many, at least two a level.

    Returns:
        A `Reel` whose time is the number of codes drawn, of all levels together; every level's end is a frame.
    """
    places = moments([maps[0].numel() for maps in codes], frames)
    pictures = np.stack([unfinished(model, codes, place).numpy() for place in places])[:, None]
    shown = pictures[:, :, :, 0] if pictures.shape[3] == 1 else np.moveaxis(pictures, 3, -1)
    note = "Top codes first, each level from left to right and down; grey: nothing drawn yet."
    return Reel(np.array(places, np.float64), shown, ("drawn so far",), time_label="codes", note=note)


def moments(lengths: Sequence[int], frames: int) -> list[int]:
    """Numbers of codes at which to look: 0, each level's end, and between them as evenly as the frames allow.

    Example:
        >>> moments([4, 16], 6)
        [0, 4, 9, 14, 19, 20]
        >>> moments([2, 3], 99)
        [0, 1, 2, 3, 4, 5]
    """
    step = max(1, -(-sum(lengths) // max(1, frames - len(lengths))))
    found, start = {0}, 0
    for length in lengths:
        found |= {*range(start, start + length, step), start + length}
        start += length
    return sorted(found)


@torch.no_grad()
def unfinished(model: HierarchicalAutoencoder, codes: Sequence[Tensor], drawn: int) -> Tensor:
    """What the decoder makes of the first so many codes.

    Lower codes that are not drawn yet are the level's stand-in. For a top code there is none: pixels under it are grey,
    and its neighbours are decoded as if it were the mean of the top's codebook.

    Args:
        model: decodes.
        codes: (n, h, w) int64 of each level, top first.
        drawn: how many are drawn, counted through all levels.

    Returns:
        (n, C, H, W) uint8.
    """
    values, absent, left = [], model.looked_up([codes[0]]), drawn
    top = model.quantiser(0)
    absent[0] = top.lookup(torch.arange(top.codes, device=codes[0].device)).mean(0).expand_as(absent[0])
    for level, maps in enumerate(codes):
        there = before(left, model.grids[level]).to(maps.device)
        values.append(torch.where(there[..., None], model.quantiser(level).lookup(maps), absent[level]))
        left -= there.numel()
    with alone():
        images = as_bytes(model.decode(values).clamp(0, 1))
    known = before(drawn, model.grids[0])
    scale = model.shape[1] // model.grids[0][0], model.shape[2] // model.grids[0][1]
    shown = known.repeat_interleave(scale[0], 0).repeat_interleave(scale[1], 1)
    return torch.where(shown, images, torch.tensor(GREY, dtype=torch.uint8))


def before(count: int, grid: tuple[int, int]) -> Tensor:
    """Which places of a grid are among the first so many in raster order: (h, w) bool.

    Example:
        >>> before(3, (2, 2)).tolist()
        [[True, True], [True, False]]
    """
    return torch.arange(grid[0] * grid[1]).view(grid) < count
