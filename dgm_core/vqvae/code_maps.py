"""The code maps of a trained model's images: what a prior learns."""

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
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.model import QuantisedAutoencoder

MOST = 20_000
"""Code maps to learn from, at most."""
MOST_HELD_OUT = 2_000


@dataclass(frozen=True, eq=False)
class CodeMaps:
    """Code maps to learn from and held out.

    Args:
        train: (N, h, w) int64.
        test: (M, h, w) int64.
    """

    train: Tensor
    test: Tensor


def source_model(source: str) -> tuple[VQVAE, QuantisedAutoencoder]:
    """The declaration and the trained model of a source.

    Raises:
        DataError: when there is no such model, or it is none of this topic.
    """
    declaration, model = sources.load(source)
    if not (isinstance(declaration, VQVAE) and isinstance(model, QuantisedAutoencoder)):
        raise DataError(f"The model {source} is none with a codebook; choose one of the page vqvae.")
    return declaration, model


def code_maps(model: QuantisedAutoencoder, images: ImageSet) -> CodeMaps:
    """Encode a set: the first `MOST` images to learn from, the first `MOST_HELD_OUT` held-out ones."""
    with alone():
        return CodeMaps(_encoded(model, images.train[:MOST]), _encoded(model, images.test[:MOST_HELD_OUT]))


def _encoded(model: QuantisedAutoencoder, images: np.ndarray) -> Tensor:
    blocks = torch.tensor(images).split(1_000)
    return torch.cat([model.codes(as_floats(block)) for block in blocks])
