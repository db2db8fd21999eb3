"""The law of all levels' code maps: p(c) = p(c_top) · p(c_next | c_top) ⋯, each level in raster order.

The top level's law is a PixelSNAIL, whose attention is affordable on so few codes; each lower level's is a gated
PixelCNN that is told all codes above (Razavi et al. 2019, section 3.2 and algorithm 2). The lecture's slide has the
attention in the bottom prior; the paper has it in the top one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dgm_core.nn.code_model import CodeModel
from dgm_core.nn.pixelcnn import PixelCNN
from dgm_core.nn.pixelsnail import PixelSNAIL
from dgm_core.nn.residual import Residual

Grid = tuple[int, int]
Codes = Sequence[Tensor]
"""One map a level, top first: (B, h, w) int64 each."""
HEADS = 4


class Above(nn.Module):
    """What the codes above tell a level: embedded, looked at with their neighbours, brought to the level's grid.

    Args:
        codes: K of each level above, top first.
        grids: (h, w) of each level above.
        grid: of the level that is told, a whole multiple of the one above it in both directions alike.
        width: channels.
        depth: residual blocks on each grid.
        generator: draws the first weights.

    Raises:
        ValueError: when a grid is no such multiple.
    """

    def __init__(
        self, codes: Sequence[int], grids: Sequence[Grid], grid: Grid, *, width: int, depth: int,
        generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(k, width) for k in codes)
        self.stacks = nn.ModuleList(
            _stack(width, depth, _factor(this, below)) for this, below in zip(grids, [*grids[1:], grid], strict=True)
        )
        _draw(self, generator)

    def forward(self, above: Codes) -> Tensor:
        """(B, h_j, w_j) int64 of each level above → (B, width, h, w)."""
        found: Tensor | None = None
        for codes, embedding, stack in zip(above, self.embeddings, self.stacks, strict=True):
            here = embedding(codes).permute(0, 3, 1, 2)
            found = stack(here if found is None else here + found)
        assert found is not None
        return found


class HierarchicalLaw(nn.Module):
    """A law a level, and for each lower level one of the same size that is told nothing, to measure what telling saves.

    Args:
        codes: K of each level, top first.
        grids: (h, w) of each level, top first.
        width: channels of every law.
        depth: layers of every law.
        reach: how far a layer sees.
        generator: draws the first weights.

    References:
        Generating Diverse High-Fidelity Images with VQ-VAE-2 (Razavi, van den Oord & Vinyals 2019), section 3.2.

    Example:
        >>> law = HierarchicalLaw((16, 16), ((2, 2), (4, 4)), width=8, depth=1)
        >>> maps = torch.zeros(3, 2, 2, dtype=torch.long), torch.zeros(3, 4, 4, dtype=torch.long)
        >>> law.log_prob(maps).shape, law.alone_log_prob(maps).shape
        (torch.Size([2, 3]), torch.Size([1, 3]))
    """

    def __init__(
        self, codes: Sequence[int], grids: Sequence[Grid], *, width: int = 48, depth: int = 3, reach: int = 2,
        generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.codes, self.grids = tuple(codes), tuple(grids)
        top: CodeModel = PixelSNAIL(
            codes[0], grids[0], width=width, depth=depth, reach=reach, heads=HEADS, generator=generator
        )

        def lower(level: int, context: int) -> PixelCNN:
            return PixelCNN(
                codes[level], grids[level], width=width, depth=depth, reach=reach, context=context, generator=generator
            )

        levels = range(1, len(codes))
        self.above = nn.ModuleList(
            Above(codes[:level], grids[:level], grids[level], width=width, depth=1, generator=generator)
            for level in levels
        )
        self.laws = nn.ModuleList([top, *(lower(level, width) for level in levels)])
        self.alone = nn.ModuleList(lower(level, 0) for level in levels)

    @property
    def levels(self) -> int:
        """How many there are."""
        return len(self.laws)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Codes of each level, top first."""
        return tuple(height * width for height, width in self.grids)

    def law(self, level: int) -> CodeModel:
        """A level's law, 0 the top's; a lower one needs `context`."""
        found = self.laws[level]
        assert isinstance(found, CodeModel)
        return found

    def law_alone(self, level: int) -> CodeModel:
        """The law of a lower level's maps that is told nothing, level ≥ 1."""
        found = self.alone[level - 1]
        assert isinstance(found, CodeModel)
        return found

    def context(self, level: int, codes: Codes) -> Tensor | None:
        """What the maps above tell a level: (B, width, h, w); None at the top.

        Args:
            level: 0 is the top.
            codes: of the levels above at least.
        """
        if level == 0:
            return None
        found: Tensor = self.above[level - 1](codes[:level])
        return found

    def log_prob(self, codes: Codes) -> Tensor:
        """log p(c_l | codes above) of each level, (levels, B) nats; their sum over levels is log p of all codes."""
        return torch.stack([
            self.law(level).log_prob(codes[level], self.context(level, codes)) for level in range(self.levels)
        ])  # fmt: skip

    def alone_log_prob(self, codes: Codes) -> Tensor:
        """log p(c_l) of each lower level by the law that is told nothing: (levels − 1, B) nats."""
        return torch.stack([self.law_alone(level).log_prob(codes[level]) for level in range(1, self.levels)])


def level_names(levels: int) -> tuple[str, ...]:
    """What the levels are called, top first.

    Example:
        >>> level_names(2), level_names(3)
        (('top', 'bottom'), ('top', 'middle', 'bottom'))
    """
    return ("top", "middle", "bottom") if levels == 3 else ("top", "bottom")


def _stack(width: int, depth: int, factor: int) -> nn.Sequential:
    """(B, width, h, w) → (B, width, factor · h, factor · w), each finer place with channels of its own."""
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1), *(Residual(width) for _ in range(depth)), nn.ReLU(),
        nn.Conv2d(width, width * factor**2, 1), nn.PixelShuffle(factor),
    )  # fmt: skip


def _factor(this: Grid, below: Grid) -> int:
    factor = below[0] // this[0]
    if (this[0] * factor, this[1] * factor) != below:
        raise ValueError(f"A grid of {below[0]} × {below[1]} codes is no whole multiple of {this[0]} × {this[1]}.")
    return factor


def _draw(above: Above, generator: torch.Generator | None) -> None:
    """He's initialisation, biases 0; residual blocks start as the identity."""
    for module in above.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, generator=generator)
    for module in above.modules():
        if isinstance(module, Residual):
            nn.init.zeros_(module.back.weight)
