"""Finite scalar quantisation: each of a few numbers is rounded to one of a few levels; nothing is learned.

Its interface is that of `dgm_core.nn.vector_quantiser.VectorQuantizer`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dgm_core.nn.code_gradients import straight_through
from dgm_core.nn.code_usage import code_counts
from dgm_core.nn.vector_quantiser import DECAY, Quantised, Start

LEVELS: dict[int, tuple[int, ...]] = {
    16: (5, 3), 64: (8, 8), 256: (8, 6, 5), 512: (8, 8, 8), 1024: (8, 5, 5, 5), 4096: (7, 5, 5, 5, 5),
}  # fmt: skip
"""About so many codes by these levels, as the paper's table 1 has them."""


def levels_for(codes: int) -> tuple[int, ...]:
    """The levels whose product is nearest to K, in ratio.

    Example:
        >>> levels_for(256), levels_for(3000)
        ((8, 6, 5), (7, 5, 5, 5, 5))
    """
    return min(LEVELS.values(), key=lambda levels: abs(math.log(math.prod(levels) / codes)))


class FiniteScalarQuantizer(nn.Module):
    """K = Π_i L_i codes on a grid.

    Args:
        levels: (L_1, …, L_D), each at least 2.

    References:
        Finite Scalar Quantization: VQ-VAE Made Simple (Mentzer et al. 2023), section 3.

    Example:
        >>> quantise = FiniteScalarQuantizer((3, 2))
        >>> quantise.codes, quantise.vectors().tolist()
        (6, [[-1.0, -1.0], [0.0, -1.0], [1.0, -1.0], [-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    """

    reach: Tensor
    offset: Tensor
    shift: Tensor
    scale: Tensor
    basis: Tensor

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        self.levels, self.codes, self.dimension = tuple(levels), math.prod(levels), len(levels)
        sizes = torch.tensor(levels, dtype=torch.float32)
        offset = torch.where(sizes % 2 == 0, 0.5, 0.0)
        reach = (sizes - 1) * (1 - 1e-3) / 2
        constants = {
            "reach": reach, "offset": offset, "shift": torch.atanh(offset / reach), "scale": (sizes / 2).floor(),
            "basis": torch.tensor([math.prod(levels[:i]) for i in range(len(levels))]),
        }  # fmt: skip
        for name, constant in constants.items():
            self.register_buffer(name, constant, persistent=False)
        self.sizes = nn.Parameter(torch.zeros(self.codes), requires_grad=False)
        """(K,), running means of what each code wins in a batch."""

    def bounded(self, z: Tensor) -> Tensor:
        """f(z) between the outermost levels: tanh(z + shift) reach − offset, which takes 0 to 0; (…, D) → (…, D)."""
        return torch.tanh(z + self.shift) * self.reach - self.offset

    def compared(self, z: Tensor) -> Tensor:
        """What of z is compared with `vectors`: (…, D) → (…, D); rounding takes it to the nearest of them."""
        return self.bounded(z) / self.scale

    def vectors(self) -> Tensor:
        """All codes, (K, D), between −1 and 1; the first number varies fastest."""
        return self.lookup(torch.arange(self.codes, device=self.basis.device))

    def nearest(self, z: Tensor) -> Tensor:
        """Each vector's code: (…, D) → (…) int64."""
        return self._index(self.bounded(z.detach()).round())

    def lookup(self, indices: Tensor) -> Tensor:
        """The codes' vectors: (…) int64 → (…, D)."""
        digits = indices.unsqueeze(-1) // self.basis % torch.tensor(self.levels, device=indices.device)
        return (digits - self.scale) / self.scale

    def forward(self, z: Tensor) -> Quantised:
        """Quantise: z (…, D); the gradient passes the rounding as if it were not there."""
        bounded = self.bounded(z)
        rounded = bounded.detach().round()
        error = F.mse_loss(bounded.detach() / self.scale, rounded / self.scale)
        return Quantised(
            straight_through(bounded, rounded) / self.scale, self._index(rounded), torch.zeros_like(error), error
        )

    @torch.no_grad()
    def observe(self, z: Tensor, indices: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Count who wins; no code ever starts anew: (K,) bool, all False."""
        counts = code_counts(indices, self.codes).to(self.sizes.dtype)
        self.sizes.mul_(DECAY).add_(counts, alpha=1 - DECAY)
        return torch.zeros_like(counts, dtype=torch.bool)

    def start(self, z: Tensor, how: Start, generator: torch.Generator | None = None) -> None:
        """Nothing: the grid stands."""

    def _index(self, rounded: Tensor) -> Tensor:
        return ((rounded + self.scale).long() * self.basis).sum(-1)
