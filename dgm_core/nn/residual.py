"""The residual block of encoders, decoders and of what tells one level of codes about another."""

from __future__ import annotations

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
