"""What a discrete VAE is measured by, all in nats: the ELBO's parts, hard and relaxed, and bounds beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_core.gumbel.noise import sample_gumbel, winner
from dgm_core.gumbel.relaxation import relax
from dgm_core.gumbel.vae import CategoricalVAE, bernoulli_log_prob

ROWS = 4_096
"""Rows that go through the decoder at once."""


def kl_to_uniform(logits: Tensor) -> Tensor:
    """KL(q ‖ p) = Σ_n (log K − H(q_n)) of N categoricals to the uniform prior, in closed form; 0 ≤ KL ≤ N log K.

    Args:
        logits: (…, N, K), finite.

    Returns:
        (…), in nats.

    Example:
        >>> kl_to_uniform(torch.zeros(2, 3, 5)).abs().max() < 1e-6
        tensor(True)
    """
    log_q = logits.log_softmax(-1)
    return (log_q.exp() * log_q).sum((-2, -1)) + logits.shape[-2] * math.log(logits.shape[-1])


@dataclass(frozen=True)
class Bound:
    """The ELBO's parts for each of B images.

    Args:
        hard: E_q log p(x|z) over hard codes, estimated without bias, (B,).
        soft: the same over relaxed codes, (B,); hard and soft come from the same Gumbel noise.
        kl: in closed form, (B,). The relaxed ELBO is the one of Jang et al. 2017: the categorical's KL, no bound.
    """

    hard: Tensor
    soft: Tensor
    kl: Tensor

    def figures(self) -> dict[str, float]:
        """Means over the images with standard errors.

        ``elbo`` and ``elbo_relaxed``, ``reconstruction`` (hard), ``kl``, and ``gap``, relaxed minus hard.
        """
        elbo, relaxed, gap = self.hard - self.kl, self.soft - self.kl, self.soft - self.hard
        return {
            "elbo": float(elbo.mean()), "elbo_error": standard_error(elbo),
            "elbo_relaxed": float(relaxed.mean()), "relaxed_error": standard_error(relaxed),
            "reconstruction": float(self.hard.mean()), "kl": float(self.kl.mean()),
            "gap": float(gap.mean()), "gap_error": standard_error(gap),
        }  # fmt: skip


@torch.no_grad()
def bound(model: CategoricalVAE, x: Tensor, tau: float, samples: int, generator: torch.Generator) -> Bound:
    """The ELBO of each image by Monte Carlo over codes, hard and relaxed.

    Args:
        model: any.
        x: (B, D), 0 or 1.
        tau: of the relaxed codes; 0 makes them hard.
        samples: codes drawn for an image.
        generator: on the model's device.
    """
    parts = []
    for block in x.split(max(1, ROWS // samples)):
        logits = model.encode(block)
        perturbed = logits + sample_gumbel((samples, *logits.shape), generator=generator, device=logits.device)
        hard = winner(perturbed)[1]
        soft = relax(perturbed, tau) if tau > 0 else hard
        parts.append((
            model.log_likelihood(block, hard.flatten(0, 1)).view(samples, -1).double().mean(0),
            model.log_likelihood(block, soft.flatten(0, 1)).view(samples, -1).double().mean(0),
            kl_to_uniform(logits.double()),
        ))  # fmt: skip
    hard_all, soft_all, kl = (torch.cat(column) for column in zip(*parts, strict=True))
    return Bound(hard_all, soft_all, kl)


@torch.no_grad()
def importance_bound(model: CategoricalVAE, x: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """log (1/S) Σ_s p(x, z_s) / q(z_s|x), z_s ~ q: a tighter lower bound of log p(x) (Burda et al. 2016, eq. 8).

    Args:
        model: any.
        x: (B, D), 0 or 1.
        samples: S.
        generator: on the model's device.

    Returns:
        (B,) float64, in nats.
    """
    found = []
    for block in x.split(max(1, ROWS // samples)):
        logits = model.encode(block)
        z = winner(logits + sample_gumbel((samples, *logits.shape), generator=generator, device=logits.device))[1]
        log_q = (z * logits.log_softmax(-1)).sum((-2, -1))
        log_weights = model.log_likelihood(block, z.flatten(0, 1)).view(samples, -1) - log_q
        found.append(log_weights.double().logsumexp(0))
    return torch.cat(found) - math.log(samples) - model.latents * math.log(model.categories)


def independent_bernoulli(x: Tensor, mean: Tensor) -> Tensor:
    """log p(x) of independent pixels with these means, the model without a code: x (B, D), mean (D,) → (B,) float64."""
    return bernoulli_log_prob(x.double(), mean.double().logit())


def standard_error(values: Tensor) -> float:
    """Of the mean of independent values, (N,) with N ≥ 2."""
    return float(values.double().std()) / math.sqrt(len(values))
