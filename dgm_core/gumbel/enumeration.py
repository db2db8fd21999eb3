"""A discrete VAE small enough to sum over all its K^N codes: the ELBO and log p(x) without sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dgm_core.gumbel.elbo import kl_to_uniform
from dgm_core.gumbel.vae import CategoricalVAE, bernoulli_log_prob

MOST_CODES = 1_024


@dataclass(frozen=True)
class Exact:
    """Sums over all codes, for each of B images, in nats, float64.

    Args:
        elbo: Σ_z q(z|x) log p(x|z) − KL, (B,).
        log_prob: log Σ_z p(z) p(x|z), (B,).
        kl_to_posterior: KL(q(z|x) ‖ p(z|x)), summed by its own definition, (B,); elbo + it = log_prob.
    """

    elbo: Tensor
    log_prob: Tensor
    kl_to_posterior: Tensor


def all_codes(latents: int, categories: int) -> Tensor:
    """All K^N codes, (K^N, N) int64, the last latent running fastest.

    Example:
        >>> all_codes(2, 2).tolist()
        [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    return torch.cartesian_prod(*[torch.arange(categories)] * latents).reshape(-1, latents)


@torch.no_grad()
def exact(model: CategoricalVAE, x: Tensor) -> Exact:
    """Sum over every code.

    Args:
        model: with at most `MOST_CODES` codes.
        x: (B, D), 0 or 1.

    Raises:
        ValueError: when there are more codes.
    """
    count = model.categories**model.latents
    if count > MOST_CODES:
        raise ValueError(f"{model.categories}^{model.latents} codes are too many to sum over")
    codes = all_codes(model.latents, model.categories).to(x.device)
    log_odds = model.decode_codes(codes).double()
    likelihood = bernoulli_log_prob(x.double().unsqueeze(1), log_odds)
    logits = model.encode(x).double()
    one_hot = F.one_hot(codes, model.categories).double()
    log_q = logits.log_softmax(-1).flatten(1) @ one_hot.flatten(1).T
    joint = likelihood - math.log(count)
    log_prob = joint.logsumexp(1)
    q = log_q.exp()
    return Exact(
        (q * likelihood).sum(1) - kl_to_uniform(logits), log_prob, (q * (log_q - joint + log_prob[:, None])).sum(1)
    )
