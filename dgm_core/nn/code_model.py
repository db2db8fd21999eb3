"""Laws of code maps, one code after the other in raster order: p(c) = Π_t p(c_t | c_1, …, c_{t−1}, context)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn


class Walk(Protocol):
    """A way through n code maps at once, from the first code to the last."""

    def logits(self) -> Tensor:
        """Of the code that is next, (n, K)."""
        ...

    def take(self, codes: Tensor) -> None:
        """Set the code that was next, (n,) int64, and go on."""
        ...

    def follow(self, rows: Tensor) -> None:
        """Go on with the maps of these rows, (n,) int64, each as often as it is named."""
        ...


@dataclass(frozen=True)
class Drawn:
    """Code maps that a model has drawn.

    Args:
        codes: (n, h, w) int64.
        probabilities: what each code was drawn from, after temperature and top-k, (n, h w, K); of a given code, what it
            would have been drawn from. None where they were not kept.
        log_prob: log p of each map under the model itself, at temperature 1, in nats, (n,).
    """

    codes: Tensor
    probabilities: Tensor | None
    log_prob: Tensor


class CodeModel(nn.Module, ABC):
    """A law of maps of h × w codes out of K.

    Args:
        codes: K.
        grid: (h, w).
        context: channels of the features that the law may depend on, (B, channels, h, w); 0 for none.
    """

    def __init__(self, codes: int, grid: tuple[int, int], context: int = 0) -> None:
        super().__init__()
        self.codes, self.grid, self.context = codes, grid, context
        self.length = grid[0] * grid[1]

    @abstractmethod
    def logits(self, codes: Tensor, context: Tensor | None = None) -> Tensor:
        """All conditionals at once: (B, h, w) int64 → (B, h, w, K); none depends on its own code or on a later one."""

    @abstractmethod
    def walk(self, n: int, context: Tensor | None = None) -> Walk:
        """A way through n maps that computes each code's conditional once, keeping what later ones need."""

    def log_prob(self, codes: Tensor, context: Tensor | None = None) -> Tensor:
        """log p(c | context) = Σ_t log p(c_t | earlier codes, context).

        Args:
            codes: (B, h, w) int64, 0…K−1.
            context: (B, channels, h, w), for a model that takes some.

        Returns:
            (B,) nats.
        """
        rows = self.logits(codes, context).log_softmax(-1)
        return rows.gather(-1, codes.unsqueeze(-1)).flatten(1).sum(1)

    def bits(self, codes: Tensor, context: Tensor | None = None) -> Tensor:
        """What it takes to write each map down with this law, −log₂ p: (B, h, w) → (B,) bits."""
        return -self.log_prob(codes, context) / math.log(2)

    def sample(
        self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None, *, top_k: int = 0,
        context: Tensor | None = None, given: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """n maps, (n, h, w) int64; arguments as for `draw`."""
        return self.draw(
            n, temperature, generator, top_k=top_k, context=context, given=given, keep=False
        ).codes  # fmt: skip

    @torch.no_grad()
    def draw(
        self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None, *, top_k: int = 0,
        context: Tensor | None = None, given: Tensor | None = None, cached: bool = True, keep: bool = True,
    ) -> Drawn:  # fmt: skip
        """Draw maps code by code.

        All noise, one uniform number a code, is drawn first: the same generator gives the same noise whatever the
        temperature is, and maps change only where they must.

        Args:
            n: maps.
            temperature: logits are divided by it; 0 takes the likeliest code.
            generator: of the noise, on the CPU.
            top_k: only so many likeliest codes are drawn from; 0: all.
            context: (n, channels, h, w).
            given: (h, w) or (n, h, w) int64, codes to keep where 0 or more; −1 is drawn. What is given counts for codes
                after it only: the law goes in raster order.
            cached: False runs the whole model for every code, for comparison.
            keep: whether to keep the probabilities.

        Raises:
            ValueError: for a negative temperature, or given codes that do not fit.
        """
        require_drawing(temperature, top_k)
        wanted = self.given_codes(given, n)
        device = next((p.device for p in self.parameters()), torch.device("cpu"))
        noise = torch.rand(n, self.length, generator=generator).to(device)
        walk = self.walk(n, context) if cached else FullWalk(self, n, context)
        drawn, kept = torch.empty(n, self.length, dtype=torch.long, device=device), []
        total = torch.zeros((), device=device)
        for t in range(self.length):
            logits = walk.logits()
            probabilities = sharpened(logits, temperature, top_k)
            codes = by_inversion(probabilities, noise[:, t])
            codes = torch.where(wanted[:, t] >= 0, wanted[:, t].clamp_min(0), codes)
            walk.take(codes)
            drawn[:, t] = codes
            total = total + logits.log_softmax(-1).gather(1, codes.unsqueeze(1)).squeeze(1)
            if keep:
                kept.append(probabilities)
        return Drawn(drawn.view(n, *self.grid), torch.stack(kept, 1) if keep else None, total)

    def given_codes(self, given: Tensor | None, n: int) -> Tensor:
        """(n, h w) int64, −1 where nothing is given."""
        device = next((p.device for p in self.parameters()), torch.device("cpu"))
        if given is None:
            return torch.full((n, self.length), -1, device=device)
        if given.shape[-2:] != self.grid or given.ndim not in (2, 3) or (given.ndim == 3 and len(given) != n):
            raise ValueError(f"Given codes are a map of {self.grid[0]} × {self.grid[1]}, or one for each sample.")
        if int(given.max()) >= self.codes or int(given.min()) < -1:
            raise ValueError(f"A given code is 0 to {self.codes - 1}, or −1 where there is none.")
        return given.expand(n, *self.grid).reshape(n, self.length).to(device)


class FullWalk:
    """A way that runs the whole model for every code: what a cache is measured against."""

    def __init__(self, model: CodeModel, n: int, context: Tensor | None = None) -> None:
        device = next((p.device for p in model.parameters()), torch.device("cpu"))
        self.model, self.context, self.place = model, context, 0
        self.codes = torch.zeros(n, model.length, dtype=torch.long, device=device)

    def logits(self) -> Tensor:
        """See `Walk`."""
        maps = self.codes.view(len(self.codes), *self.model.grid)
        return self.model.logits(maps, self.context).flatten(1, 2)[:, self.place]

    def take(self, codes: Tensor) -> None:
        """See `Walk`."""
        self.codes[:, self.place] = codes
        self.place += 1

    def follow(self, rows: Tensor) -> None:
        """See `Walk`."""
        self.codes = self.codes[rows]


def sharpened(logits: Tensor, temperature: float, top_k: int = 0) -> Tensor:
    """Probabilities of logits / temperature, all but the ``top_k`` likeliest codes left out: (n, K) → (n, K).

    Example:
        >>> sharpened(torch.tensor([[0.0, 1.0, 2.0]]), 0.0).tolist()
        [[0.0, 0.0, 1.0]]
    """
    if 0 < top_k < logits.shape[-1]:
        least = logits.topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    return (logits / temperature).softmax(-1)


def by_inversion(probabilities: Tensor, u: Tensor) -> Tensor:
    """The code at which the probabilities' running sum passes u: (n, K), (n,) in [0, 1) → (n,) int64.

    Example:
        >>> by_inversion(torch.tensor([[0.5, 0.0, 0.5]]).expand(3, 3), torch.tensor([0.0, 0.49, 0.51])).tolist()
        [0, 0, 2]
    """
    sums = probabilities.cumsum(-1)
    # the last sum may miss 1 by rounding; a code of probability 0 is never taken
    found = torch.searchsorted(sums, (u.to(sums) * sums[:, -1]).unsqueeze(1), right=True).squeeze(1)
    last = probabilities.shape[-1] - 1 - (probabilities.flip(-1) > 0).to(torch.uint8).argmax(-1)
    return torch.minimum(found, last)


def require_drawing(temperature: float, top_k: int) -> None:
    """Raise ValueError, in a sentence, unless something can be drawn like this."""
    if not (temperature >= 0 and math.isfinite(temperature)):
        raise ValueError(f"A temperature is 0 or more; {temperature} is none.")
    if top_k < 0:
        raise ValueError(f"top-k is a number of codes, or 0 for all; {top_k} is neither.")
