"""One training step of all levels' laws at once, and what is looked at while they train."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from dgm_core.data.pixels import as_bytes
from dgm_core.nn.code_model import CodeModel
from dgm_core.nn.threads import alone
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters
from dgm_core.training.batches import BatchObjective
from dgm_core.vqvae2.model import HierarchicalAutoencoder
from dgm_core.vqvae2.prior_bits import baselines, bits_figures
from dgm_core.vqvae2.prior_law import HierarchicalLaw
from dgm_core.vqvae2.prior_maps import LayeredMaps
from dgm_core.vqvae2.sampling import draw_hierarchy

RUNNING = 128
"""Images of the figures while a training runs; the last figures take all that are held out."""
SAMPLES = 8


class LayeredCrossEntropy(BatchObjective):
    """Σ over levels of −(1/L) log p, the mean over a batch of true maps; the laws that are told nothing learn beside.

    Every law has weights of its own, so each learns as if it were alone.

    Args:
        law: whose parameters are views of the optimiser's vector.
        maps: (N, h, w) int64 of each level, on the device of the training.
        batch: images in a step.
        optimiser: whose gradient is written.
        generator: of the batches.
    """

    def __init__(
        self, law: HierarchicalLaw, maps: Sequence[Tensor], batch: int, optimiser: AveragedAdam,
        generator: torch.Generator,
    ) -> None:  # fmt: skip
        super().__init__(law, maps, batch, optimiser, generator)
        self.law, self.bits = law, 0.0

    def figures(self) -> dict[str, float]:
        """``bits_batch``: of an image's maps, in the last batch."""
        return {"bits_batch": self.bits}

    def loss_of(self, rows: tuple[Tensor, ...]) -> Tensor:
        """See `BatchObjective`: nats a code, summed over all laws."""
        law = self.law
        told = [nats(law.law(level), maps, law.context(level, rows)) for level, maps in enumerate(rows)]
        alone = [nats(law.law_alone(level), rows[level]) for level in range(1, law.levels)]
        each = torch.stack(told)
        self.bits = float((each.detach() * torch.tensor(law.lengths).to(each)).sum()) / math.log(2)
        return each.sum() + sum(alone)


def nats(law: CodeModel, maps: Tensor, context: Tensor | None = None) -> Tensor:
    """−(1/L) log p, the mean over maps (B, h, w) int64: shape ()."""
    return F.cross_entropy(law.logits(maps, context).flatten(0, 2), maps.flatten())


class LayeredSnapshot:
    """A copy of the laws that is looked at while they train on.

    The same noise every time, so that samples change only as the weights do.

    Args:
        law: copied.
        maps: to learn from and held out.
        autoencoder: decodes the samples.
        seed: of the samples.
    """

    def __init__(
        self, law: HierarchicalLaw, maps: LayeredMaps, autoencoder: HierarchicalAutoencoder, seed: int
    ) -> None:  # fmt: skip
        self.law = copy.deepcopy(law).eval()
        self.flat = flatten_parameters(self.law)
        self.maps, self.autoencoder, self.seed = maps, autoencoder.to(self.flat.device), seed
        self.baselines = baselines(maps, law)

    def look(self, weights: Tensor, step: int, *, last: bool) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Held-out bits (`bits_figures`), those of images learned from (``…_train``), `baselines`, and the picture."""
        with torch.no_grad(), alone():
            self.flat.copy_(weights)
            some = len(self.maps.test[0]) if last else RUNNING
            held_out, learned = (bits_figures(self.law, [level[:some] for level in half])
                                 for half in (self.maps.test, self.maps.train))  # fmt: skip
            train = {f"{name}_train": value for name, value in learned.items() if not name.endswith("_error")}
            return {**held_out, **train, **self.baselines}, self.picture()

    def picture(self) -> dict[str, np.ndarray]:
        """``samples`` and ``top_only``, what the top codes alone decode to, (8, C, H, W) uint8."""
        generator = torch.Generator().manual_seed(self.seed)
        codes = draw_hierarchy(self.law, SAMPLES, generator=generator, keep=False).codes
        return {name: as_bytes(self.autoencoder.decode_codes(codes, upto)).numpy()
                for name, upto in (("samples", None), ("top_only", 1))}  # fmt: skip
