"""An image as two or three maps of codes, a coarse one at the top and finer ones below it.

Of the paper (Razavi et al. 2019, section 3.1 and figure 2): features are made from the bottom up, the top is quantised
first, each lower level's vectors are made from its features and from what the levels above it have become, and the
decoder sees all levels. Where the paper puts levels side by side before a convolution of the decoder, here each has a
convolution of its own and they are added, which is the same thing with its weights cut apart; a level goes through
residual blocks before it is brought to the next grid. Ours: a stand-in for levels that are absent, so that the decoder
also answers for the upper levels alone (`Absent`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import torch
from torch import Tensor, nn

from dgm_core.nn.residual import Residual, draw_convolutions
from dgm_core.nn.vector_quantiser import Quantised, VectorQuantizer
from dgm_core.vqvae2.layers import Absent, Descent, require_grids, rise

Codes = tuple[Tensor, ...]
"""One map a level, top first: (B, h, w) int64 each."""

_BATCH = 256


class HierarchicalAutoencoder(nn.Module):
    """x → vectors of each level → nearest codes of each level → x̂.

    Levels are numbered from the top, 0, down to the bottom, L − 1, whose grid is H / patch by W / patch; each level
    above has half as many codes along either side.

    Args:
        shape: (C, H, W) of an image.
        quantisers: of D numbers each, L of them, the top's first.
        patch: side of the pixels' square that one code of the bottom stands for.
        width: channels between the convolutions.
        depth: residual blocks at each level, of the encoder and of the decoder.
        learned_absent: whether the stand-ins of absent levels have a gradient, see `Absent`.
        generator: draws the first weights.

    Raises:
        DataError: when the image's sides are no multiples of patch · 2^(L−1).

    References:
        Generating Diverse High-Fidelity Images with VQ-VAE-2 (Razavi, van den Oord & Vinyals 2019), section 3.1.

    Example:
        >>> quantisers = [VectorQuantizer(16, 4) for _ in range(2)]
        >>> model = HierarchicalAutoencoder((3, 32, 32), quantisers, patch=4, width=8, depth=1)
        >>> top, bottom = model.codes(torch.zeros(2, 3, 32, 32))
        >>> top.shape, bottom.shape, model.decode_codes((top, bottom), upto=1).shape
        (torch.Size([2, 4, 4]), torch.Size([2, 8, 8]), torch.Size([2, 3, 32, 32]))
    """

    def __init__(
        self, shape: tuple[int, int, int], quantisers: Sequence[VectorQuantizer], *, patch: int, width: int,
        depth: int, learned_absent: bool = True, generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        levels = len(quantisers)
        require_grids(shape, patch, levels)
        self.shape, self.patch, self.width, self.depth = shape, patch, width, depth
        self.grids = tuple(
            (shape[1] // patch >> above, shape[2] // patch >> above) for above in reversed(range(levels))
        )
        self.quantisers = nn.ModuleList(quantisers)
        dimensions = [quantiser.dimension for quantiser in quantisers]
        self.rising = nn.ModuleList(rise(shape[0] if at == 0 else width, width, depth, patch if at == 0 else 0)
                                    for at in range(levels))  # fmt: skip
        self.telling = nn.ModuleList(Descent(dimensions[level], width, depth) for level in range(levels - 1))
        self.heads = nn.ModuleList(nn.Conv2d(width if level == 0 else 2 * width, dimensions[level], 1)
                                   for level in range(levels))  # fmt: skip
        self.absent = nn.ModuleList(Absent(dimension, learned_absent) for dimension in dimensions[1:])
        self.falling = nn.ModuleList(Descent(dimensions[level], width, depth) for level in range(levels - 1))
        self.bottom = nn.Conv2d(dimensions[-1], width, 3, padding=1)
        last = nn.Conv2d(width, shape[0] * patch**2, 1)
        self.pixels = nn.Sequential(*(Residual(width) for _ in range(depth)), nn.ReLU(), last, nn.PixelShuffle(patch))
        draw_convolutions(chain.from_iterable(part.modules() for part in self._networks()), generator)
        nn.init.zeros_(last.weight)  # the first image is grey, not noise

    def _networks(self) -> tuple[nn.Module, ...]:
        return self.rising, self.telling, self.heads, self.falling, self.bottom, self.pixels

    @property
    def levels(self) -> int:
        """L."""
        return len(self.grids)

    @property
    def sizes(self) -> tuple[int, ...]:
        """K of each level, top first."""
        return tuple(self.quantiser(level).codes for level in range(self.levels))

    def quantiser(self, level: int) -> VectorQuantizer:
        """A level's quantiser, 0 the top's."""
        found = self.quantisers[level]
        assert isinstance(found, VectorQuantizer)
        return found

    def features(self, x: Tensor) -> list[Tensor]:
        """What the encoder makes of images (B, C, H, W) in [0, 1], from the bottom up: (B, width, h, w), top first."""
        found, here = [], x - 0.5
        for part in self.rising:
            here = part(here)
            found.append(here)
        return found[::-1]

    def outputs(self, features: Tensor, level: int, told: Tensor | None) -> Tensor:
        """A level's vectors, before they are quantised: (B, h, w, D).

        Args:
            features: of that level, (B, width, h, w).
            level: 0 is the top.
            told: what the levels above say, of the same shape as ``features``; None at the top.
        """
        seen = features if told is None else torch.cat([features, told], dim=1)
        found: Tensor = self.heads[level](seen.relu())
        return found.permute(0, 2, 3, 1)

    def tell(self, values: Tensor, level: int, told: Tensor | None) -> Tensor:
        """What a level and those above it say to the next: (B, width, 2h, 2w).

        Args:
            values: the level's codes, (B, h, w, D).
            level: which, not the bottom.
            told: what the level was told itself; None at the top.
        """
        found: Tensor = self.telling[level](values.permute(0, 3, 1, 2), told)
        return found

    def forward(self, x: Tensor) -> tuple[list[Tensor], list[Quantised]]:
        """Encode: (B, C, H, W) → each level's vectors (B, h, w, D), and what its quantiser makes of them."""
        vectors, found, told = [], [], None
        for level, features in enumerate(self.features(x)):
            vectors.append(self.outputs(features, level, told))
            found.append(self.quantiser(level)(vectors[-1]))
            if level + 1 < self.levels:
                told = self.tell(found[-1].values, level, told)
        return vectors, found

    def decode(self, values: Sequence[Tensor]) -> Tensor:
        """x̂ of all levels' vectors, (B, h, w, D) each, top first: (B, C, H, W), about [0, 1]."""
        here = None
        for level, part in enumerate(self.falling):
            here = part(values[level].permute(0, 3, 1, 2), here)
        seen: Tensor = self.bottom(values[-1].permute(0, 3, 1, 2))
        pixels: Tensor = self.pixels(seen if here is None else seen + here)
        return pixels + 0.5

    def kept(self, values: Sequence[Tensor], upto: int | Tensor) -> list[Tensor]:
        """All levels' vectors, those below the first ``upto`` replaced by the level's stand-in.

        Args:
            values: (B, h, w, D) of each level, top first; of levels that are absent only the shape counts.
            upto: how many levels are there, 1…L: a number, or (B,) int64 for each image its own.
        """
        rows = torch.as_tensor(upto, device=values[0].device).view(-1, 1, 1, 1)
        return [values[0], *(
            torch.where(rows > level, values[level], self.stand_in(level).vector) for level in range(1, self.levels)
        )]  # fmt: skip

    @torch.no_grad()
    def codes(self, x: Tensor, given: Sequence[Tensor] = ()) -> Codes:
        """Code maps of images, in blocks that bound the memory.

        Args:
            x: (B, C, H, W) in [0, 1].
            given: maps of the first levels, (B, h, w) int64 each, in place of the images' own: each further level is
                quantised as it is when those are what stands above it.

        Returns:
            One map a level, top first.
        """
        blocks = [self._codes(x[at : at + _BATCH], [codes[at : at + _BATCH] for codes in given])
                  for at in range(0, max(len(x), 1), _BATCH)]  # fmt: skip
        return tuple(torch.cat(level) for level in zip(*blocks, strict=True))

    def _codes(self, x: Tensor, given: Sequence[Tensor]) -> Codes:
        found: list[Tensor] = []
        told = None
        for level, features in enumerate(self.features(x)):
            quantiser = self.quantiser(level)
            found.append(given[level] if level < len(given) else quantiser.nearest(self.outputs(features, level, told)))
            if level + 1 < self.levels:
                told = self.tell(quantiser.lookup(found[-1]), level, told)
        return tuple(found)

    @torch.no_grad()
    def decode_codes(self, codes: Sequence[Tensor], upto: int | None = None) -> Tensor:
        """Images of code maps, clipped to [0, 1].

        Args:
            codes: (B, h, w) int64 of each level, top first; the first ``upto`` are enough.
            upto: how many levels are used, 1 for the top alone; None: all that are given.

        Returns:
            (B, C, H, W).

        Raises:
            ValueError: when there are fewer maps than levels are to be used, or none or too many.
        """
        used = len(codes) if upto is None else upto
        if not 1 <= used <= min(len(codes), self.levels):
            raise ValueError(f"{used} of {self.levels} levels cannot be decoded from {len(codes)} code maps.")
        blocks = zip(*(level.split(_BATCH) for level in codes[:used]), strict=True)
        return torch.cat([self.decode(self.looked_up(block)).clamp(0, 1) for block in blocks])

    def looked_up(self, codes: Sequence[Tensor]) -> list[Tensor]:
        """All levels' vectors for the code maps of the first of them, stand-ins for the others: (B, h, w, D) each."""
        count = len(codes[0])
        there = [self.quantiser(level).lookup(level_codes) for level, level_codes in enumerate(codes)]
        return there + [
            self.stand_in(level).vector.expand(count, *self.grids[level], -1)
            for level in range(len(codes), self.levels)
        ]

    def stand_in(self, level: int) -> Absent:
        """Of a level that is absent, 1 the one below the top."""
        found = self.absent[level - 1]
        assert isinstance(found, Absent)
        return found
