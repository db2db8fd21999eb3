"""The topic's second Experiment: two classes in the plane, told apart by a flow or by residual blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from dgm_core.declaration import extra, settle
from dgm_core.experiment import Experiment, Training
from dgm_core.neural_ode.classifiers import Classifier, ODEClassifier, ResidualClassifier
from dgm_core.neural_ode.deciding import Deciding, DecisionSnapshot
from dgm_core.neural_ode.experiment import METHODS, plan
from dgm_core.neural_ode.labelled import Labelled, TaskName, labelled
from dgm_core.neural_ode.networks import FixedMethod
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters
from dgm_core.training.loop import Loop

HELD_OUT = 2_000
_HELD_OUT_SEED = 10_000_019
_TASKS = {"circles": "Disc in a ring", "moons": "Two moons", "spirals": "Two spirals"}


class FlowClassifier(Experiment):
    """Tell two classes in the plane apart: move the points, then cut with one straight line.

    Settings that change nothing go back to their defaults, so that two declarations with one meaning are one.

    Example:
        >>> FlowClassifier(model="resnet", solver="euler") == FlowClassifier(model="resnet")
        True
    """

    topic: ClassVar[str] = "neural_ode"

    task: Annotated[
        TaskName,
        Field(
            title="Task",
            description="Which two classes are told apart.",
            json_schema_extra=extra(basic=True, labels=_TASKS),
        ),
    ] = "circles"
    model: Annotated[
        Literal["ode", "resnet"],
        Field(
            title="Model",
            description="The flow of an ODE, or residual blocks, each with weights of its own.",
            json_schema_extra=extra(basic=True, labels={"ode": "ODE net", "resnet": "ResNet"}),
        ),
    ] = "ode"
    added: Annotated[
        int,
        Field(
            ge=0,
            le=3,
            title="Added dimensions",
            description="Beside the plane's two; every point starts with 0 in them.",
            json_schema_extra=extra(basic=True),
        ),
    ] = 0
    layers: Annotated[
        int,
        Field(
            ge=1,
            le=32,
            title="Depth L",
            description="Residual blocks, or steps of the training's solver from t = 0 to 1.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 6
    solver: Annotated[
        FixedMethod,
        Field(
            title="Training solver",
            description="Solves the ODE while it is trained.",
            json_schema_extra=extra(when={"model": ("ode",)}, labels=METHODS),
        ),
    ] = "rk4"
    width: Annotated[
        int,
        Field(
            ge=4,
            le=128,
            title="Width",
            description="Units in a hidden layer of the field, or of a block.",
            json_schema_extra=extra(unit="units", log=True),
        ),
    ] = 32
    hidden_layers: Annotated[
        int,
        Field(
            ge=1,
            le=4,
            title="Hidden layers",
            description="Of the field, or of each block.",
            json_schema_extra=extra(),
        ),
    ] = 2
    points: Annotated[
        int,
        Field(
            ge=50,
            le=10_000,
            title="Training points",
            description="How many there are to learn from.",
            json_schema_extra=extra(unit="points", log=True),
        ),
    ] = 1_000
    batch: Annotated[
        int,
        Field(
            ge=16,
            le=1_024,
            title="Batch",
            description="Points in a training step.",
            json_schema_extra=extra(unit="points", log=True),
        ),
    ] = 128
    learning_rate: Annotated[
        float,
        Field(
            ge=1e-5,
            le=1e-1,
            title="Learning rate",
            description="Adam's at the start; half a cosine takes it to zero.",
            json_schema_extra=extra(log=True),
        ),
    ] = 1e-2
    steps: Annotated[
        int,
        Field(
            ge=10,
            le=20_000,
            title="Steps",
            description="Training steps in all.",
            json_schema_extra=extra(unit="steps", basic=True, log=True),
        ),
    ] = 800
    seed: Annotated[
        int,
        Field(
            ge=0,
            le=999_999,
            title="Seed",
            description="Of the points, of the first weights and of the batches.",
            json_schema_extra=extra(),
        ),
    ] = 0

    @model_validator(mode="after")
    def _normalise(self) -> Self:
        """Settings that do not matter take their defaults."""
        settle(self)
        return self

    def training_points(self) -> Labelled:
        """What is learned from."""
        return labelled(self.task, self.points, self.seed)

    def held_out(self, n: int = HELD_OUT) -> Labelled:
        """n points that no training sees."""
        return labelled(self.task, n, self.seed + _HELD_OUT_SEED)

    def build(self) -> Classifier:
        """The untrained classifier."""
        generator = torch.Generator().manual_seed(self.seed)
        if self.model == "resnet":
            return ResidualClassifier(self.added, self.layers, self.width, self.hidden_layers, generator)
        return ODEClassifier(self.added, self.layers, self.width, self.hidden_layers, self.solver, generator)

    def train(
        self, model: torch.nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None
    ) -> Training:
        """See `Experiment.train`.

        Metrics: ``loss`` and ``held_out_loss`` in nats; ``accuracy`` on held-out points; of an ODE ``nfe`` and
        ``solver_gap``, see `held_out_figures`; ``seconds_per_step``; ``learning_rate``. Previews: see
        `DecisionSnapshot`.
        """
        if not isinstance(model, Classifier):
            raise TypeError(f"a classifier of points is trained here, not a {type(model).__name__}")
        loop = self._loop(model.to(device), device)
        if resume is not None:
            loop.resume(resume)
        yield from loop.run()

    def artifacts(self, model: torch.nn.Module, device: torch.device) -> Iterator[tuple[str, bytes]]:
        """``passage``: the decision surface and the paths of held-out points, a `Passage`."""
        from dgm_core.neural_ode.passage import passage_of  # only here: a training needs none of it

        if isinstance(model, Classifier):
            yield "passage", passage_of(model, self.held_out()).to_bytes()

    def _loop(self, model: Classifier, device: torch.device) -> Loop:
        snapshot = DecisionSnapshot(model, self.held_out().to(device))
        weights = flatten_parameters(model)
        gradient = torch.zeros_like(weights)
        generator = torch.Generator(device).manual_seed(self.seed)
        objective = Deciding(model, self.training_points().to(device), self.batch, gradient, generator)
        return Loop(
            objective, AveragedAdam(weights, gradient), snapshot, generator, plan(self.steps, self.learning_rate)
        )
