"""What every estimator is: a surrogate whose gradient estimates ∇ E[f(z)], and a few words about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from dgm_core.gumbel.noise import sample_gumbel, winner

Function = Callable[[Tensor], Tensor]
"""f: (R, …, K) → (R,); R is a multiple of the rows of the logits, and row r of z belongs to row r mod B of them."""


class Surrogate(Protocol):
    """(f, logits) → surrogate losses."""

    def __call__(
        self, f: Function, logits: Tensor, *, tau: float | Tensor = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """See `Estimator.__call__`."""


@dataclass(frozen=True)
class Estimator:
    """A way to estimate ∇ E[f(z)], z ~ Categorical(softmax(logits)), from samples.

    Args:
        name: as links and declarations write it.
        title: as a person reads it.
        citation: authors and year.
        unbiased: whether its mean is the gradient, whatever f is.
        evaluations: of f, for one sample.
        uses_tau: whether the temperature changes anything.
        surrogate: does the work; further arguments than the common ones can be fixed by ``functools.partial``.
    """

    name: str
    title: str
    citation: str
    unbiased: bool
    evaluations: int
    uses_tau: bool
    surrogate: Surrogate

    def __call__(
        self, f: Function, logits: Tensor, *, tau: float | Tensor = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """A surrogate for each row: f at the sample by value, an estimate of ∇ E[f(z)] by gradient.

        Args:
            f: (R, …, K) → (R,), differentiable, rows apart from each other. R is B, or 4B with row r of z belonging
                to row r mod B of the logits (leave-one-out).
            logits: (B, …, K); the axes between are independent latents of one row. −∞: never drawn.
            tau: temperature above 0, for those that have one.
            generator: of the samples. Equal seeds give all estimators the same first Gumbels, hence the same
                categories.

        Returns:
            (B,): its gradient with respect to row b of the logits estimates ∇ E[f(z_b)]; its gradient with respect to
            f's own parameters is ∇f at the sample that f was evaluated at.
        """
        return self.surrogate(f, logits, tau=tau, generator=generator)


def perturb(logits: Tensor, generator: torch.Generator | None) -> Tensor:
    """log π + G, (B, …, K), with the gradient of the logits."""
    return logits + sample_gumbel(logits.shape, generator, logits.dtype, logits.device)


def draw(logits: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Categories by the Gumbel-Max trick, as indices (B, …, 1) and one-hot rows (B, …, K)."""
    return winner(perturb(logits.detach(), generator))


def draw_perturbed(logits: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
    """As `draw`, and the perturbed logits (B, …, K) beside them."""
    perturbed = perturb(logits.detach(), generator)
    return (*winner(perturbed), perturbed)


def log_prob(index: Tensor, logits: Tensor) -> Tensor:
    """log P(z = index), summed over the latents of a row: (B, …, 1) and (B, …, K) to (B,)."""
    return torch.log_softmax(logits, -1).gather(-1, index).reshape(len(logits), -1).sum(1)


def path_only(value: Tensor) -> Tensor:
    """Zero going forward, the gradient of ``value`` going back."""
    return value - value.detach()
