"""The second stage's Experiment: the laws of all levels' code maps that a trained hierarchy makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from dgm_core import sources
from dgm_core.data.images import ImageSet
from dgm_core.data.pixels import as_bytes
from dgm_core.declaration import extra, settle
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment, Training, TrainingFailedError
from dgm_core.generators import Knob
from dgm_core.nn.threads import alone
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters
from dgm_core.training.loop import Loop, Plan, schedule
from dgm_core.vqvae2.model import HierarchicalAutoencoder
from dgm_core.vqvae2.prior_law import HierarchicalLaw
from dgm_core.vqvae2.prior_maps import LayeredMaps, layered_maps, source_model
from dgm_core.vqvae2.prior_training import LayeredCrossEntropy, LayeredSnapshot
from dgm_core.vqvae2.sampling import draw_hierarchy

_DRAWN = 250
"""Images that are drawn at once; their keys and values fit the memory of any machine."""


class HierarchicalPrior(Experiment):
    """Learn the law of a trained hierarchy's code maps, top first, so that new images can be drawn.

    Algorithm 2 of Razavi et al. 2019: a law with self-attention of the top codes, and of each lower level's codes a
    gated PixelCNN that is told those above. Beside each lower law one is trained that is told nothing.

    Example:
        >>> HierarchicalPrior(width=50).width
        48
    """

    topic: ClassVar[str] = "vqvae2"
    knob: ClassVar[Knob] = Knob("temperature", 0.0, 2.0)

    source: Annotated[
        str,
        Field(
            pattern=sources.PATTERN, title="Hierarchy",
            description="Whose codes are learned: zoo:NAME for a shipped model, run:ID for a run.",
            json_schema_extra=extra(basic=True),
        ),
    ] = "zoo:vqvae2-shapes"  # fmt: skip
    at: Annotated[
        int,
        Field(
            ge=0, le=10_000_000, title="State",
            description="Which weights: a run's step, a shipped model's fingerprint.", json_schema_extra=extra(),
        ),
    ] = 0  # fmt: skip
    width: Annotated[
        int,
        Field(
            ge=16, le=256, title="Width", description="Channels of every law, a multiple of 8.",
            json_schema_extra=extra(unit="channels", log=True),
        ),
    ] = 32  # fmt: skip
    depth: Annotated[
        int,
        Field(
            ge=1, le=8, title="Depth", description="Gated layers of every law; of the top's each is followed by an "
            "attention.", json_schema_extra=extra(unit="layers"),
        ),
    ] = 4  # fmt: skip
    reach: Annotated[
        int,
        Field(
            ge=1, le=4, title="Reach", description="How far a layer sees; a kernel of 3 has reach 1.",
            json_schema_extra=extra(unit="codes"),
        ),
    ] = 1  # fmt: skip
    learning_rate: Annotated[
        float,
        Field(
            ge=1e-5, le=1e-1, title="Learning rate", description="Adam's at the start; half a cosine takes it to zero.",
            json_schema_extra=extra(log=True),
        ),
    ] = 5e-3  # fmt: skip
    batch: Annotated[
        int,
        Field(
            ge=4, le=1024, title="Batch", description="Images whose codes make a training step.",
            json_schema_extra=extra(unit="images", log=True),
        ),
    ] = 32  # fmt: skip
    steps: Annotated[
        int,
        Field(
            ge=10, le=200_000, title="Steps", description="Training steps in all.",
            json_schema_extra=extra(unit="steps", basic=True, log=True),
        ),
    ] = 1_500  # fmt: skip
    seed: Annotated[
        int,
        Field(
            ge=0, le=999_999, title="Seed", description="Of the first weights, the batches and the samples.",
            json_schema_extra=extra(),
        ),
    ] = 0  # fmt: skip

    @model_validator(mode="after")
    def _normalise(self) -> Self:
        self.__dict__["width"] = 8 * round(self.width / 8)
        settle(self)
        return self

    def build(self) -> HierarchicalLaw:
        """The untrained laws, each uniform.

        Raises:
            TrainingFailedError: when there is no such hierarchy.
        """
        try:
            return self.law_of(source_model(self.source)[1])
        except DataError as error:
            raise TrainingFailedError(str(error)) from error

    def law_of(self, model: HierarchicalAutoencoder) -> HierarchicalLaw:
        """The untrained laws of a model's code maps."""
        return HierarchicalLaw(
            model.sizes, model.grids, width=self.width, depth=self.depth, reach=self.reach,
            generator=torch.Generator().manual_seed(self.seed),
        )  # fmt: skip

    def maps(self) -> LayeredMaps:
        """What is learned.

        Raises:
            TrainingFailedError: when the hierarchy or its images are not there, with one plain sentence.
        """
        try:
            declaration, model = source_model(self.source)
            return layered_maps(model, declaration.images())
        except DataError as error:
            raise TrainingFailedError(str(error)) from error

    def generate(self, model: nn.Module, n: int, value: float, generator: torch.Generator) -> np.ndarray:
        """n images drawn with all levels at temperature ``value``: see `dgm_core.generators.ImageGenerator`.

        Raises:
            DataError: when the hierarchy is not there, with one plain sentence.
            ValueError: for a negative temperature.
        """
        law, (_, autoencoder) = as_law(model), source_model(self.source)
        autoencoder.to(next(law.parameters()).device)
        blocks = [np.empty((0, *autoencoder.shape), np.uint8)]
        with alone():
            for start in range(0, n, _DRAWN):
                some = min(_DRAWN, n - start)
                codes = draw_hierarchy(law, some, temperature=value, generator=generator, keep=False).codes
                blocks.append(as_bytes(autoencoder.decode_codes(codes)).numpy())
        return np.concatenate(blocks)

    def real(self) -> ImageSet:
        """The images that the hierarchy was trained on: see `dgm_core.generators.ImageGenerator`.

        Raises:
            DataError: when they or the hierarchy are not there, with one plain sentence.
        """
        return source_model(self.source)[0].images()

    def train(self, model: nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None) -> Training:
        """See `Experiment.train`.

        Metrics: ``loss`` in nats, summed over all laws' means a code; in bits for an image's maps ``bits_batch``; of
        held-out images those of `dgm_core.vqvae2.prior_bits.bits_figures`, the same of some learned from with
        ``_train`` appended, and `dgm_core.vqvae2.prior_bits.baselines`. Previews: `LayeredSnapshot.picture`.
        """
        law = as_law(model).to(device)
        try:
            autoencoder = source_model(self.source)[1]
        except DataError as error:
            raise TrainingFailedError(str(error)) from error
        loop = self._loop(law, self.maps().to(device), autoencoder, device)
        if resume is not None:
            loop.resume(resume)
        yield from loop.run()

    def _loop(
        self, law: HierarchicalLaw, maps: LayeredMaps, autoencoder: HierarchicalAutoencoder, device: torch.device
    ) -> Loop:
        snapshot = LayeredSnapshot(law, maps, autoencoder, self.seed)
        weights = flatten_parameters(law)
        optimiser = AveragedAdam(weights, torch.zeros_like(weights))
        generator = torch.Generator(device).manual_seed(self.seed)
        objective = LayeredCrossEntropy(law, maps.train, self.batch, optimiser, generator)
        # A picture costs as much as some dozen steps: samples are drawn code by code.
        frames = max(6, min(24, self.steps // 60))
        plan = Plan(self.steps, self.learning_rate, min(50, self.steps // 20), frozenset(schedule(self.steps, frames)))
        return Loop(objective, optimiser, snapshot, generator, plan)


def as_law(model: nn.Module) -> HierarchicalLaw:
    """The model, once it is known to be the laws of a hierarchy.

    Raises:
        TypeError: when it is another one.
    """
    if not isinstance(model, HierarchicalLaw):
        raise TypeError(f"laws of a hierarchy's codes are meant here, not a {type(model).__name__}")
    return model
