"""The topic's Experiment: images as a hierarchy of maps of codes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from dgm_core.data.images import INFO, ImageSet, load
from dgm_core.declaration import extra, settle
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment, Training, TrainingFailedError
from dgm_core.nn.vector_quantiser import VectorQuantizer
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters
from dgm_core.training.loop import Loop, Plan, schedule
from dgm_core.vqvae2.layers import require_grids
from dgm_core.vqvae2.model import HierarchicalAutoencoder
from dgm_core.vqvae2.training import PICTURED, HierarchyObjective, HierarchySnapshot

DatasetName = Literal["digits", "mnist", "fashion-mnist", "cifar10", "photos", "shapes", "own"]

_BUDGET = 6_000_000
"""Bytes that all pictures of a training may take before they are compressed."""


class VQVAE2(Experiment):
    """Learn images with an autoencoder whose code is two or three maps of codes, one above the other.

    Each level has a codebook of its own, of K codes that start by k-means and follow as running means of what they win.

    Example:
        >>> VQVAE2(levels=3, patch=2).build().grids
        ((4, 4), (8, 8), (16, 16))
    """

    topic: ClassVar[str] = "vqvae2"

    dataset: Annotated[
        DatasetName,
        Field(
            title="Images",
            description="What is learned.",
            json_schema_extra=extra(
                basic=True, labels={**{name: INFO[name].title for name in INFO}, "own": "Your images"}
            ),
        ),
    ] = "shapes"
    data: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{0,64}$",
            title="Data",
            description="Which uploaded images: the key under which they are kept.",
            json_schema_extra=extra(when={"dataset": ("own",)}),
        ),
    ] = ""
    levels: Annotated[
        int,
        Field(
            ge=2,
            le=3,
            title="Levels",
            description="Maps of codes, each with half as many codes along either side as the one below it.",
            json_schema_extra=extra(basic=True),
        ),
    ] = 2
    codes: Annotated[
        int,
        Field(
            ge=16,
            le=1024,
            title="Codes K",
            description="Entries of each level's codebook.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 256
    level_dropout: Annotated[
        float,
        Field(
            ge=0,
            le=0.9,
            title="Level dropout",
            description="How often the decoder gets only the upper levels of an image while it learns; 0 is the paper.",
            json_schema_extra=extra(basic=True),
        ),
    ] = 0.25
    dimension: Annotated[
        int,
        Field(
            ge=2,
            le=64,
            title="Dimension D",
            description="Numbers of a code.",
            json_schema_extra=extra(log=True),
        ),
    ] = 16
    patch: Annotated[
        int,
        Field(
            ge=2,
            le=8,
            title="Patch",
            description="Side of the square of pixels that one code of the bottom stands for.",
            json_schema_extra=extra(unit="pixels", basic=True),
        ),
    ] = 4
    patience: Annotated[
        int,
        Field(
            ge=0,
            le=1_000,
            title="Restart after",
            description="A code that has won nothing in so many batches starts anew at a random output; 0: never.",
            json_schema_extra=extra(unit="batches"),
        ),
    ] = 20
    beta: Annotated[
        float,
        Field(
            ge=0,
            le=4,
            title="Commitment β",
            description="How strongly an output is drawn to its code.",
            json_schema_extra=extra(),
        ),
    ] = 0.25
    decay: Annotated[
        float,
        Field(
            ge=0.5,
            le=0.9999,
            title="Decay γ",
            description="Of the running means.",
            json_schema_extra=extra(),
        ),
    ] = 0.99
    width: Annotated[
        int,
        Field(
            ge=8,
            le=256,
            title="Width",
            description="Channels of encoder and decoder.",
            json_schema_extra=extra(unit="channels", log=True),
        ),
    ] = 48
    depth: Annotated[
        int,
        Field(
            ge=0,
            le=4,
            title="Depth",
            description="Residual blocks of each level, on either side.",
            json_schema_extra=extra(unit="blocks"),
        ),
    ] = 1
    learning_rate: Annotated[
        float,
        Field(
            ge=1e-5,
            le=1e-1,
            title="Learning rate",
            description="Adam's at the start; half a cosine takes it to zero.",
            json_schema_extra=extra(log=True),
        ),
    ] = 3e-3
    batch: Annotated[
        int,
        Field(
            ge=4,
            le=1024,
            title="Batch",
            description="Images in a training step.",
            json_schema_extra=extra(unit="images", log=True),
        ),
    ] = 16
    steps: Annotated[
        int,
        Field(
            ge=10,
            le=200_000,
            title="Steps",
            description="Training steps in all.",
            json_schema_extra=extra(unit="steps", basic=True, log=True),
        ),
    ] = 4_000
    seed: Annotated[
        int,
        Field(
            ge=0,
            le=999_999,
            title="Seed",
            description="Of the first weights and of everything random in the training.",
            json_schema_extra=extra(),
        ),
    ] = 0

    @model_validator(mode="after")
    def _normalise(self) -> Self:
        """Settings that do not matter take their defaults; what belongs together must fit."""
        settle(self)
        if self.dataset == "own" and not self.data:
            raise ValueError("the images are your own, so they need data: upload some first")
        known = INFO[self.dataset].shape if self.dataset in INFO else None
        if known is not None:
            require_grids(known, self.patch, self.levels)
        return self

    def build(self) -> HierarchicalAutoencoder:
        """The untrained model.

        Raises:
            DataError: when one's own images are not on the shelf, or not cut into whole codes at every level.
        """
        known = INFO[self.dataset].shape if self.dataset in INFO else None
        generator = torch.Generator().manual_seed(self.seed)
        quantisers = [
            VectorQuantizer(self.codes, self.dimension, beta=self.beta, decay=self.decay, patience=self.patience,
                            generator=generator) for _ in range(self.levels)
        ]  # fmt: skip
        return HierarchicalAutoencoder(
            known or load(self.dataset, self.data).shape, quantisers, patch=self.patch, width=self.width,
            depth=self.depth, learned_absent=self.level_dropout > 0, generator=generator,
        )  # fmt: skip

    def train(
        self, model: torch.nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None
    ) -> Training:
        """See `Experiment.train`.

        Metrics: ``loss``, ``mse_batch``, ``commitment_batch`` of the batch; of held-out images those of
        `held_out_figures`; ``seconds_per_step``; ``learning_rate``. Previews: `HierarchySnapshot.look`.
        """
        if not isinstance(model, HierarchicalAutoencoder):
            raise TypeError(f"a hierarchy of codes is trained here, not a {type(model).__name__}")
        loop = self._loop(model.to(device), device)
        if resume is not None:
            loop.resume(resume)
        yield from loop.run()

    def images(self) -> ImageSet:
        """What is learned.

        Raises:
            DataError: when it is not there, with one plain sentence.
        """
        return load(self.dataset, self.data)

    def _loop(self, model: HierarchicalAutoencoder, device: torch.device) -> Loop:
        try:
            images = self.images()
        except DataError as error:
            raise TrainingFailedError(str(error)) from error
        snapshot = HierarchySnapshot(model, images)
        weights = flatten_parameters(model)
        optimiser = AveragedAdam(weights, torch.zeros_like(weights))
        generator = torch.Generator(device).manual_seed(self.seed)
        train = torch.tensor(images.train).to(device)
        objective = HierarchyObjective(model, train, self.batch, optimiser, generator, self.level_dropout)
        return Loop(objective, optimiser, snapshot, generator, self._plan(model))

    def _plan(self, model: HierarchicalAutoencoder) -> Plan:
        picture = (1 + model.levels) * PICTURED * math.prod(model.shape) + 4 * sum(model.sizes)
        frames = max(10, min(60, self.steps // 50, _BUDGET // picture))
        return Plan(self.steps, self.learning_rate, min(50, self.steps // 20), frozenset(schedule(self.steps, frames)))
