"""What it takes to write code maps down: by a law, by a histogram, by no knowledge at all."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dgm_core.nn.code_model import CodeModel
from dgm_core.nn.memoryless import Memoryless

_BLOCK = 256


@torch.no_grad()
def bits_of(model: CodeModel, maps: Tensor, context: Tensor | None = None) -> Tensor:
    """−log₂ p of each map, in blocks that bound the memory.

    Args:
        model: in evaluation mode.
        maps: (M, h, w) int64.
        context: (M, channels, h, w), for a model that takes some.

    Returns:
        (M,) float64.
    """
    contexts = [None] * -(-len(maps) // _BLOCK) if context is None else context.split(_BLOCK)
    found = [model.bits(block, beside) for block, beside in zip(maps.split(_BLOCK), contexts, strict=True)]
    return torch.cat(found).double()


def mean_and_error(values: Tensor) -> tuple[float, float]:
    """The mean and its standard error, s / √M; the error of a single value is given as 0.

    Example:
        >>> mean_and_error(torch.tensor([1.0, 2.0, 3.0]))
        (2.0, 0.5773502691896258)
    """
    values = values.double()
    error = float(values.std()) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return float(values.mean()), error


def bits_figures(model: CodeModel, maps: Tensor) -> dict[str, float]:
    """Of a law of maps (M, h, w) int64: ``bits``, the mean, ``bits_error``, its standard error, ``bits_per_code``."""
    mean, error = mean_and_error(bits_of(model, maps))
    return {"bits": mean, "bits_error": error, "bits_per_code": mean / model.length}


def baseline_bits(train: Tensor, test: Tensor, codes: int) -> dict[str, float]:
    """Of a held-out map: ``bits_uniform``, h w log₂ K, and ``bits_independent``, by the training maps' histogram.

    Args:
        train: (N, h, w) int64.
        test: (M, h, w) int64.
        codes: K.

    Example:
        >>> maps = torch.zeros(4, 1, 2, dtype=torch.long)
        >>> baseline_bits(maps, maps, 8)["bits_uniform"]
        6.0
    """
    height, width = int(train.shape[1]), int(train.shape[2])
    histogram = Memoryless(codes, (height, width)).to(train.device)
    histogram.count(train)
    return {
        "bits_uniform": height * width * math.log2(codes), "bits_independent": bits_figures(histogram, test)["bits"],
    }  # fmt: skip
