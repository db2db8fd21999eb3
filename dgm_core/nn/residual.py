"""The residual block of encoders, decoders and of what tells one level of codes about another."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Residual(nn.Module):
    """x + W₁ relu(W₃ relu(x)), a 3 × 3 convolution to half as many channels and a 1 × 1 one back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.across = nn.Conv2d(width, width // 2, 3, padding=1)
        self.back = nn.Conv2d(width // 2, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, h, w) → the same shape."""
        return x + self.back(F.relu(self.across(F.relu(x))))


def draw_convolutions(modules: Iterable[nn.Module], generator: torch.Generator | None = None) -> None:
    """He's initialisation (He et al. 2015), biases 0; residual blocks start as the identity."""
    blocks: list[Residual] = []
    for module in modules:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        if isinstance(module, Residual):
            blocks.append(module)
    for block in blocks:
        nn.init.zeros_(block.back.weight)
