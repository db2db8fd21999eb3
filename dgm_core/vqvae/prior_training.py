"""One training step of a law of code maps, and what is looked at while it trains."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from dgm_core.data.pixels import as_bytes
from dgm_core.nn.code_bits import baseline_bits, bits_figures
from dgm_core.nn.code_model import CodeModel
from dgm_core.nn.threads import alone
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters
from dgm_core.training.batches import BatchObjective
from dgm_core.vqvae.code_maps import CodeMaps
from dgm_core.vqvae.model import QuantisedAutoencoder

RUNNING = 128
"""Code maps of the figures while a training runs; the last figures take all that are held out."""
SAMPLES = 8


class CrossEntropy(BatchObjective):
    """−(1/L) log p(c) in nats, the mean over a batch of maps of L codes.

    Args:
        model: whose parameters are views of the optimiser's vector.
        maps: (N, h, w) int64, on the device of the training.
        batch: maps in a step.
        optimiser: whose gradient is written.
        generator: of the batches.
    """

    def __init__(
        self, model: CodeModel, maps: Tensor, batch: int, optimiser: AveragedAdam, generator: torch.Generator
    ) -> None:
        super().__init__(model, (maps,), batch, optimiser, generator)
        self.model, self.loss = model, 0.0

    def figures(self) -> dict[str, float]:
        """``bits_batch``: of a map, in the last batch."""
        return {"bits_batch": self.loss * self.model.length / math.log(2)}

    def loss_of(self, rows: tuple[Tensor, ...]) -> Tensor:
        """See `BatchObjective`."""
        loss = F.cross_entropy(self.model.logits(rows[0]).flatten(0, 2), rows[0].flatten())
        self.loss = float(loss.detach())
        return loss


class PriorSnapshot:
    """A copy of the law that is looked at while the law itself trains on.

    The same noise every time, so that samples change only as the weights do.

    Args:
        model: copied.
        maps: to learn from and held out.
        autoencoder: decodes the samples.
        seed: of the samples.
    """

    def __init__(self, model: CodeModel, maps: CodeMaps, autoencoder: QuantisedAutoencoder, seed: int) -> None:
        self.model = copy.deepcopy(model).eval()
        self.flat = flatten_parameters(self.model)
        self.maps, self.autoencoder, self.seed = maps, autoencoder.to(self.flat.device), seed
        self.baselines = baseline_bits(maps.train, maps.test, model.codes)

    def look(self, weights: Tensor, step: int, *, last: bool) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Held-out bits (`bits_figures`), those of the maps learned from, the baselines, and the picture."""
        with torch.no_grad(), alone():
            self.flat.copy_(weights)
            some = len(self.maps.test) if last else RUNNING
            figures = bits_figures(self.model, self.maps.test[:some])
            train = bits_figures(self.model, self.maps.train[:some])["bits"]
            return {**figures, "bits_train": train, **self.baselines}, self.picture()

    def picture(self) -> dict[str, np.ndarray]:
        """``samples`` (8, C, H, W) uint8 and their ``codes`` (8, h, w) int32."""
        codes = self.model.sample(SAMPLES, generator=torch.Generator().manual_seed(self.seed))
        return {"samples": as_bytes(self.autoencoder.decode_codes(codes)).numpy(), "codes": codes.int().cpu().numpy()}
