"""How many of the codes are used, and how evenly."""

from __future__ import annotations

import torch
from torch import Tensor


def code_counts(indices: Tensor, codes: int) -> Tensor:
    """How often each code occurs.

    Args:
        indices: any shape, int64, 0…K−1.
        codes: K.

    Returns:
        (K,) int64.
    """
    return torch.bincount(indices.reshape(-1), minlength=codes)


def perplexity(counts: Tensor) -> float:
    """exp H, H = −Σ_k p_k log p_k with p the counts' shares: K for codes used evenly, 1 for a single one, 0 for none.

    Of a batch it is at most the batch's vectors, so it depends on the batch; of a whole set it does not: say which.

    Args:
        counts: (K,), 0 or more.

    Example:
        >>> round(perplexity(torch.tensor([5, 5, 5, 5])), 6), perplexity(torch.tensor([7, 0]))
        (4.0, 1.0)
    """
    total = float(counts.sum())
    if total == 0:
        return 0.0
    shares = counts[counts > 0].double() / total
    return float((-(shares * shares.log()).sum()).exp())


def share_used(counts: Tensor) -> float:
    """The share of codes that occur at all.

    Example:
        >>> share_used(torch.tensor([3, 0, 1, 0]))
        0.5
    """
    return float((counts > 0).double().mean())
