"""What as many codes do without a network: the best constant colours of patches, and whole patches by k-means."""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_core.data.pixels import as_floats, psnr
from dgm_core.nn.kmeans import kmeans
from dgm_core.nn.nearest import nearest_unchecked

LEARNED_FROM = 16_384
"""Patches that k-means sees."""


def constant_patches(train: Tensor, test: Tensor, patch: int, codes: int, seed: int = 0) -> float:
    """PSNR in dB when each patch becomes one of K constant colours: the same rate, h w log₂ K bits an image.

    Args:
        train: (N, C, H, W) uint8, from which the K colours are found by k-means.
        test: (M, C, H, W) uint8, on which they are measured.
        patch: side of a patch.
        codes: K.
        seed: of the patches and of k-means.
    """
    means, colours = (_patches(images, patch).mean(-1) for images in (test, train))
    centres = kmeans(_some(colours, seed), _at_most(codes, colours), _generator(seed), rounds=10).centres
    coded = centres[nearest_unchecked(means, centres)]
    return psnr(float((_patches(test, patch) - coded.unsqueeze(-1)).square().mean()))


def whole_patches(train: Tensor, test: Tensor, patch: int, codes: int, seed: int = 0) -> float:
    """PSNR in dB of classical vector quantisation: each patch becomes one of K patches, found by k-means."""
    vectors, seen = (_patches(images, patch).flatten(1) for images in (test, train))
    centres = kmeans(_some(seen, seed), _at_most(codes, seen), _generator(seed), rounds=10).centres
    return psnr(float((vectors - centres[nearest_unchecked(vectors, centres)]).square().mean()))


def _patches(images: Tensor, patch: int) -> Tensor:
    """(N, C, H, W) uint8 → (N h w, C, patch²) in [0, 1]."""
    count, channels, height, width = images.shape
    cells = as_floats(images).view(count, channels, height // patch, patch, width // patch, patch)
    return cells.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, patch**2)


def _some(rows: Tensor, seed: int) -> Tensor:
    return rows[torch.randperm(len(rows), generator=_generator(seed))[:LEARNED_FROM]]


def _at_most(codes: int, rows: Tensor) -> int:
    return min(codes, len(rows), LEARNED_FROM)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
