"""What a page opens on: everything measured on a trained discrete VAE that needs its data set, as one block of bytes.

With it a page shows a model whose images are not on this machine.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
import torch

from dgm_core.gumbel.binary_images import BinaryImages
from dgm_core.gumbel.elbo import importance_bound, independent_bernoulli, standard_error
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.gumbel.vae_views import GapCurve, code_usage, gap_curve
from dgm_core.pack import pack, unpack

MOST_IMAGES = 1_000
IMPORTANCE = 32


@dataclass(frozen=True)
class Opening:
    """Figures and inputs of a trained model, in nats for an image.

    Args:
        inputs: ten held-out images as they are, (10, C, H, W) uint8.
        seen: the same as the model sees them, 0 or 1, (10, D) uint8.
        curve: relaxed and hard ELBO against the temperature.
        usage: see `code_usage`, (N, K) int64.
        baseline, baseline_error: log-likelihood of independent Bernoulli pixels with the training set's means.
        importance, importance_error: the importance-weighted bound of `IMPORTANCE` codes, tighter than the ELBO.
        images: on how many held-out images.
    """

    inputs: np.ndarray
    seen: np.ndarray
    curve: GapCurve
    usage: np.ndarray
    baseline: float
    baseline_error: float
    importance: float
    importance_error: float
    images: int

    def to_bytes(self) -> bytes:
        """All of it, without loss (`dgm_core.pack`)."""
        whole = {**asdict(self), **{f"curve.{name}": value for name, value in asdict(self.curve).items()}}
        del whole["curve"]
        arrays = {name: value for name, value in whole.items() if isinstance(value, np.ndarray)}
        return pack({name: value for name, value in whole.items() if name not in arrays}, arrays, compress=True)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these bytes are no opening.
        """
        meta, arrays = unpack(packed)
        whole: dict[str, Any] = {**meta, **arrays}
        try:
            curve = GapCurve(**{field.name: whole.pop(f"curve.{field.name}") for field in fields(GapCurve)})
            return cls(curve=curve, **whole)
        except (KeyError, TypeError) as error:
            raise ValueError(f"these bytes are no opening of a discrete VAE: {error}") from error


def opening(model: CategoricalVAE, images: BinaryImages, seed: int = 0) -> Opening:
    """Measure a trained model on its held-out images, at most `MOST_IMAGES` of them.

    Args:
        model: trained.
        images: its data set.
        seed: of all codes.
    """
    device = model.mean.device
    x, chosen = images.held_out[:MOST_IMAGES].to(device), images.pictured
    plain = independent_bernoulli(x, model.mean)
    tighter = importance_bound(model, x, IMPORTANCE, torch.Generator(device).manual_seed(seed))
    return Opening(
        images.as_bytes(images.test[chosen]), images.held_out[chosen].to(torch.uint8).numpy(),
        gap_curve(model, x, seed=seed), code_usage(model, x),
        float(plain.mean()), standard_error(plain), float(tighter.mean()), standard_error(tighter), len(x),
    )  # fmt: skip
