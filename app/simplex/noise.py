"""The Gumbel noise of a stage: drawn here, so that the browser's samples can be drawn again in Python."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from app.simplex.settings import CATEGORIES, SAMPLES
from dgm_core.gumbel.noise import sample_gumbel


@lru_cache(maxsize=32)
def stage_noise(seed: int) -> np.ndarray:
    """The noise of a stage with that seed: PyTorch's CPU generator through `dgm_core.gumbel.sample_gumbel`.

    The first n rows are the noise of a cloud of n samples.

    Args:
        seed: of the generator.

    Returns:
        G (5000, 3), float32, read-only.

    Example:
        >>> stage_noise(0).shape, bool((stage_noise(0) == stage_noise(0)).all())
        ((5000, 3), True)
    """
    generator = torch.Generator().manual_seed(seed)
    noise = sample_gumbel((SAMPLES[1], CATEGORIES), generator).numpy()
    noise.setflags(write=False)
    return noise
