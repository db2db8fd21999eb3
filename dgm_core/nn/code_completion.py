"""Completing a map of which any codes are given, also later ones, by sequential importance resampling.

A law in raster order draws a missing code from what stands before it, and knows nothing of given codes that come after.
Here many maps are drawn at once; at each given code a map's weight is multiplied by the chance that the law gives it,
and when few maps carry the weight, maps are drawn anew in proportion to it (Gordon, Salmond & Smith 1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_core.nn.code_model import CodeModel, by_inversion, require_drawing, sharpened


@dataclass(frozen=True)
class Completed:
    """Maps that agree with what was given.

    Args:
        codes: (n, h, w) int64, drawn from the particles by weight.
        log_evidence: an estimate of log p(given codes), in nats; exp of it is unbiased at temperature 1.
        effective: (h w,), how many particles carried the weight after each code, 1 … P.
    """

    codes: Tensor
    log_evidence: float
    effective: Tensor


@torch.no_grad()
def complete(
    model: CodeModel, given: Tensor, n: int = 1, *, particles: int = 64, temperature: float = 1.0, top_k: int = 0,
    generator: torch.Generator | None = None, context: Tensor | None = None,
) -> Completed:  # fmt: skip
    """Draw the missing codes of a map.

    Args:
        model: the law.
        given: (h, w) int64, codes to keep where 0 or more; −1 is drawn.
        n: maps that are wanted, at most ``particles``.
        particles: P, maps that are drawn at once.
        temperature: of the missing codes; weights are the law's own, at temperature 1.
        top_k: of the missing codes; 0 for all.
        generator: of all noise, on the CPU.
        context: (1, channels, h, w), for a model that takes some.

    Raises:
        ValueError: when given codes do not fit, or more maps are wanted than there are particles.

    Example:
        >>> from dgm_core.nn.memoryless import Memoryless
        >>> found = complete(Memoryless(4, (1, 2)), torch.tensor([[-1, 3]]), 2, particles=8)
        >>> found.codes[:, 0, 1].tolist(), round(found.log_evidence, 4)
        ([3, 3], -1.3863)
    """
    require_drawing(temperature, top_k)
    if not 1 <= n <= particles:
        raise ValueError(f"{n} maps are wanted of {particles} particles; 1 to {particles} can be had.")
    wanted = model.given_codes(given, 1)[0]
    shared = None if context is None else context.expand(particles, *context.shape[1:])
    walk = model.walk(particles, shared)
    drawn = torch.zeros(particles, model.length, dtype=torch.long, device=wanted.device)
    weights, evidence, effective = torch.zeros(particles, device=wanted.device), 0.0, []
    for t in range(model.length):
        logits = walk.logits()
        if int(wanted[t]) >= 0:
            codes = wanted[t].expand(particles)
            weights = weights + logits.log_softmax(-1)[:, int(wanted[t])]
        else:
            noise = torch.rand(particles, generator=generator).to(logits)
            codes = by_inversion(sharpened(logits, temperature, top_k), noise)
        drawn[:, t] = codes
        walk.take(codes)
        shares = weights.softmax(0)
        effective.append(1 / shares.square().sum())
        if float(effective[-1]) < particles / 2:
            rows = systematic(shares, particles, generator)
            walk.follow(rows)
            drawn = drawn[rows]
            evidence += float(weights.logsumexp(0)) - float(torch.tensor(particles).log())
            weights = torch.zeros_like(weights)
    evidence += float(weights.logsumexp(0)) - float(torch.tensor(particles).log())
    chosen = drawn[systematic(weights.softmax(0), n, generator)]
    return Completed(chosen.view(n, *model.grid), evidence, torch.stack(effective))


def systematic(shares: Tensor, n: int, generator: torch.Generator | None = None) -> Tensor:
    """n rows in proportion to shares, each as often as n times its share rounded up or down.

    Args:
        shares: (P,), summing to 1.
        n: how many.
        generator: of the one number that is drawn, on the CPU.

    Returns:
        (n,) int64, in a random order.

    Example:
        >>> sorted(systematic(torch.tensor([0.5, 0.0, 0.5]), 4).tolist())
        [0, 0, 2, 2]
    """
    marks = (torch.arange(n) + torch.rand((), generator=generator)) / n
    sums = shares.cumsum(0)
    rows = torch.searchsorted(sums, marks.to(sums) * sums[-1], right=True).clamp_max(len(shares) - 1)
    return rows[torch.randperm(n, generator=generator).to(rows.device)]
