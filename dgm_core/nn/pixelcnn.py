"""A gated PixelCNN over codes: two stacks of convolutions that see earlier codes only, and no blind spot.

The vertical stack sees the rows above, the horizontal one what stands left in its row (van den Oord et al. 2016, figure
2). Kernels are cut to what they may see instead of being masked, so nothing is multiplied by zero.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dgm_core.nn.code_model import CodeModel


class GatedLayer(nn.Module):
    """One layer of both stacks.

    Args:
        width: channels C.
        reach: how far a kernel sees, in codes.
        first: the first layer sees no code of its own place, and has no residual path.
    """

    def __init__(self, width: int, reach: int, *, first: bool) -> None:
        super().__init__()
        self.reach, self.first = reach, first
        here = 0 if first else 1
        self.vertical = nn.Conv2d(width, 2 * width, (reach + here, 2 * reach + 1))
        self.horizontal = nn.Conv2d(width, 2 * width, (1, reach + here))
        self.across = nn.Conv2d(2 * width, 2 * width, 1)
        self.place = nn.Conv2d(width, 2 * width, 1)
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, v: Tensor, h: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) of both stacks, and what is known of each place, (B or 1, C, H, W)."""
        above = self.above(F.pad(v, (self.reach, self.reach, self.reach, 0)))[:, :, : v.shape[2]]
        left = self.horizontal(F.pad(h, (self.reach, 0, 0, 0)))[..., : h.shape[3]]
        found = self.out(gate(left + self.across(above) + self.place(place)))
        return gate(above), found if self.first else h + found

    def above(self, padded: Tensor) -> Tensor:
        """The vertical convolution of rows padded by `reach` on both sides."""
        found: Tensor = self.vertical(padded)
        return found


class PixelCNN(CodeModel):
    """The law of code maps by gated convolutions.

    Args:
        codes: K.
        grid: (h, w).
        width: channels.
        depth: layers.
        reach: how far each layer sees; a kernel of 3 has reach 1.
        context: channels of features that the law may depend on; 0 for none.
        generator: draws the first weights.

    References:
        Conditional Image Generation with PixelCNN Decoders (van den Oord et al. 2016).

    Example:
        >>> model = PixelCNN(16, (4, 4), width=8, depth=2)
        >>> model.log_prob(torch.zeros(3, 4, 4, dtype=torch.long)).shape, model.sample(2).shape
        (torch.Size([3]), torch.Size([2, 4, 4]))
    """

    def __init__(
        self, codes: int, grid: tuple[int, int], *, width: int = 48, depth: int = 4, reach: int = 2, context: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__(codes, grid, context)
        self.width, self.reach = width, reach
        self.embedding = nn.Embedding(codes, width)
        self.places = nn.Parameter(torch.zeros(1, width, *grid))
        self.condition = nn.Conv2d(context, width, 1) if context else None
        self.layers = nn.ModuleList(GatedLayer(width, reach, first=k == 0) for k in range(depth))
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(width, 2 * width, 1), nn.ReLU(), nn.Conv2d(2 * width, codes, 1))
        _draw(self, generator)

    def embed(self, codes: Tensor) -> Tensor:
        """(B, h, w) int64 → (B, C, h, w)."""
        found: Tensor = self.embedding(codes)
        return found.permute(0, 3, 1, 2)

    def logits(self, codes: Tensor, context: Tensor | None = None) -> Tensor:
        """See `CodeModel`."""
        return self.logits_of(self.embed(codes), context)

    def logits_of(self, embedded: Tensor, context: Tensor | None = None) -> Tensor:
        """The conditionals as a function of embedded codes: (B, C, h, w) → (B, h, w, K)."""
        v = h = embedded
        place = self.placed(context)
        for layer in self.layers:
            v, h = layer(v, h, place)
        found: Tensor = self.head(h)
        return found.permute(0, 2, 3, 1)

    def placed(self, context: Tensor | None) -> Tensor:
        """What is known of each place whatever the codes are: (B or 1, C, h, w)."""
        if self.condition is None:
            return self.places
        if context is None:
            raise ValueError(f"This model needs a context of {self.context} channels.")
        return self.places + self.condition(context)

    def walk(self, n: int, context: Tensor | None = None) -> PixelWalk:
        """See `CodeModel`."""
        return PixelWalk(self, n, context)


