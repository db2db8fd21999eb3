"""Grey images as binary ones: what a Bernoulli decoder is trained on and measured with.

Drawn: each pixel is 1 with its grey value's chance (Salakhutdinov & Murray 2008), in training images anew in every
step, in held-out ones once and for all from a fixed seed, so that an ELBO is one number. Cut: 1 from ½ on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from dgm_core.data.images import ImageSet, load
from dgm_core.errors import DataError

Binarised = Literal["drawn", "cut"]

_SEED = 20_250_413
PICTURED = 10
"""Images that a training is watched on."""


class BinaryBatches:
    """Endless batches, with replacement, binarised anew.

    Args:
        grey: (P, D) in [0, 1], on the device of the training.
        size: B.
        generator: on that device; its state is all that a resumed training needs.
    """

    def __init__(self, grey: Tensor, size: int, generator: torch.Generator) -> None:
        self.grey, self.generator = grey, generator
        self.index = torch.empty(size, dtype=torch.long, device=grey.device)
        self.noise = torch.empty(size, grey.shape[1], device=grey.device)

    def draw(self) -> Tensor:
        """(B, D), 0 or 1."""
        chosen = self.grey[self.index.random_(len(self.grey), generator=self.generator)]
        return (self.noise.uniform_(generator=self.generator) < chosen).to(chosen.dtype)


@dataclass(frozen=True, eq=False)
class BinaryImages:
    """A data set as the discrete VAE sees it.

    Args:
        name: of the data set.
        shape: (C, H, W); D = C H W.
        train: the chances of a 1, (P, D) float32 in [0, 1]; 0 or 1 where they are cut.
        mean: (D,), the chance of a 1 in each pixel, (Σ grey + ½) / (P + 1), which is never 0 or 1.
        test: held-out grey values, (M, D).
        held_out: the same binarised, (M, D), 0 or 1.
        pictured: `PICTURED` indices into the held-out ones, one of each class where there are ten.
    """

    name: str
    shape: tuple[int, int, int]
    train: Tensor
    mean: Tensor
    test: Tensor
    held_out: Tensor
    pictured: Tensor

    def as_bytes(self, values: Tensor) -> np.ndarray:
        """Values in [0, 1], (…, D), as images (…, C, H, W) uint8."""
        return as_bytes(values, self.shape)


def as_bytes(values: Tensor, shape: tuple[int, int, int]) -> np.ndarray:
    """Values in [0, 1], (…, D), as images (…, C, H, W) uint8, rounded."""
    image: np.ndarray = (values * 255).round().clamp(0, 255).to(torch.uint8).unflatten(-1, shape).cpu().numpy()
    return image


def binarise(grey: Tensor, seed: int) -> Tensor:
    """Each pixel 1 with the chance of its grey value: (…) in [0, 1] → the same shape, 0 or 1, the same for a seed."""
    noise = torch.rand(grey.shape, generator=torch.Generator().manual_seed(seed))
    return (noise.to(grey.device) < grey).to(grey.dtype)


def cut(grey: Tensor) -> Tensor:
    """1 where the grey value is ½ or more, else 0: (…) → (…)."""
    return (grey >= 0.5).to(grey.dtype)


def binary_images(name: str, data: str = "", binarised: Binarised = "drawn") -> BinaryImages:
    """A data set by its name, `dgm_core.data.images.load`.

    Args:
        name: of the set.
        data: the shelf's key of one's own images.
        binarised: how; cut images are grey values of 0 and 1, which drawing leaves as they are.

    Raises:
        DataError: when it is not there or has too few images, with one plain sentence.
    """
    return _prepared(load(name, data), binarised)


@lru_cache(maxsize=3)
def _prepared(images: ImageSet, binarised: Binarised) -> BinaryImages:
    train, test = images.floats("train").flatten(1), images.floats("test").flatten(1)
    if len(test) < 2:
        raise DataError(f"{len(train) + len(test)} images are too few: 8 or more are needed, some of them held out.")
    if binarised == "cut":
        train, held_out = cut(train), cut(test)
    else:
        held_out = binarise(test, _SEED)
    mean = ((train.double().sum(0) + 0.5) / (len(train) + 1)).float()
    chosen = _one_of_each(images.labels("test"), test)
    return BinaryImages(images.name, images.shape, train, mean, test, held_out, chosen)


def _one_of_each(labels: Tensor | None, test: Tensor) -> Tensor:
    """The first held-out image of each of ten classes, or the first ten images."""
    firsts = [] if labels is None else [int((labels == label).nonzero()[0]) for label in labels.unique().tolist()]
    if len(firsts) != PICTURED:
        firsts = list(range(min(PICTURED, len(test))))
    return torch.tensor(firsts)
