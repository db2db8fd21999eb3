"""All levels' code maps of a trained hierarchy's images: what the priors learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dgm_core import sources
from dgm_core.data.images import ImageSet
from dgm_core.data.pixels import as_floats
from dgm_core.errors import DataError
from dgm_core.nn.threads import alone
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.model import HierarchicalAutoencoder

MOST = 20_000
"""Images whose codes are learned from, at most."""
MOST_HELD_OUT = 2_000


@dataclass(frozen=True, eq=False)
class LayeredMaps:
    """Code maps to learn from and held out, top first.

    Args:
        train: (N, h, w) int64 of each level; row i of all levels is one image.
        test: (M, h, w) int64 of each level.
    """

    train: tuple[Tensor, ...]
    test: tuple[Tensor, ...]

    def to(self, device: torch.device) -> LayeredMaps:
        """The same on a device."""
        return LayeredMaps(tuple(maps.to(device) for maps in self.train), tuple(maps.to(device) for maps in self.test))


def source_model(source: str) -> tuple[VQVAE2, HierarchicalAutoencoder]:
    """The declaration and the trained model of a source.

    Raises:
        DataError: when there is no such model, or it has no levels of codes.
    """
    declaration, model = sources.load(source)
    if not (isinstance(declaration, VQVAE2) and isinstance(model, HierarchicalAutoencoder)):
        raise DataError(f"The model {source} is none with levels of codes; choose one of the page vqvae2.")
    return declaration, model


def layered_maps(model: HierarchicalAutoencoder, images: ImageSet) -> LayeredMaps:
    """Encode a set: the first `MOST` images to learn from, the first `MOST_HELD_OUT` held-out ones."""
    with alone():
        return LayeredMaps(encoded(model, images.train[:MOST]), encoded(model, images.test[:MOST_HELD_OUT]))


def encoded(model: HierarchicalAutoencoder, images: np.ndarray) -> tuple[Tensor, ...]:
    """Code maps of images (N, C, H, W) uint8, top first, (N, h, w) int64 each."""
    blocks = [model.codes(as_floats(block)) for block in torch.tensor(images).split(1_000)]
    return tuple(torch.cat(maps) for maps in zip(*blocks, strict=True))
