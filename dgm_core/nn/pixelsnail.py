"""A gated PixelCNN that also looks back at all earlier places: causal self-attention after each of its layers.

Convolutions reach a few codes far and are sure of what they see; attention reaches everywhere (Chen et al. 2018). Here
the layers are `dgm_core.nn.pixelcnn`'s own, and the horizontal stack attends: its features at place t know of codes
before t only, so place t may look at places 1…t.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dgm_core.nn.pixelcnn import PixelCNN, PixelWalk


class LookBack(nn.Module):
    """Causal self-attention: what is read at a place is (features, the code before it, what is known of the place).

    Args:
        width: channels C, a multiple of ``heads``.
        heads: of the attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(3 * width)
        self.to_qkv, self.merge = nn.Linear(3 * width, 3 * width), nn.Linear(width, width)

    def forward(self, h: Tensor, previous: Tensor, place: Tensor) -> Tensor:
        """What is added to h: all (B, L, C), place also (1, L, C) → (B, L, C)."""
        q, k, v = self.split(h, previous, place)
        return self.join(F.scaled_dot_product_attention(q, k, v, is_causal=True))

    def split(self, h: Tensor, previous: Tensor, place: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (B, heads, L, C / heads)."""
        read = self.before(torch.cat([h, previous, place.expand_as(h)], -1))
        parts = self.to_qkv(read).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return parts[0], parts[1], parts[2]

    def join(self, found: Tensor) -> Tensor:
        """(B, heads, L, C / heads) → (B, L, C)."""
        merged: Tensor = self.merge(found.transpose(1, 2).flatten(2))
        return merged


class PixelSNAIL(PixelCNN):
    """The law of code maps by gated convolutions with self-attention after every layer.

    Args:
        codes: K.
        grid: (h, w).
        width: channels.
        depth: gated layers, each followed by an attention.
        reach: how far each layer sees; a kernel of 3 has reach 1.
        heads: of each attention.
        context: channels of features that the law may depend on; 0 for none.
        generator: draws the first weights.

    Raises:
        ValueError: when the width is not shared out among the heads.

    References:
        PixelSNAIL: An Improved Autoregressive Generative Model (Chen et al. 2018), section 2.

    Example:
        >>> model = PixelSNAIL(16, (4, 4), width=8, depth=2, heads=2)
        >>> model.log_prob(torch.zeros(3, 4, 4, dtype=torch.long)).shape, model.sample(2).shape
        (torch.Size([3]), torch.Size([2, 4, 4]))
    """

    def __init__(
        self, codes: int, grid: tuple[int, int], *, width: int = 48, depth: int = 3, reach: int = 2, heads: int = 4,
        context: int = 0, generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__(codes, grid, width=width, depth=depth, reach=reach, context=context, generator=generator)
        if width % heads:
            raise ValueError(f"A width of {width} is not shared out among {heads} heads.")
        self.start = nn.Parameter(torch.zeros(1, 1, width))
        self.attentions = nn.ModuleList(LookBack(width, heads) for _ in range(depth))
        _draw(self, generator)

    def logits_of(self, embedded: Tensor, context: Tensor | None = None) -> Tensor:
        """The conditionals as a function of embedded codes: (B, C, h, w) → (B, h, w, K)."""
        v = h = embedded
        place = self.placed(context)
        known, previous = _in_order(place), self.shifted(_in_order(embedded))
        for layer, attention in zip(self.layers, self.attentions, strict=True):
            v, h = layer(v, h, place)
            h = h + attention(_in_order(h), previous, known).transpose(1, 2).unflatten(2, self.grid)
        found: Tensor = self.head(h)
        return found.permute(0, 2, 3, 1)

    def shifted(self, embedded: Tensor) -> Tensor:
        """The code before each place, a start vector before the first: (B, L, C) → the same shape."""
        return torch.cat([self.start.expand(len(embedded), -1, -1), embedded[:, :-1]], 1)

    def walk(self, n: int, context: Tensor | None = None) -> SnailWalk:
        """See `CodeModel`."""
        return SnailWalk(self, n, context)


class SnailWalk(PixelWalk):
    """The PixelCNN's way, with the keys and values of all earlier places kept.

    Args:
        model: the law.
        n: maps.
        context: (n, channels, h, w).
    """

    def __init__(self, model: PixelSNAIL, n: int, context: Tensor | None) -> None:
        super().__init__(model, n, context)
        self.attentions = [attention for attention in model.attentions if isinstance(attention, LookBack)]
        self.flat = _in_order(self.known)
        shape = (n, self.attentions[0].heads, model.length, model.width // self.attentions[0].heads)
        self.keys = [model.start.new_empty(shape) for _ in self.attentions]
        self.values = [model.start.new_empty(shape) for _ in self.attentions]
        self.previous = model.start.detach().expand(n, 1, model.width)

    def after_layer(self, k: int, found: Tensor) -> Tensor:
        """Look back from this place: (n, C) → the same shape."""
        t, attention, keys, values = self.place, self.attentions[k], self.keys[k], self.values[k]
        q, keys[:, :, t : t + 1], values[:, :, t : t + 1] = attention.split(
            found.unsqueeze(1), self.previous, self.flat[:, t : t + 1]
        )
        seen = F.scaled_dot_product_attention(q, keys[:, :, : t + 1], values[:, :, : t + 1])
        return found + attention.join(seen)[:, 0]

    def take(self, codes: Tensor) -> None:
        """See `dgm_core.nn.code_model.Walk`."""
        super().take(codes)
        self.previous = self.model.embedding(codes).unsqueeze(1)

    def follow(self, rows: Tensor) -> None:
        """See `dgm_core.nn.code_model.Walk`."""
        super().follow(rows)
        self.keys, self.values = ([kept[rows] for kept in each] for each in (self.keys, self.values))
        self.previous = self.previous[rows]
        if len(self.flat) > 1:
            self.flat = self.flat[rows]


def _in_order(maps: Tensor) -> Tensor:
    """(B, C, h, w) → (B, h w, C), places in raster order."""
    return maps.flatten(2).transpose(1, 2)


def _draw(model: PixelSNAIL, generator: torch.Generator | None) -> None:
    """Weights of variance 1 / fan-in, biases 0; what the attentions add starts at 0, so this starts as a PixelCNN."""
    for attention in model.attentions:
        assert isinstance(attention, LookBack)
        nn.init.normal_(attention.to_qkv.weight, std=attention.to_qkv.in_features**-0.5, generator=generator)
        nn.init.zeros_(attention.to_qkv.bias)
        nn.init.zeros_(attention.merge.weight)
        nn.init.zeros_(attention.merge.bias)
