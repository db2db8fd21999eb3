"""A target: a law in the plane that can be sampled, with its density and entropy where these are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

Extent = tuple[float, float, float, float]

EXTENT: Extent = (-4.5, 4.5, -4.5, 4.5)
"""The window that all targets share; it holds all of their mass but 1e-4."""

COARSE, FINER = 96, (3, 4)
"""Cells along each axis of the entropy's coarse lattice, and the two factors by which it is refined."""


BLOCK = 65_536
"""Numbers in one intermediate array: few enough to stay in a core's cache."""


@dataclass(frozen=True)
class Target:
    """A law on R², its coordinates roughly standardised.

    Args:
        name: the word that links and command lines use.
        title: what the screen calls it.
        draw: n and a generator → n independent points, (n, 2), any floating type.
        log_prob: points (N, 2) → log-densities (N,) in nats, in the points' type and on their device; −∞ off the
            support. None where the density is not known.
        exact_entropy: the entropy in nats where it is known in closed form.
        extent: (xmin, xmax, ymin, ymax), a window that holds all but a trace of the mass.

    Example:
        >>> square = Target("square", "Square", lambda n, g: torch.rand(n, 2, generator=g), exact_entropy=0.0)
        >>> square.sample(5, seed=1).shape, square.entropy, square.entropy_error
        (torch.Size([5, 2]), 0.0, 0.0)
    """

    name: str
    title: str
    draw: Callable[[int, torch.Generator], Tensor]
    log_prob: Callable[[Tensor], Tensor] | None = None
    exact_entropy: float | None = None
    extent: Extent = EXTENT

    def sample(self, n: int, seed: int | torch.Generator = 0) -> Tensor:
        """Independent points.

        Args:
            n: how many.
            seed: the same seed gives the same points; a CPU generator is advanced, so a training can go on drawing.

        Returns:
            (n, 2) float32 on the CPU.
        """
        generator = seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(seed)
        return self.draw(n, generator).float()

    @property
    def entropy(self) -> float | None:
        """−E log p in nats; None where the density is not known. Found at the first call, then remembered."""
        return self._entropy[0]

    @property
    def entropy_error(self) -> float:
        """How far `entropy` may be off, in nats: 0 where it is exact, else the quadrature's error."""
        return self._entropy[1]

    @cached_property
    def _entropy(self) -> tuple[float | None, float]:
        if self.exact_entropy is not None:
            return self.exact_entropy, 0.0
        if self.log_prob is None:
            return None, 0.0
        coarse, fine = entropies_on_lattice(self.log_prob, self.extent)
        return fine, max(abs(fine - coarse), 1e-9)


def entropies_on_lattice(log_prob: Callable[[Tensor], Tensor], extent: Extent) -> tuple[float, float]:
    """−∫ p log p by the midpoint rule on two lattices over ``extent`` widened by a fifth, in float64.

    For smooth densities that vanish at the border the rule converges faster than any power of the cell's size. Cells of
    a coarse lattice around which p stays 30 nats below its peak are passed over; the others are refined.

    Args:
        log_prob: (N, 2) → (N,), smooth on the scale of ``extent`` / 150.
        extent: a window that holds nearly all of the mass.

    Returns:
        The entropy on a lattice of 288² cells, then of 384²: their difference bounds the second one's error.
    """
    xmin, xmax, ymin, ymax = extent
    steps = torch.tensor([xmax - xmin, ymax - ymin], dtype=torch.float64) * (1.2 / COARSE)
    corner = torch.tensor([xmin + xmax, ymin + ymax], dtype=torch.float64) / 2 - steps * (COARSE / 2)
    ticks = torch.arange(COARSE, dtype=torch.float64)
    cells = torch.cartesian_prod(ticks, ticks)
    with torch.no_grad():
        rough = log_prob(corner + steps * (cells + 0.5)).reshape(1, 1, COARSE, COARSE)
        nearby = torch.nn.functional.max_pool2d(rough, 3, stride=1, padding=1).flatten()
        kept = cells[nearby > nearby.max() - 30]
        entropies = []
        for factor in FINER:
            middles = (torch.arange(factor, dtype=torch.float64) + 0.5) / factor
            fine = kept[:, None] + torch.cartesian_prod(middles, middles)
            # xlogy(p, p) is 0 where p is 0.
            p = log_prob((corner + steps * fine).reshape(-1, 2)).exp()
            entropies.append(-float(torch.special.xlogy(p, p).sum() * steps.prod() / factor**2))
    return entropies[0], entropies[1]


def gaussian_mixture_log_prob(x: Tensor, centres: Tensor, log_weights: Tensor, sigma: float) -> Tensor:
    """log Σ_k w_k N(x; c_k, σ² I) for points in the plane.

    Differences are squared, not expanded: float32 would lose 1e-4 nats to |x|² − 2 x·c + |c|². Blocks of rows stay in
    cache.

    Args:
        x: points, (N, 2).
        centres: (K, 2).
        log_weights: log w_k, (K,).
        sigma: the common standard deviation.

    Returns:
        (N,) in x's type, differentiable in x.
    """
    centres, log_weights = centres.to(x), log_weights.to(x) - math.log(2 * math.pi * sigma**2)
    scaled_centres, blocks = centres / (math.sqrt(2) * sigma), []
    for block in (x / (math.sqrt(2) * sigma)).split(max(1, BLOCK // len(centres))):
        squared = (block[:, :1] - scaled_centres[:, 0]).square() + (block[:, 1:] - scaled_centres[:, 1]).square()
        blocks.append(torch.logsumexp(log_weights - squared, dim=1))
    return torch.cat(blocks) if blocks else x.new_zeros(0)
