"""One training step of a hierarchy of codes, and what is looked at while it trains."""

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
from dgm_core.nn.vector_quantiser import Quantised
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters, named_views
from dgm_core.training.batches import BatchObjective
from dgm_core.vqvae2.model import HierarchicalAutoencoder

RUNNING = 256
"""Held-out images of the figures while a training runs; the last figures take all."""
PICTURED = 6
STARTING = 8_192
"""Vectors of a level, or four times K if that is more, from which its codes start."""


class HierarchyObjective(BatchObjective):
    """mean (x − x̂)² / Var x + Σ_l β‖z_l − sg(e_l)‖²; codes follow as running means, without a gradient.

    The first term is −log p(x|z_q) of a Gaussian decoder, up to constants, its variance the data's. Level dropout,
    which is ours: with probability p the decoder gets only the first j levels of an image, j drawn evenly from 1…L−1.

    Args:
        model: whose parameters are views of the optimiser's vector.
        images: (N, C, H, W) uint8, on the device of the training.
        batch: images in a step.
        optimiser: whose gradient is written; its averages follow what has no gradient.
        generator: of batches, of what is left out, and of restarts.
        level_dropout: p.
    """

    def __init__(
        self, model: HierarchicalAutoencoder, images: Tensor, batch: int, optimiser: AveragedAdam,
        generator: torch.Generator, level_dropout: float,
    ) -> None:  # fmt: skip
        super().__init__(model, [images], batch, optimiser, generator)
        self.model, self.optimiser, self.level_dropout = model, optimiser, level_dropout
        self.variance = max(variance(images), 1e-4)
        self.last: dict[str, float] = {}

    def __call__(self, step: int = 0) -> Tensor:
        """See `dgm_core.training.loop.Objective`."""
        if step == 0:
            self._start()
        return super().__call__(step)

    def figures(self) -> dict[str, float]:
        """Of the last batch: ``mse_batch``, some levels left out, ``commitment_batch``, Σ_l mean of (z_l − e_l)²."""
        return self.last

    def loss_of(self, rows: tuple[Tensor, ...]) -> Tensor:
        """See `BatchObjective.loss_of`."""
        x = as_floats(rows[0])
        vectors, found = self.model(x)
        values = [level.values for level in found]
        missed = F.mse_loss(self.model.decode(self.model.kept(values, self._kept_levels(len(x)))), x)
        self._observe(vectors, found)
        commitment = sum(float(level.error) for level in found)
        self.last = {"mse_batch": float(missed.detach()), "commitment_batch": commitment}
        return missed / self.variance + torch.stack([level.loss for level in found]).sum()

    def _kept_levels(self, count: int) -> Tensor:
        """How many levels the decoder gets of each image: (count,) int64."""
        levels, device = self.model.levels, self.index.device
        fewer = torch.randint(1, levels, (count,), generator=self.generator, device=device)
        dropped = torch.rand(count, generator=self.generator, device=device) < self.level_dropout
        return torch.where(dropped, fewer, levels)

    @torch.no_grad()
    def _start(self) -> None:
        """Each level's codes by k-means on its vectors, the top's first, as each tells the next."""
        fewest = math.prod(self.model.grids[0])
        count = -(-max(STARTING, 4 * max(self.model.sizes)) // fewest)
        chosen = torch.randperm(len(self.arrays[0]), generator=self.generator, device=self.index.device)[:count]
        told = None
        with alone():
            for level, features in enumerate(self.model.features(as_floats(self.arrays[0][chosen]))):
                vectors = self.model.outputs(features, level, told)
                quantiser = self.model.quantiser(level)
                self._start_level(level, vectors.reshape(-1, quantiser.dimension))
                values = quantiser.lookup(quantiser.nearest(vectors))
                if level:
                    self.model.stand_in(level).observe(values, 0.0)
                if level + 1 < self.model.levels:
                    told = self.model.tell(values, level, told)
        self.optimiser.average.copy_(self.optimiser.weights)

    def _start_level(self, level: int, vectors: Tensor) -> None:
        quantiser = self.model.quantiser(level)
        few = vectors[torch.randperm(len(vectors), generator=self.generator, device=vectors.device)]
        try:
            quantiser.start(few[: max(STARTING, 4 * quantiser.codes)], "k-means", self.generator)
        except ValueError as error:
            raise TrainingFailedError(f"{error} Take fewer codes, fewer levels or more images.") from error

    @torch.no_grad()
    def _observe(self, vectors: list[Tensor], found: list[Quantised]) -> None:
        """Codes follow what they win; averages of what has no gradient are the things themselves."""
        for level, (z, quantised) in enumerate(zip(vectors, found, strict=True)):
            quantiser = self.model.quantiser(level)
            quantiser.observe(z, quantised.indices, self.generator)
            if level:
                self.model.stand_in(level).observe(quantised.values, quantiser.decay)
        averages = named_views(self.optimiser.average, self.model)
        for name, parameter in self.model.named_parameters():
            if not parameter.requires_grad:
                averages[name].copy_(parameter)


class HierarchySnapshot:
    """A copy of the model that is looked at while the model itself trains on.

    Args:
        model: copied.
        images: the data set.
    """

    def __init__(self, model: HierarchicalAutoencoder, images: ImageSet) -> None:
        self.model = copy.deepcopy(model).eval()
        self.flat = flatten_parameters(self.model)
        self.held_out = torch.tensor(images.test).to(self.flat.device)

    def look(self, weights: Tensor, step: int, *, last: bool) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Held-out figures (`held_out_figures`) and the picture; the last figures are of all images."""
        with torch.no_grad():
            self.flat.copy_(weights)
        with alone():
            figures, counts = held_out_figures(self.model, self.held_out if last else self.held_out[:RUNNING])
            named = {f"counts_{level}": found for level, found in enumerate(counts, start=1)}
            return figures, {**self.picture(), **named}

    @torch.no_grad()
    def picture(self) -> dict[str, np.ndarray]:
        """The first held-out images, and what comes back from more and more of the levels.

        ``inputs`` (6, C, H, W) uint8, ``upto_1``, ``upto_2``, … of the same shape; ``codes_1`` … (6, h, w) int32.
        """
        inputs = self.held_out[:PICTURED]
        codes = self.model.codes(as_floats(inputs))
        maps = {f"codes_{level}": found.int().cpu().numpy() for level, found in enumerate(codes, start=1)}
        back = {f"upto_{k}": as_bytes(self.model.decode_codes(codes, k)).numpy() for k in range(1, len(codes) + 1)}
        return {"inputs": inputs.cpu().numpy(), **back, **maps}


@torch.no_grad()
def held_out_figures(
    model: HierarchicalAutoencoder, images: Tensor
) -> tuple[dict[str, float], tuple[np.ndarray, ...]]:  # fmt: skip
    """How well images come back from more and more of the levels, and which codes they use.

    Args:
        model: in evaluation mode.
        images: (N, C, H, W) uint8.

    Returns:
        With k = 1 the top alone, …, k = L all levels: ``mse_k`` of pixels in [0, 1] and ``psnr_k`` = −10 log₁₀ mse_k in
        dB of the first k levels; with k = 1 the top, …, k = L the bottom: ``perplexity_k`` and ``used_k`` over all
        these images' codes, ``bits_k`` = h w log₂ K of that level. And each level's counts, (K,) int32, top first.
    """
    missed = [0.0] * model.levels
    counts = [torch.zeros(size, dtype=torch.long, device=images.device) for size in model.sizes]
    for block in images.split(256):
        x = as_floats(block)
        codes = model.codes(x)
        for level, found in enumerate(codes):
            missed[level] += float((model.decode_codes(codes, level + 1) - x).square().mean()) * len(block)
            counts[level] += code_counts(found, model.sizes[level])
    figures: dict[str, float] = {}
    for k, (total, count) in enumerate(zip(missed, counts, strict=True), start=1):
        mse = total / len(images)
        figures |= {f"mse_{k}": mse, f"psnr_{k}": psnr(mse)}
        figures |= {f"perplexity_{k}": perplexity(count), f"used_{k}": share_used(count)}
    figures |= {f"bits_{k}": bits for k, bits in enumerate(level_bits(model), start=1)}
    return figures, tuple(count.int().cpu().numpy() for count in counts)


def level_bits(model: HierarchicalAutoencoder) -> tuple[float, ...]:
    """h w log₂ K of each level, top first: what its codes cost when every code is equally likely."""
    return tuple(math.prod(grid) * math.log2(size) for grid, size in zip(model.grids, model.sizes, strict=True))
