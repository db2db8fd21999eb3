"""The topic's Experiment: images as maps of codes."""

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
from dgm_core.nn.scalar_quantiser import FiniteScalarQuantizer, levels_for
from dgm_core.nn.vector_quantiser import CodebookBy, Distance, Gradient, Start, VectorQuantizer
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters
from dgm_core.training.loop import Loop, Plan, schedule
from dgm_core.vqvae.model import QuantisedAutoencoder, Quantiser, require_patch
from dgm_core.vqvae.training import PICTURED, QuantisedObjective, QuantisedSnapshot

DatasetName = Literal["digits", "mnist", "fashion-mnist", "cifar10", "photos", "shapes", "own"]
QuantiserName = Literal["vq", "fsq"]

_VQ = {"quantiser": ("vq",)}
_BUDGET = 6_000_000
"""Bytes that all pictures of a training may take before they are compressed."""


class VQVAE(Experiment):
    """Learn images with an autoencoder whose code is a map of entries of a codebook.

    Settings that change nothing go back to their defaults, so that two declarations with one meaning are one.

    Example:
        >>> VQVAE(quantiser="fsq", beta=2.0) == VQVAE(quantiser="fsq")
        True
    """

    topic: ClassVar[str] = "vqvae"

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
    quantiser: Annotated[
        QuantiserName,
        Field(
            title="Quantiser",
            description="A learned codebook, or a grid of levels that stands.",
            json_schema_extra=extra(basic=True, labels={"vq": "codebook (VQ)", "fsq": "finite scalar (FSQ)"}),
        ),
    ] = "vq"
    codes: Annotated[
        int,
        Field(
            ge=16,
            le=4096,
            title="Codes K",
            description="Entries of the codebook; of FSQ, the nearest number that its levels give.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 256
    dimension: Annotated[
        int,
        Field(
            ge=2,
            le=64,
            title="Dimension D",
            description="Numbers of a code.",
            json_schema_extra=extra(log=True, when=_VQ),
        ),
    ] = 16
    patch: Annotated[
        int,
        Field(
            ge=2,
            le=8,
            title="Patch",
            description="Side of the square of pixels that one code stands for.",
            json_schema_extra=extra(unit="pixels", basic=True),
        ),
    ] = 4
    codebook: Annotated[
        CodebookBy,
        Field(
            title="Codebook by",
            description="Running means of what each code wins, or the loss ‖sg(z) − e‖².",
            json_schema_extra=extra(basic=True, when=_VQ, labels={"ema": "running means (EMA)", "loss": "the loss"}),
        ),
    ] = "ema"
    distance: Annotated[
        Distance,
        Field(
            title="Distance",
            description="Cosine: outputs and codes are scaled to length 1 first.",
            json_schema_extra=extra(when=_VQ),
        ),
    ] = "euclidean"
    gradient: Annotated[
        Gradient,
        Field(
            title="Gradient",
            description="The decoder's gradient is copied to the encoder, or rotated with the code.",
            json_schema_extra=extra(when=_VQ, labels={"rotation": "rotation trick"}),
        ),
    ] = "straight-through"
    start: Annotated[
        Start,
        Field(
            title="Start",
            description="Where the codes are at first.",
            json_schema_extra=extra(
                when=_VQ, labels={"random": "at random", "data": "at outputs", "k-means": "by k-means"}
            ),
        ),
    ] = "k-means"
    patience: Annotated[
        int,
        Field(
            ge=0,
            le=1_000,
            title="Restart after",
            description="A code that has won nothing in so many batches starts anew at a random output; 0: never.",
            json_schema_extra=extra(unit="batches", basic=True, when=_VQ),
        ),
    ] = 20
    beta: Annotated[
        float,
        Field(
            ge=0,
            le=4,
            title="Commitment β",
            description="How strongly an output is drawn to its code.",
            json_schema_extra=extra(when=_VQ),
        ),
    ] = 0.25
    decay: Annotated[
        float,
        Field(
            ge=0.5,
            le=0.9999,
            title="Decay γ",
            description="Of the running means.",
            json_schema_extra=extra(when={**_VQ, "codebook": ("ema",)}),
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
    ] = 64
    depth: Annotated[
        int,
        Field(
            ge=0,
            le=4,
            title="Depth",
            description="Residual blocks of the encoder, and of the decoder.",
            json_schema_extra=extra(unit="blocks"),
        ),
    ] = 2
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
    ] = 3_000
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
        if self.quantiser == "fsq":
            self.__dict__["codes"] = math.prod(levels_for(self.codes))
        if self.dataset == "own" and not self.data:
            raise ValueError("the images are your own, so they need data: upload some first")
        known = INFO[self.dataset].shape if self.dataset in INFO else None
        if known is not None:
            require_patch(known, self.patch)
        return self

    def build(self) -> QuantisedAutoencoder:
        """The untrained model.

        Raises:
            DataError: when one's own images are not on the shelf, or not cut into whole patches.
        """
        known = INFO[self.dataset].shape if self.dataset in INFO else None
        generator = torch.Generator().manual_seed(self.seed)
        return QuantisedAutoencoder(
            known or load(self.dataset, self.data).shape, self._quantiser(generator), patch=self.patch,
            width=self.width, depth=self.depth, generator=generator,
        )  # fmt: skip

    def train(
        self, model: torch.nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None
    ) -> Training:
        """See `Experiment.train`.

        Metrics: ``loss``, ``mse_batch``, ``commitment_batch``, ``perplexity_batch`` of the batch; of held-out images
        those of `held_out_figures`; ``seconds_per_step``; ``learning_rate``. Previews: `QuantisedSnapshot.picture` and
        ``counts``, (K,).
        """
        if not isinstance(model, QuantisedAutoencoder):
            raise TypeError(f"an autoencoder with codes is trained here, not a {type(model).__name__}")
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

    def _quantiser(self, generator: torch.Generator) -> Quantiser:
        if self.quantiser == "fsq":
            return FiniteScalarQuantizer(levels_for(self.codes))
        return VectorQuantizer(
            self.codes, self.dimension, codebook=self.codebook, distance=self.distance, gradient=self.gradient,
            beta=self.beta, decay=self.decay, patience=self.patience, generator=generator,
        )  # fmt: skip

    def _loop(self, model: QuantisedAutoencoder, device: torch.device) -> Loop:
        try:
            images = self.images()
        except DataError as error:
            raise TrainingFailedError(str(error)) from error
        snapshot = QuantisedSnapshot(model, images)
        weights = flatten_parameters(model)
        optimiser = AveragedAdam(weights, torch.zeros_like(weights))
        generator = torch.Generator(device).manual_seed(self.seed)
        train = torch.tensor(images.train).to(device)
        objective = QuantisedObjective(model, train, self.batch, optimiser, generator, self.start)
        return Loop(objective, optimiser, snapshot, generator, self._plan(model))

    def _plan(self, model: QuantisedAutoencoder) -> Plan:
        pixels, codes = math.prod(model.shape), model.quantiser.codes
        picture = 2 * PICTURED * pixels + codes * (model.shape[0] * self.patch**2 + 2 * model.quantiser.dimension)
        frames = max(10, min(60, self.steps // 50, _BUDGET // picture))
        return Plan(self.steps, self.learning_rate, min(50, self.steps // 20), frozenset(schedule(self.steps, frames)))
