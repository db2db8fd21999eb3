"""The classifier as an Experiment: what embeds images where nobody brings a network."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from dgm_core.data.images import INFO, ImageSet, load
from dgm_core.declaration import extra
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment, Training, TrainingFailedError
from dgm_core.precision_recall.classifier import Classifier
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters, named_views
from dgm_core.training.loop import Loop, Plan, schedule

DataName = Literal["digits", "mnist", "fashion-mnist", "shapes", "cifar10"]
HELD_OUT = 2_000
"""Held-out images of the figures while it trains; the last ones take all."""


class ImageClassifier(Experiment):
    """Learn to tell the classes of an image set; its last hidden layer is an embedding."""

    topic: ClassVar[str] = "precision_recall"

    dataset: Annotated[
        DataName,
        Field(
            title="Images", description="What it learns to tell apart.",
            json_schema_extra=extra(basic=True, labels={name: INFO[name].title for name in DataName.__args__}),
        ),
    ] = "digits"  # fmt: skip
    channels: Annotated[
        int, Field(ge=2, le=64, title="Channels", description="Of the first layer.", json_schema_extra=extra(log=True))
    ] = 16
    features: Annotated[
        int,
        Field(ge=2, le=512, title="Features", description="Of the embedding.", json_schema_extra=extra(log=True)),
    ] = 32
    batch: Annotated[
        int,
        Field(ge=8, le=1024, title="Batch", description="Images in a step.", json_schema_extra=extra(log=True)),
    ] = 64
    learning_rate: Annotated[
        float,
        Field(
            ge=1e-5, le=1e-1, title="Learning rate", description="Adam's at the start.",
            json_schema_extra=extra(log=True),
        ),
    ] = 3e-3  # fmt: skip
    steps: Annotated[
        int,
        Field(
            ge=10, le=50_000, title="Steps", description="Training steps in all.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 600  # fmt: skip
    seed: Annotated[
        int, Field(ge=0, le=999_999, title="Seed", description="Of weights and batches.", json_schema_extra=extra())
    ] = 0

    def build(self) -> Classifier:
        """The untrained network."""
        info, generator = INFO[self.dataset], torch.Generator().manual_seed(self.seed)
        assert info.shape is not None
        return Classifier(info.shape, self.channels, self.features, len(info.classes), generator)

    def train(self, model: nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None) -> Training:
        """See `Experiment.train`. Metrics: ``loss``, ``accuracy`` on held-out images.

        Raises:
            TrainingFailedError: also when the images are not on this machine.
        """
        if not isinstance(model, Classifier):
            raise TypeError(f"a classifier is trained here, not a {type(model).__name__}")
        try:
            images = load(self.dataset)
        except DataError as error:
            raise TrainingFailedError(str(error)) from error
        loop = self._loop(model.to(device), images, device)
        if resume is not None:
            loop.resume(resume)
        yield from loop.run()

    def _loop(self, model: Classifier, images: ImageSet, device: torch.device) -> Loop:
        snapshot = Accuracy(model, images)
        weights = flatten_parameters(model)
        gradient = torch.zeros_like(weights)
        generator = torch.Generator(device).manual_seed(self.seed)
        objective = CrossEntropy(model, images, self.batch, gradient, generator)
        plan = Plan(self.steps, self.learning_rate, min(50, self.steps // 20), frozenset(schedule(self.steps, 10)))
        return Loop(objective, AveragedAdam(weights, gradient), snapshot, generator, plan)


class CrossEntropy:
    """−(1/B) Σ log p(class | image) of a random batch; the gradient goes into the flat vector.

    Args:
        model: whose parameters are views of one vector.
        images: with labels.
        batch: B.
        gradient: (P,).
        generator: of the batches.
    """

    def __init__(
        self, model: Classifier, images: ImageSet, batch: int, gradient: Tensor, generator: torch.Generator
    ) -> None:
        self.model, self.batch, self.gradient, self.generator = model, batch, gradient, generator
        labels = images.labels("train")
        assert labels is not None
        self.bytes = torch.from_numpy(images.train.copy()).to(gradient.device)
        self.labels = labels.to(gradient.device)
        for parameter, view in zip(model.parameters(), named_views(gradient, model).values(), strict=True):
            parameter.grad = view

    def figures(self) -> dict[str, float]:
        """Nothing beside the loss."""
        return {}

    def __call__(self, step: int = 0) -> Tensor:
        """See `dgm_core.training.loop.Objective`."""
        self.gradient.zero_()
        rows = torch.randint(
            len(self.labels), (self.batch,), generator=self.generator, device=self.generator.device
        )  # fmt: skip
        loss = functional.cross_entropy(self.model(self.bytes[rows].float().div_(255)), self.labels[rows])
        loss.backward()
        return loss.detach()


class Accuracy:
    """A copy of the model that is tried on held-out images while the model itself trains on.

    Args:
        model: copied.
        images: with labels.
    """

    def __init__(self, model: Classifier, images: ImageSet) -> None:
        self.model, self.images = copy.deepcopy(model).eval(), images
        self.flat = flatten_parameters(self.model)

    def look(self, weights: Tensor, step: int, *, last: bool) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """``accuracy``, of all held-out images in the end; no picture."""
        with torch.no_grad():
            self.flat.copy_(weights)
        return {"accuracy": accuracy(self.model, self.images, None if last else HELD_OUT)}, {}


@torch.no_grad()
def accuracy(model: Classifier, images: ImageSet, first: int | None = None) -> float:
    """The share of held-out images whose class is told right.

    Args:
        model: on any device.
        images: with labels.
        first: only so many.
    """
    labels = images.labels("test")
    assert labels is not None
    device, right = next(model.parameters()).device, 0
    floats = images.floats("test", first)
    for x, y in zip(floats.split(500), labels[: len(floats)].split(500), strict=True):
        right += int((model(x.to(device)).argmax(1).cpu() == y).sum())
    return right / len(floats)
