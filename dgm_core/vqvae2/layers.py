"""What a hierarchy of codes is put together from: the way up, the way down, stand-ins for absent levels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dgm_core.errors import DataError
from dgm_core.nn.residual import Residual


class Absent(nn.Module):
    """What stands for a lower level that is not there.

    With level dropout, which is ours, a vector that is learned by leaving lower levels out now and then. Without it,
    as in the paper, the decoder has never seen a level absent; then it is the running mean of that level's codes.

    Args:
        dimension: D.
        learned: whether it has a gradient.
    """

    def __init__(self, dimension: int, learned: bool) -> None:
        super().__init__()
        self.vector = nn.Parameter(torch.zeros(dimension), requires_grad=learned)

    @torch.no_grad()
    def observe(self, values: Tensor, decay: float) -> None:
        """Follow the mean of the level's codes in a batch, (B, h, w, D), where the vector is not learned."""
        if not self.vector.requires_grad:
            self.vector.lerp_(values.flatten(0, -2).mean(0), 1 - decay)


class Descent(nn.Module):
    """A level's codes and what came from above, brought to the grid of the next level."""

    def __init__(self, dimension: int, width: int, depth: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(dimension, width, 3, padding=1)
        self.blocks = nn.Sequential(*(Residual(width) for _ in range(depth)), nn.ReLU())
        self.wider = nn.Sequential(nn.Conv2d(width, 4 * width, 1), nn.PixelShuffle(2))

    def forward(self, values: Tensor, above: Tensor | None) -> Tensor:
        """(B, D, h, w) and (B, width, h, w) → (B, width, 2h, 2w)."""
        here = self.enter(values)
        found: Tensor = self.wider(self.blocks(here if above is None else here + above))
        return found


def require_grids(shape: tuple[int, int, int], patch: int, levels: int) -> None:
    """Raise DataError, in a sentence, unless the image's sides are cut into whole codes at every level."""
    side = patch << levels - 1
    _, height, width = shape
    if height % side or width % side:
        raise DataError(
            f"Images of {height} × {width} pixels do not hold {levels} levels over patches of {patch} × {patch}: "
            f"both sides must be multiples of {patch} · 2^{levels - 1} = {side}."
        )


def rise(channels: int, width: int, depth: int, patch: int) -> nn.Sequential:
    """To half the grid and residual blocks; the first, with ``patch``, from pixels to patches."""
    stem = (nn.Conv2d(channels, width, patch, stride=patch) if patch
            else nn.Conv2d(channels, width, 4, stride=2, padding=1))  # fmt: skip
    return nn.Sequential(stem, *(Residual(width) for _ in range(depth)))
