"""An image as a map of codes: a patch stem and a few residual blocks on either side of a quantiser."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor, nn

from dgm_core.errors import DataError
from dgm_core.nn.residual import Residual, draw_convolutions
from dgm_core.nn.scalar_quantiser import FiniteScalarQuantizer
from dgm_core.nn.vector_quantiser import Quantised, VectorQuantizer

Quantiser = VectorQuantizer | FiniteScalarQuantizer

_BATCH = 512


class QuantisedAutoencoder(nn.Module):
    """x → z_e (encoder) → z_q (nearest codes) → x̂ (decoder), h × w codes for H × W pixels, h = H / patch.

    Args:
        shape: (C, H, W) of an image.
        quantiser: of D numbers.
        patch: side of the pixels' square that one code stands for.
        width: channels between stem and quantiser.
        depth: residual blocks on either side.
        generator: draws the first weights.

    Raises:
        DataError: when the image's sides are no multiples of the patch.

    Example:
        >>> model = QuantisedAutoencoder((3, 32, 32), VectorQuantizer(16, 4), patch=4, width=8, depth=1)
        >>> codes = model.codes(torch.zeros(2, 3, 32, 32))
        >>> codes.shape, model.decode_codes(codes).shape
        (torch.Size([2, 8, 8]), torch.Size([2, 3, 32, 32]))
    """

    def __init__(
        self, shape: tuple[int, int, int], quantiser: Quantiser, *, patch: int, width: int, depth: int,
        generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        require_patch(shape, patch)
        channels, height, across = shape
        self.shape, self.patch, self.depth = shape, patch, depth
        self.grid = (height // patch, across // patch)
        self.quantiser = quantiser
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, width, patch, stride=patch), *(Residual(width) for _ in range(depth)), nn.ReLU(),
            nn.Conv2d(width, quantiser.dimension, 1),
        )  # fmt: skip
        last = nn.Conv2d(width, channels * patch**2, 1)
        self.decoder = nn.Sequential(
            nn.Conv2d(quantiser.dimension, width, 3, padding=1), *(Residual(width) for _ in range(depth)), nn.ReLU(),
            last, nn.PixelShuffle(patch),
        )  # fmt: skip
        draw_convolutions(chain(self.encoder.modules(), self.decoder.modules()), generator)
        nn.init.zeros_(last.weight)  # the first image is grey, not noise

    @property
    def reach(self) -> int:
        """How many codes further away a code still changes pixels: one for each 3 × 3 convolution of the decoder."""
        return 1 + self.depth

    def encode(self, x: Tensor) -> Tensor:
        """z_e: images (B, C, H, W) in [0, 1] → (B, h, w, D)."""
        z: Tensor = self.encoder(x - 0.5)
        return z.permute(0, 2, 3, 1)

    def decode(self, values: Tensor) -> Tensor:
        """x̂: vectors (B, h, w, D) of any h, w → (B, C, h·patch, w·patch), about [0, 1]."""
        pixels: Tensor = self.decoder(values.permute(0, 3, 1, 2))
        return pixels + 0.5

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Quantised]:
        """(B, C, H, W) → x̂ of the same shape, z_e (B, h, w, D), and what the quantiser makes of it."""
        z = self.encode(x)
        found = self.quantiser(z)
        return self.decode(found.values), z, found

    @torch.no_grad()
    def codes(self, x: Tensor) -> Tensor:
        """Code maps, in blocks that bound the memory: (B, C, H, W) in [0, 1] → (B, h, w) int64."""
        found = [self.quantiser.nearest(self.encode(block)) for block in x.split(_BATCH)]
        return torch.cat(found) if found else torch.empty((0, *self.grid), dtype=torch.long, device=x.device)

    @torch.no_grad()
    def decode_codes(self, codes: Tensor) -> Tensor:
        """Images of code maps of any size: (B, h, w) int64 → (B, C, h·patch, w·patch), clipped to [0, 1]."""
        found = [self.decode(self.quantiser.lookup(block)).clamp(0, 1) for block in codes.split(_BATCH)]
        if found:
            return torch.cat(found)
        height, width = (side * self.patch for side in codes.shape[1:])
        return torch.empty(0, self.shape[0], height, width, device=codes.device)


def require_patch(shape: tuple[int, int, int], patch: int) -> None:
    """Raise DataError, in a sentence, unless the image's sides are multiples of the patch."""
    _, height, width = shape
    if height % patch or width % patch:
        raise DataError(
            f"Images of {height} × {width} pixels are not cut into patches of {patch} × {patch}: "
            f"both sides must be multiples of {patch}."
        )
