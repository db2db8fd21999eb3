"""One training step of an autoencoder with codes, and what is looked at while it trains."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from dgm_core.data.images import ImageSet
from dgm_core.data.pixels import as_bytes, as_floats, psnr, variance
from dgm_core.experiment import TrainingFailedError
from dgm_core.nn.code_usage import code_counts, perplexity, share_used
from dgm_core.nn.threads import alone
from dgm_core.nn.vector_quantiser import Start
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters, named_views
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.tiles import code_tiles

RUNNING = 256
"""Held-out images of the figures while a training runs; the last figures take all."""
PICTURED = 8
STARTING = 8_192
"""Encoder outputs, or four times K if that is more, from which codes start."""


class QuantisedObjective:
    """mean (x − x̂)² / Var x + the quantiser's own loss; what the codebook learns without a gradient is done on the way.

    The first term is −log p(x|z_q) of a Gaussian decoder, up to constants, its variance the data's.

    Args:
        model: whose parameters are views of the optimiser's vector.
        images: (N, C, H, W) uint8, on the device of the training.
        batch: images in a step.
        optimiser: whose gradient is written; its averages follow what has no gradient.
        generator: of batches and of restarts.
        start: where the codes start.
    """

    def __init__(
        self, model: QuantisedAutoencoder, images: Tensor, batch: int, optimiser: AveragedAdam,
        generator: torch.Generator, start: Start,
    ) -> None:  # fmt: skip
        self.model, self.images, self.optimiser = model, images, optimiser
        self.generator, self.start = generator, start
        self.index = torch.empty(batch, dtype=torch.long, device=images.device)
        self.variance = max(variance(images), 1e-4)
        self.last: dict[str, Tensor] = {}
        gradients = named_views(optimiser.gradient, model)
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.grad = gradients[name]

    def figures(self) -> dict[str, float]:
        """Of the last batch: ``mse``, ``commitment`` (mean of (z − e)²) and ``perplexity`` with ``_batch`` behind."""
        found = {f"{name}_batch": float(value) for name, value in self.last.items() if name != "counts"}
        return {**found, "perplexity_batch": perplexity(self.last["counts"])} if found else {}

    def __call__(self, step: int = 0) -> Tensor:
        """See `dgm_core.training.loop.Objective`."""
        if step == 0:
            self._start()
        with alone():
            return self._step()

    def _step(self) -> Tensor:
        self.optimiser.gradient.zero_()
        x = as_floats(self.images[self.index.random_(len(self.images), generator=self.generator)])
        decoded, z, found = self.model(x)
        missed = F.mse_loss(decoded, x)
        loss: Tensor = missed / self.variance + found.loss
        loss.backward()
        fresh = self.model.quantiser.observe(z, found.indices, self.generator)
        self._follow(fresh)
        counts = code_counts(found.indices, self.model.quantiser.codes)
        self.last = {"mse": missed.detach(), "commitment": found.error, "counts": counts}
        return loss.detach()

    @torch.no_grad()
    def _start(self) -> None:
        quantiser = self.model.quantiser
        images = -(-max(STARTING, 4 * quantiser.codes) // math.prod(self.model.grid))
        chosen = torch.randperm(len(self.images), generator=self.generator, device=self.images.device)[:images]
        z = self.model.encode(as_floats(self.images[chosen]))
        try:
            quantiser.start(z.reshape(-1, quantiser.dimension), self.start, self.generator)
        except ValueError as error:
            raise TrainingFailedError(f"{error} Take fewer codes, smaller patches or more images.") from error
        self.optimiser.average.copy_(self.optimiser.weights)

    @torch.no_grad()
    def _follow(self, fresh: Tensor) -> None:
        """Averages of what has no gradient are the things themselves; codes that start anew do so there too.

        Running means lag behind the encoder as averaged weights do, so the two belong together as they are.
        """
        averages = named_views(self.optimiser.average, self.model)
        moments = named_views(self.optimiser.moment, self.model)
        for name, parameter in self.model.named_parameters():
            if not parameter.requires_grad:
                averages[name].copy_(parameter)
            elif name == "quantiser.codebook" and bool(fresh.any()):
                averages[name][fresh] = parameter[fresh]
                moments[name][fresh] = 0


class QuantisedSnapshot:
    """A copy of the model that is looked at while the model itself trains on.

    Args:
        model: copied.
        images: the data set.
    """

    def __init__(self, model: QuantisedAutoencoder, images: ImageSet) -> None:
        self.model = copy.deepcopy(model).eval()
        self.flat = flatten_parameters(self.model)
        self.held_out = torch.tensor(images.test).to(self.flat.device)

    def look(self, weights: Tensor, step: int, *, last: bool) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Held-out figures (`held_out_figures`) and the picture; the last figures are of all images."""
        with torch.no_grad():
            self.flat.copy_(weights)
        images = self.held_out if last else self.held_out[:RUNNING]
        with alone():
            figures, counts = held_out_figures(self.model, images)
            return figures, {**self.picture(), "counts": counts}

    @torch.no_grad()
    def picture(self) -> dict[str, np.ndarray]:
        """The first held-out images, their codes, what comes back, and every code's tile.

        ``inputs`` and ``reconstructions`` (8, C, H, W) uint8, ``codes`` (8, h, w) int32, ``tiles`` (K, C, p, p) uint8,
        ``codebook`` (K, D) float16.
        """
        x = as_floats(self.held_out[:PICTURED])
        codes = self.model.codes(x)
        return {
            "inputs": self.held_out[:PICTURED].cpu().numpy(),
            "reconstructions": as_bytes(self.model.decode_codes(codes)).numpy(),
            "codes": codes.int().cpu().numpy(),
            "tiles": code_tiles(self.model).numpy(),
            "codebook": self.model.quantiser.vectors().half().cpu().numpy(),
        }


@torch.no_grad()
def held_out_figures(model: QuantisedAutoencoder, images: Tensor) -> tuple[dict[str, float], np.ndarray]:
    """How well images come back, and which codes they use.

    Args:
        model: in evaluation mode.
        images: (N, C, H, W) uint8.

    Returns:
        ``mse`` of pixels in [0, 1], ``psnr`` = −10 log₁₀ mse in dB, ``commitment`` the mean of (z − e)², ``perplexity``
        and ``used`` over all these images' codes; and how often each code occurs, (K,) int32.
    """
    missed = apart = 0.0
    counts = torch.zeros(model.quantiser.codes, dtype=torch.long, device=images.device)
    for block in images.split(256):
        x = as_floats(block)
        decoded, _, found = model(x)
        missed += float((decoded.clamp(0, 1) - x).square().mean()) * len(block)
        apart += float(found.error) * len(block)
        counts += code_counts(found.indices, len(counts))
    mse = missed / len(images)
    figures = {
        "mse": mse, "psnr": psnr(mse), "commitment": apart / len(images), "perplexity": perplexity(counts),
        "used": share_used(counts),
    }  # fmt: skip
    return figures, counts.int().cpu().numpy()
