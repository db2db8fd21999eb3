"""A small causal transformer over codes, with keys and values kept while it draws."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dgm_core.nn.code_model import CodeModel


class Block(nn.Module):
    """x + attention(norm x), then x + feed-forward(norm x).

    Args:
        width: channels, a multiple of ``heads``.
        heads: of the attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_qkv, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, C) → the same shape; place t sees places 1…t."""
        q, k, v = self.split(x)
        x = x + self.merge(self.join(F.scaled_dot_product_attention(q, k, v, is_causal=True)))
        return self.feed(x)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (B, heads, L, C / heads)."""
        parts = self.to_qkv(self.before(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return parts[0], parts[1], parts[2]

    @staticmethod
    def join(found: Tensor) -> Tensor:
        """(B, heads, L, C / heads) → (B, L, C)."""
        return found.transpose(1, 2).flatten(2)

    def feed(self, x: Tensor) -> Tensor:
        """The second half."""
        return x + self.narrow(F.gelu(self.widen(self.between(x))))


class CausalTransformer(CodeModel):
    """The law of code maps by attention to all earlier codes.

    The input at place t is the code at t − 1 (at the first place a start vector), what is learned of place t, and the
    context there.

    Args:
        codes: K.
        grid: (h, w).
        width: channels.
        depth: blocks.
        heads: of each attention.
        context: channels of features that the law may depend on; 0 for none.
        generator: draws the first weights.

    References:
        Attention Is All You Need (Vaswani et al. 2017); Language Models are Unsupervised Multitask Learners (Radford et
        al. 2019), whose order of norms it has.

    Example:
        >>> model = CausalTransformer(16, (4, 4), width=8, depth=1, heads=2)
        >>> model.log_prob(torch.zeros(3, 4, 4, dtype=torch.long)).shape, model.sample(2).shape
        (torch.Size([3]), torch.Size([2, 4, 4]))
    """

    def __init__(
        self, codes: int, grid: tuple[int, int], *, width: int = 64, depth: int = 3, heads: int = 4,
        context: int = 0, generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__(codes, grid, context)
        if width % heads:
            raise ValueError(f"A width of {width} is not shared out among {heads} heads.")
        self.embedding = nn.Embedding(codes, width)
        self.start = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.zeros(1, self.length, width))
        self.heads = heads
        self.condition = nn.Linear(context, width) if context else None
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, codes)
        _draw(self, generator)

    def embed(self, codes: Tensor) -> Tensor:
        """(B, h, w) int64 → (B, L, C)."""
        found: Tensor = self.embedding(codes.flatten(1))
        return found

    def logits(self, codes: Tensor, context: Tensor | None = None) -> Tensor:
        """See `CodeModel`."""
        return self.logits_of(self.embed(codes), context)

    def logits_of(self, embedded: Tensor, context: Tensor | None = None) -> Tensor:
        """The conditionals as a function of embedded codes: (B, L, C) → (B, h, w, K)."""
        earlier = torch.cat([self.start.expand(len(embedded), -1, -1), embedded[:, :-1]], 1)
        x = earlier + self.placed(context)
        for block in self.blocks:
            x = block(x)
        found: Tensor = self.head(self.norm(x))
        return found.unflatten(1, self.grid)

    def placed(self, context: Tensor | None) -> Tensor:
        """What is known of each place whatever the codes are: (B or 1, L, C)."""
        if self.condition is None:
            return self.places
        if context is None:
            raise ValueError(f"This model needs a context of {self.context} channels.")
        return self.places + self.condition(context.flatten(2).transpose(1, 2))

    def walk(self, n: int, context: Tensor | None = None) -> CachedWalk:
        """See `CodeModel`."""
        return CachedWalk(self, n, context)


class CachedWalk:
    """A way through n maps that attends from one place at a time, to keys and values that are kept.

    Args:
        model: the law, in evaluation mode.
        n: maps.
        context: (n, channels, h, w).
    """

    def __init__(self, model: CausalTransformer, n: int, context: Tensor | None) -> None:
        self.model, self.place = model, 0
        self.known = model.placed(context).detach()
        size = model.start.shape[-1]
        shape = (n, model.heads, model.length, size // model.heads)
        self.keys = [model.start.new_empty(shape) for _ in model.blocks]
        self.values = [model.start.new_empty(shape) for _ in model.blocks]
        self.input = model.start.detach().expand(n, 1, size)

    def logits(self) -> Tensor:
        """See `dgm_core.nn.code_model.Walk`."""
        x, t = self.input + self.known[:, self.place : self.place + 1], self.place
        for block, keys, values in zip(self.model.blocks, self.keys, self.values, strict=True):
            assert isinstance(block, Block)
            q, keys[:, :, t : t + 1], values[:, :, t : t + 1] = block.split(x)
            found = F.scaled_dot_product_attention(q, keys[:, :, : t + 1], values[:, :, : t + 1])
            x = block.feed(x + block.merge(block.join(found)))
        last: Tensor = self.model.head(self.model.norm(x))
        return last[:, 0]

    def take(self, codes: Tensor) -> None:
        """See `dgm_core.nn.code_model.Walk`."""
        self.input = self.model.embedding(codes).unsqueeze(1)
        self.place += 1

    def follow(self, rows: Tensor) -> None:
        """See `dgm_core.nn.code_model.Walk`."""
        self.keys, self.values = ([kept[rows] for kept in each] for each in (self.keys, self.values))
        self.input = self.input[rows]
        if len(self.known) > 1:
            self.known = self.known[rows]


def _draw(model: CausalTransformer, generator: torch.Generator | None) -> None:
    """Weights of variance 1 / fan-in, biases 0; branches and the head start at 0, where the law is uniform."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5, generator=generator)
            nn.init.zeros_(module.bias)
    for block in model.blocks:
        assert isinstance(block, Block)
        nn.init.zeros_(block.merge.weight)
        nn.init.zeros_(block.narrow.weight)
    nn.init.normal_(model.embedding.weight, std=0.5, generator=generator)
    nn.init.normal_(model.places, std=0.5, generator=generator)
    nn.init.zeros_(model.head.weight)
