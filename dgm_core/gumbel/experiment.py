"""The topic's Experiment: images as N choices of one in K."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from dgm_core.data.images import INFO, load
from dgm_core.declaration import extra, settle
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment, Training, TrainingFailedError
from dgm_core.gumbel.binary_images import Binarised, BinaryBatches, BinaryImages, binary_images
from dgm_core.gumbel.estimators import ESTIMATORS
from dgm_core.gumbel.temperature import Schedule, Temperature
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.gumbel.vae_training import NegativeElbo, VAESnapshot
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters
from dgm_core.training.loop import Loop, Plan, schedule

DatasetName = Literal["digits", "mnist", "fashion-mnist", "frey", "own"]
EstimatorName = Literal[
    "gumbel-softmax", "st-gumbel-softmax", "gumbel-rao", "reinmax", "straight-through",
    "reinforce", "reinforce-baseline", "leave-one-out", "rebar",
]  # fmt: skip

TEMPERED = ("gumbel-softmax", "st-gumbel-softmax", "gumbel-rao", "rebar")
"""Estimators whose gradient depends on τ."""
SMOOTH = ("gumbel-softmax", "st-gumbel-softmax")
"""Estimators that give τ a gradient too."""
ANNEALED = ("exponential", "linear", "cosine")

_SCHEDULES = {
    "fixed": "fixed", "exponential": "exponential (Jang et al.)", "linear": "linear", "cosine": "cosine",
    "learned": "learned with the weights",
}  # fmt: skip


class DiscreteVAE(Experiment):
    """Learn binary images with a variational autoencoder whose code is N choices of one in K.

    Settings that change nothing go back to their defaults, so that two declarations with one meaning are one.

    Example:
        >>> DiscreteVAE(estimator="reinforce", tau=3.0) == DiscreteVAE(estimator="reinforce")
        True
    """

    topic: ClassVar[str] = "gumbel"

    dataset: Annotated[
        DatasetName,
        Field(
            title="Images",
            description="What is learned, as black and white pixels.",
            json_schema_extra=extra(basic=True, labels={name: INFO[name].title for name in INFO}),
        ),
    ] = "digits"
    data: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{0,64}$",
            title="Data",
            description="Which uploaded images: the key under which they are kept.",
            json_schema_extra=extra(when={"dataset": ("own",)}),
        ),
    ] = ""
    binarised: Annotated[
        Binarised,
        Field(
            title="Binarised",
            description="A pixel's grey is its chance of being 1, drawn anew in every step; or it is cut at one half.",
            json_schema_extra=extra(labels={"drawn": "drawn by chance", "cut": "cut at ½"}),
        ),
    ] = "cut"
    latents: Annotated[
        int,
        Field(
            ge=1,
            le=64,
            title="Latents N",
            description="Choices that make up a code.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 10
    categories: Annotated[
        int,
        Field(
            ge=2,
            le=64,
            title="Categories K",
            description="Values of each choice; a code holds at most N log K nats.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 10
    estimator: Annotated[
        EstimatorName,
        Field(
            title="Estimator",
            description="How the gradient of an expectation over codes reaches the encoder.",
            json_schema_extra=extra(basic=True, labels={name: ESTIMATORS[name].title for name in ESTIMATORS}),
        ),
    ] = "gumbel-softmax"
    schedule: Annotated[
        Schedule,
        Field(
            title="Schedule",
            description="How the temperature goes on from its start.",
            json_schema_extra=extra(basic=True, when={"estimator": TEMPERED}, labels=_SCHEDULES),
        ),
    ] = "exponential"
    tau: Annotated[
        float,
        Field(
            ge=0.01,
            le=20,
            title="Temperature τ",
            description="At the start, or all the time: small is hard and noisy, large is smooth and biased.",
            json_schema_extra=extra(basic=True, log=True, when={"estimator": TEMPERED}),
        ),
    ] = 1.0
    tau_min: Annotated[
        float,
        Field(
            ge=0.01,
            le=5,
            title="Least τ",
            description="Where an annealed temperature is half-way through, and stays; a learned one stays above it.",
            json_schema_extra=extra(log=True, when={"schedule": (*ANNEALED, "learned")}),
        ),
    ] = 0.2
    width: Annotated[
        int,
        Field(
            ge=8,
            le=1024,
            title="Width",
            description="Units in a hidden layer of encoder and decoder.",
            json_schema_extra=extra(unit="units", log=True),
        ),
    ] = 256
    depth: Annotated[
        int,
        Field(
            ge=1,
            le=4,
            title="Depth",
            description="Hidden layers of the encoder, and of the decoder.",
            json_schema_extra=extra(unit="layers"),
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
            ge=8,
            le=4096,
            title="Batch",
            description="Images in a training step.",
            json_schema_extra=extra(unit="images", log=True),
        ),
    ] = 128
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
        if self.estimator not in TEMPERED:
            self.__dict__["schedule"] = "fixed"
        settle(self, keep=("schedule",))
        if self.dataset == "own" and not self.data:
            raise ValueError("the images are your own, so they need data: upload some first")
        if self.schedule == "learned" and self.estimator not in SMOOTH:
            raise ValueError(f"τ is learned only through an estimator that is smooth in it: {' or '.join(SMOOTH)}")
        if self.schedule != "fixed" and self.tau_min >= self.tau:
            raise ValueError("τ starts above its least value")
        return self

    def build(self) -> CategoricalVAE:
        """The untrained model.

        Raises:
            DataError: when one's own images are not on the shelf.
        """
        shape = INFO[self.dataset].shape if self.dataset in INFO else None
        return CategoricalVAE(
            shape or load(self.dataset, self.data).shape, latents=self.latents, categories=self.categories,
            width=self.width, depth=self.depth, generator=torch.Generator().manual_seed(self.seed),
            tau=self.tau if self.schedule == "learned" else None, tau_min=self.tau_min,
        )  # fmt: skip

    def train(
        self, model: torch.nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None
    ) -> Training:
        """See `Experiment.train`.

        Metrics, in nats for an image: ``loss`` of the batch; of held-out images ``elbo`` over hard codes with
        ``elbo_error``, its parts ``reconstruction`` and ``kl``, ``elbo_relaxed`` and ``gap``, relaxed minus hard, with
        ``gap_error``; ``tau``; ``seconds_per_step``; ``learning_rate``. Previews: see `VAESnapshot.picture`.
        """
        if not isinstance(model, CategoricalVAE):
            raise TypeError(f"a discrete VAE is trained here, not a {type(model).__name__}")
        loop = self._loop(model.to(device), device)
        if resume is not None:
            loop.resume(resume)
        yield from loop.run()

    def images(self) -> BinaryImages:
        """What is learned.

        Raises:
            DataError: when it is not there, with one plain sentence.
        """
        return binary_images(self.dataset, self.data, self.binarised)

    def temperature(self) -> Temperature:
        """τ after so many steps; where a learned one starts."""
        return Temperature(self.schedule, self.tau, self.tau_min, self.steps)

    def artifacts(self, model: torch.nn.Module, device: torch.device) -> Iterator[tuple[str, bytes]]:
        """``melting`` (`Reel`): ten held-out images as τ moves; ``opening`` (`Opening`): what needs the data set."""
        from dgm_core.gumbel.opening import opening  # only here: a training needs neither
        from dgm_core.gumbel.vae_views import melting

        if isinstance(model, CategoricalVAE):
            images = self.images()
            model.to(device)
            yield "melting", melting(model, images.held_out[images.pictured].to(device)).to_bytes()
            yield "opening", opening(model, images, self.seed).to_bytes()

    def _loop(self, model: CategoricalVAE, device: torch.device) -> Loop:
        try:
            images = self.images()
        except DataError as error:
            raise TrainingFailedError(str(error)) from error
        model.centre(images.mean.to(device))
        snapshot = VAESnapshot(model, images, self.temperature(), self.seed)
        weights = flatten_parameters(model)
        gradient = torch.zeros_like(weights)
        generator = torch.Generator(device).manual_seed(self.seed)
        batches = BinaryBatches(images.train.to(device), self.batch, generator)
        objective = NegativeElbo(model, batches, gradient, ESTIMATORS[self.estimator], self.temperature())
        return Loop(objective, AveragedAdam(weights, gradient), snapshot, generator, self._plan())

    def _plan(self) -> Plan:
        # A picture costs as much as twenty steps.
        frames = max(10, min(60, self.steps // 40))
        return Plan(self.steps, self.learning_rate, min(50, self.steps // 20), frozenset(schedule(self.steps, frames)))
