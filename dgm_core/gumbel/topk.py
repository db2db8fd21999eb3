"""The k largest of Gumbel-perturbed logits: a draw without replacement, and its law.

References:
    Yellott, The relationship between Luce's choice axiom, Thurstone's theory of comparative judgment, and the double
    exponential distribution (1977).
    Kool, van Hoof, Welling, Stochastic beams and where to find them (2019): the Gumbel-Top-k trick.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_core.gumbel.noise import sample_gumbel
from dgm_core.gumbel.relaxation import require_drawable


def gumbel_top_k(logits: Tensor, k: int, generator: torch.Generator | None = None) -> Tensor:
    """The indices of the k largest of log π + G, largest first: k categories drawn one after the other, none twice.

    Args:
        logits: (…, K); −∞ where a category cannot be drawn.
        k: from 1 to the number of categories that can be drawn.
        generator: of the noise.

    Returns:
        (…, k), int64.

    Raises:
        ValueError: if k is out of bounds or no category can be drawn.

    Example:
        >>> order = gumbel_top_k(torch.zeros(5, 4), k=2)
        >>> bool((order[:, 0] != order[:, 1]).all())
        True
    """
    require_drawable(logits)
    drawable = int((logits > -torch.inf).sum(-1).min())
    if not 1 <= k <= drawable:
        raise ValueError(f"k has to be from 1 to {drawable}, the number of categories that can be drawn, not {k}.")
    perturbed = logits + sample_gumbel(logits.shape, generator, logits.dtype, logits.device)
    return perturbed.topk(k, dim=-1).indices


def plackett_luce_log_prob(order: Tensor, logits: Tensor) -> Tensor:
    """log P(order) = Σ_i (log π_{o_i} − log Σ_{j not yet drawn} π_j), in nats.

    Args:
        order: (…, k), k different indices, first drawn first.
        logits: (…, K), log π up to a constant.

    Returns:
        (…): −∞ for an order that holds a category that cannot be drawn, or one twice.

    References:
        Plackett, The analysis of permutations (1975).

    Example:
        >>> logits = torch.tensor([0.5, 0.3, 0.2]).log()
        >>> round(plackett_luce_log_prob(torch.tensor([0, 1]), logits).exp().item(), 6)
        0.3
    """
    logits = logits.expand(*order.shape[:-1], logits.shape[-1])
    total = torch.zeros(order.shape[:-1], dtype=logits.dtype, device=logits.device)
    left = logits
    for step in range(order.shape[-1]):
        index = order[..., step : step + 1]
        chosen = left.gather(-1, index)
        rest = torch.logsumexp(left, dim=-1, keepdim=True)
        total = total + torch.where(chosen > -torch.inf, chosen - rest, chosen).squeeze(-1)
        left = left.scatter(-1, index, -torch.inf)
    return total
