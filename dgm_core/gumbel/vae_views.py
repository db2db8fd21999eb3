"""What a page asks about a trained discrete VAE: codes, reconstructions, samples, curves. All fast, all arrays."""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_core.gumbel.elbo import one_hot_argmax
from dgm_core.gumbel.noise import sample_gumbel


def relax(logits: Tensor, tau: float, seed: int) -> tuple[Tensor, Tensor]:
    """Hard codes and, from the same Gumbel noise, relaxed ones at τ.

    Args:
        logits: (B, N, K).
        tau: 0 gives the hard ones twice.
        seed: the same seed, the same noise, whatever τ is.

    Returns:
        Two tensors (B, N, K).
    """
    noise = sample_gumbel(logits.shape, generator=torch.Generator().manual_seed(seed)).to(logits)
    hard = one_hot_argmax(logits + noise)
    return hard, ((logits + noise) / tau).softmax(-1) if tau > 0 else hard
