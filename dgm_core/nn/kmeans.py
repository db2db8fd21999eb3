"""k-means: where codes start, and what a codebook is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_core.nn.code_usage import code_counts
from dgm_core.nn.nearest import nearest_unchecked

SEEDED = 512
"""Up to so many centres k-means++ chooses the first ones; beyond, where it takes seconds, they are points by chance."""


@dataclass(frozen=True)
class Clusters:
    """What `kmeans` has found.

    Args:
        centres: (K, D).
        indices: (N,) int64, each point's nearest centre.
        distortion: (1/N) Σ_n ‖x_n − c(x_n)‖².
        rounds: how often the centres were moved.
    """

    centres: Tensor
    indices: Tensor
    distortion: float
    rounds: int


def kmeans(points: Tensor, codes: int, generator: torch.Generator | None = None, rounds: int = 50) -> Clusters:
    """Lloyd's algorithm from k-means++ (Arthur & Vassilvitskii 2007), until no point changes its centre.

    A centre that has lost all points moves to the point that is worst served.

    Args:
        points: (N, D) floating, finite.
        codes: K, 1…N.
        generator: of the first centres.
        rounds: at most.

    Raises:
        ValueError: when there are fewer points than centres.

    Example:
        >>> found = kmeans(torch.tensor([[0.0], [1.0], [10.0], [11.0]]), 2)
        >>> sorted(found.centres.flatten().tolist()), found.distortion
        ([0.5, 10.5], 0.25)
    """
    require_enough(points, codes)
    centres = first_centres(points, codes, generator)
    indices = nearest_unchecked(points, centres)
    done = 0
    while done < rounds:
        centres = _means(points, indices, centres)
        done += 1
        moved = nearest_unchecked(points, centres)
        settled = bool((moved == indices).all())
        indices = moved
        if settled:
            break
    return Clusters(centres, indices, distortion(points, centres, indices), done)


def distortion(points: Tensor, centres: Tensor, indices: Tensor) -> float:
    """(1/N) Σ_n ‖x_n − c_{i(n)}‖²."""
    return float((points - centres[indices]).square().sum(1).mean())


def first_centres(points: Tensor, codes: int, generator: torch.Generator | None = None) -> Tensor:
    """Points to start from: (K, D), by k-means++ for up to `SEEDED` centres, else distinct ones by chance."""
    require_enough(points, codes)
    if codes > SEEDED:
        return points[torch.randperm(len(points), generator=generator, device=points.device)[:codes]].clone()
    centres = torch.empty(codes, points.shape[1], dtype=points.dtype, device=points.device)
    nearest = torch.full_like(points[:, 0], torch.inf)
    chosen = torch.randint(len(points), (1,), generator=generator, device=points.device)
    for k in range(codes):
        centres[k] = points[chosen[0]]
        nearest = torch.minimum(nearest, (points - centres[k]).square().sum(1))
        weights = nearest if bool(nearest.sum() > 0) else torch.ones_like(nearest)
        chosen = torch.multinomial(weights, 1, generator=generator)
    return centres


def require_enough(points: Tensor, codes: int) -> None:
    """Raise ValueError, in a sentence, when there are fewer points than codes."""
    if len(points) < codes:
        raise ValueError(f"{codes:,} codes are to start from vectors, but there are {len(points):,} vectors only.")


def _means(points: Tensor, indices: Tensor, centres: Tensor) -> Tensor:
    counts = code_counts(indices, len(centres))
    sums = torch.zeros_like(centres).index_add_(0, indices, points)
    means = sums / counts.clamp_min(1).unsqueeze(1)
    empty = counts == 0
    if bool(empty.any()):
        far = (points - centres[indices]).square().sum(1).topk(int(empty.sum())).indices
        means[empty] = points[far]
    return means
