"""Laws of code maps in which no code knows of another: uniform, and one histogram for all places."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dgm_core.nn.code_model import CodeModel
from dgm_core.nn.code_usage import code_counts


class Memoryless(CodeModel):
    """Every code is drawn from the same law; uniform until `count` has seen codes.

    Example:
        >>> model = Memoryless(4, (2, 2))
        >>> model.bits(torch.zeros(1, 2, 2, dtype=torch.long))
        tensor([8.])
    """

    def __init__(self, codes: int, grid: tuple[int, int]) -> None:
        super().__init__(codes, grid)
        self.log_p = nn.Parameter(torch.full((codes,), 1 / codes).log(), requires_grad=False)

    @torch.no_grad()
    def count(self, codes: Tensor) -> None:
        """Take the shares of codes (…) as probabilities, (n_k + ½) / (N + K/2), so that none is impossible."""
        counts = code_counts(codes, self.codes).to(self.log_p) + 0.5
        self.log_p.copy_((counts / counts.sum()).log())

    def logits(self, codes: Tensor, context: Tensor | None = None) -> Tensor:
        """See `CodeModel`."""
        return self.log_p.expand(*codes.shape, self.codes)

    def walk(self, n: int, context: Tensor | None = None) -> MemorylessWalk:
        """See `CodeModel`."""
        return MemorylessWalk(self.log_p.expand(n, self.codes))


class MemorylessWalk:
    """The same conditional at every place.

    Args:
        log_p: (n, K).
    """

    def __init__(self, log_p: Tensor) -> None:
        self.log_p = log_p

    def logits(self) -> Tensor:
        """See `dgm_core.nn.code_model.Walk`."""
        return self.log_p

    def take(self, codes: Tensor) -> None:
        """Nothing is remembered."""

    def follow(self, rows: Tensor) -> None:
        """All maps are alike."""
