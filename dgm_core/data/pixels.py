"""Pixels as bytes and as numbers in [0, 1], how much they vary, and how well they come back."""

from __future__ import annotations

import math

from torch import Tensor, uint8


def as_floats(images: Tensor) -> Tensor:
    """Bytes as numbers in [0, 1]: uint8 → float32 of the same shape."""
    return images.float().div_(255)


def as_bytes(values: Tensor) -> Tensor:
    """Brightness in [0, 1] as bytes, rounded: any shape → the same, uint8 on the CPU.

    Example:
        >>> import torch
        >>> as_bytes(torch.tensor([-1.0, 0.5, 1.0])).tolist()
        [0, 128, 255]
    """
    return (values * 255).round().clamp(0, 255).to(uint8).cpu()


def variance(images: Tensor) -> float:
    """The variance of all pixels in [0, 1], at most 2,000 images looked at: (N, C, H, W) uint8 → a number."""
    return float(as_floats(images[:2_000]).var(correction=0))


def psnr(mse: float) -> float:
    """Peak signal-to-noise ratio in dB, of pixels in [0, 1]; at most 100 where nothing is lost.

    Example:
        >>> round(psnr(0.01), 6)
        20.0
    """
    return -10 * math.log10(max(mse, 1e-10))
