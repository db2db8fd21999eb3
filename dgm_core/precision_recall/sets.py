"""Any set by a short name: a half of an image set, samples of a trained model, people's own images or numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from dgm_core import sources
from dgm_core.data.images import INFO, load
from dgm_core.data.shelf import images_of
from dgm_core.errors import DataError
from dgm_core.generators import ImageGenerator
from dgm_core.precision_recall import vectors

PATTERN = r"^(set|zoo|run|own|vectors):[A-Za-z0-9_-]{1,80}$"
"""``set:digits-train`` or ``-test``, ``zoo:NAME`` or ``run:ID`` of a model of images, ``own:KEY``, ``vectors:KEY``."""


def load_set(name: str, most: int, seed: int) -> Tensor:
    """A set, at most so many of it, drawn without repeating where there are more.

    Args:
        name: see `PATTERN`.
        most: N at most; how many samples a model makes.
        seed: of the choice.

    Returns:
        (N, C, H, W) float32 in [0, 1], images; or (N, D) float32, numbers.

    Raises:
        DataError: when there is no such set, with one plain sentence.

    Example:
        >>> load_set("set:digits-test", 10, seed=0).shape
        torch.Size([10, 1, 8, 8])
    """
    kind, _, rest = name.partition(":")
    if kind in ("zoo", "run"):
        return _samples(name, most, seed)
    if kind == "vectors":
        array = vectors.get(rest)
        return torch.from_numpy(array[_chosen(len(array), most, seed)])
    images = images_of(rest) if kind == "own" else _half(rest)
    return torch.from_numpy(images[_chosen(len(images), most, seed)].astype(np.float32)).div_(255)


def _half(name: str) -> np.ndarray:
    title, _, split = name.rpartition("-")
    if title not in INFO or title == "own" or split not in ("train", "test"):
        raise DataError(f"There is no half “{name[:40]}” of an image set; write such as digits-train or digits-test.")
    return load(title).images(split)  # type: ignore[arg-type]


def _chosen(count: int, most: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).permutation(count)[:most])


@torch.no_grad()
def _samples(name: str, count: int, seed: int) -> Tensor:
    """Images that a trained model draws from its own law."""
    declaration, model = sources.load(name)
    generator = torch.Generator().manual_seed(seed)
    if isinstance(declaration, ImageGenerator):
        drawn = declaration.generate(model, count, declaration.knob.plain, generator)
        return torch.from_numpy(drawn.copy()).float().div_(255)
    return _decoded(name, declaration, model, count, generator)


def _decoded(name: str, declaration: Any, model: Any, count: int, generator: torch.Generator) -> Tensor:
    """Images that a trained discrete VAE makes from uniform codes: the mean of p(x|z)."""
    shape = INFO[str(getattr(declaration, "dataset", "own"))].shape
    if not hasattr(model, "decode_codes") or not hasattr(model, "latents") or shape is None:
        raise DataError(f"{name} makes no images from codes; choose a discrete VAE or a prior of code maps.")
    codes = torch.randint(model.categories, (count, model.latents), generator=generator)
    images: Tensor = model.decode_codes(codes).sigmoid()
    return images.reshape(count, *shape)