class PixelWalk:
    """A way through n maps that convolves each row above once and each place once.

    Args:
        model: the law.
        n: maps.
        context: (n, channels, h, w).
    """

    def __init__(self, model: PixelCNN, n: int, context: Tensor | None) -> None:
        self.model, self.place = model, 0
        height, width = model.grid
        reach, like = model.reach, model.places
        self.known = model.placed(context).detach()
        # what each layer of either stack sees, with a border of zeros
        self.v = [like.new_zeros(n, model.width, height + reach, width + 2 * reach) for _ in model.layers]
        self.h = [like.new_zeros(n, model.width, width + reach) for _ in model.layers]
        self.bias: list[Tensor] = []

    def logits(self) -> Tensor:
        """See `dgm_core.nn.code_model.Walk`."""
        row, column = divmod(self.place, self.model.grid[1])
        if column == 0:
            self._begin_row(row)
        found = self.h[0][..., 0]
        for k, layer in enumerate(self._layers()):
            here = 0 if layer.first else 1
            if not layer.first:
                self.h[k][..., column + layer.reach] = found
            seen = self.h[k][..., column : column + layer.reach + here]
            both = layer.horizontal(seen.unsqueeze(2))[..., 0, 0] + self.bias[k][..., column]
            added: Tensor = layer.out(gate(both)[..., None, None])[..., 0, 0]
            found = self.after_layer(k, added if layer.first else found + added)
        last: Tensor = self.model.head(found[..., None, None])
        return last[..., 0, 0]

    def after_layer(self, k: int, found: Tensor) -> Tensor:
        """What the place's features (n, C) become between layer k and the next; a model that adds something says it."""
        return found

    def take(self, codes: Tensor) -> None:
        """See `dgm_core.nn.code_model.Walk`."""
        row, column = divmod(self.place, self.model.grid[1])
        embedded, reach = self.model.embedding(codes), self.model.reach
        self.v[0][:, :, row + reach, column + reach] = embedded
        self.h[0][:, :, column + reach] = embedded
        self.place += 1

    def follow(self, rows: Tensor) -> None:
        """See `dgm_core.nn.code_model.Walk`."""
        self.v, self.h, self.bias = ([kept[rows] for kept in each] for each in (self.v, self.h, self.bias))
        if len(self.known) > 1:
            self.known = self.known[rows]

    def _begin_row(self, row: int) -> None:
        """The vertical stack of a row, all columns at once, and what it adds to the horizontal one."""
        self.bias = []
        known = self.known[:, :, row : row + 1]
        for k, layer in enumerate(self._layers()):
            self.h[k].zero_()
            rows = slice(row, row + layer.reach + (0 if layer.first else 1))
            above = layer.above(self.v[k][:, :, rows])
            self.bias.append((layer.across(above) + layer.place(known))[:, :, 0])
            if k + 1 < len(self.v):
                reach, width = self.model.reach, self.model.grid[1]
                self.v[k + 1][:, :, row + reach, reach : reach + width] = gate(above)[:, :, 0]

    def _layers(self) -> list[GatedLayer]:
        return [layer for layer in self.model.layers if isinstance(layer, GatedLayer)]


def gate(x: Tensor) -> Tensor:
    """tanh(a) ⊙ σ(b), a and b the halves of x along the channels: (B, 2C, …) → (B, C, …) (equation 2)."""
    a, b = x.chunk(2, 1)
    return torch.tanh(a) * torch.sigmoid(b)


def _draw(model: PixelCNN, generator: torch.Generator | None) -> None:
    """Weights of variance 1 / fan-in, biases 0; the last layer starts at 0, where the law is uniform."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=module.weight[0].numel() ** -0.5, generator=generator)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    nn.init.normal_(model.embedding.weight, generator=generator)
    last = model.head[-1]
    assert isinstance(last, nn.Conv2d)
    nn.init.zeros_(last.weight)
