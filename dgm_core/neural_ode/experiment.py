"""The topic's first Experiment: the field behind a series, learned from noisy, irregular observations with gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from dgm_core.data.series import Series
from dgm_core.declaration import extra, settle
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment, Training, TrainingFailedError
from dgm_core.neural_ode.fitting import FitSnapshot
from dgm_core.neural_ode.networks import FixedMethod
from dgm_core.neural_ode.series import FINE, UNITS, FitData, joined, known_data, split
from dgm_core.neural_ode.shooting import FitObjective, FittedODE, Shooting
from dgm_core.neural_ode.spiral import SYSTEMS
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters
from dgm_core.training.loop import Loop, Plan, schedule

_KNOWN = {"system": tuple(SYSTEMS)}
METHODS = {"euler": "Euler", "midpoint": "midpoint", "rk4": "RK4"}


def plan(steps: int, learning_rate: float) -> Plan:
    """Up to 40 pictures, one in fifteen steps at most, since each costs about as much as fifteen."""
    frames = max(10, min(40, steps // 15))
    return Plan(steps, learning_rate, min(50, steps // 20), frozenset(schedule(steps, frames)))


class NeuralODE(Experiment):
    """Fit dz/dt = f(z) to a series.

    Settings that change nothing go back to their defaults, so that two declarations with one meaning are one.

    Example:
        >>> NeuralODE(held_back=0.5) == NeuralODE()
        True
    """

    topic: ClassVar[str] = "neural_ode"

    system: Annotated[
        Literal["spiral", "cubic", "lotka-volterra", "own"],
        Field(
            title="Series",
            description="What is observed: a known system's solution, or a series of your own.",
            json_schema_extra=extra(
                basic=True, labels={**{name: SYSTEMS[name].title for name in SYSTEMS}, "own": "Your series"}
            ),
        ),
    ] = "cubic"
    data: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{0,64}$",
            title="Data",
            description="Which uploaded series: the key under which it is kept.",
            json_schema_extra=extra(when={"system": ("own",)}),
        ),
    ] = ""
    observations: Annotated[
        int,
        Field(
            ge=10,
            le=2_000,
            title="Observations",
            description="Irregular moments at which the solution is seen.",
            json_schema_extra=extra(basic=True, log=True, when=_KNOWN),
        ),
    ] = 100
    noise: Annotated[
        float,
        Field(
            ge=0.0,
            le=1.0,
            title="Noise",
            description="Standard deviation of the noise, as a share of each variable's own.",
            json_schema_extra=extra(basic=True, when=_KNOWN),
        ),
    ] = 0.1
    gaps: Annotated[
        float,
        Field(
            ge=0.0,
            le=0.9,
            title="Gaps",
            description="Probability that a value is missing.",
            json_schema_extra=extra(basic=True, when=_KNOWN),
        ),
    ] = 0.2
    held_back: Annotated[
        float,
        Field(
            ge=0.0,
            le=0.5,
            title="Held back",
            description="Share of your series, at its end, that the training does not see.",
            json_schema_extra=extra(basic=True, when={"system": ("own",)}),
        ),
    ] = 0.25
    hidden: Annotated[
        int,
        Field(
            ge=0,
            le=3,
            title="Hidden dimensions",
            description="Dimensions of the state that are not observed; a single variable that oscillates needs one.",
            json_schema_extra=extra(basic=True),
        ),
    ] = 0
    width: Annotated[
        int,
        Field(
            ge=4,
            le=128,
            title="Width",
            description="Units in a hidden layer of the field.",
            json_schema_extra=extra(unit="units", log=True),
        ),
    ] = 32
    depth: Annotated[
        int,
        Field(ge=1, le=4, title="Depth", description="Hidden layers of the field.", json_schema_extra=extra()),
    ] = 2
    segments: Annotated[
        int,
        Field(
            ge=1,
            le=64,
            title="Segments",
            description="Short solutions that are fitted together; with one there is only the long one.",
            json_schema_extra=extra(log=True),
        ),
    ] = 16
    solver: Annotated[
        FixedMethod,
        Field(
            title="Training solver",
            description="Solves the ODE while it is trained.",
            json_schema_extra=extra(labels=METHODS),
        ),
    ] = "rk4"
    solver_steps: Annotated[
        int,
        Field(
            ge=1,
            le=64,
            title="Solver steps",
            description="Steps of the training's solver in a sixteenth of the time that is seen.",
            json_schema_extra=extra(unit="steps", log=True),
        ),
    ] = 4
    decay: Annotated[
        float,
        Field(
            ge=1e-7,
            le=1e-1,
            title="Weight decay",
            description="Of a penalty on the field's weights, which keeps it calm where nothing was seen.",
            json_schema_extra=extra(log=True),
        ),
    ] = 3e-4
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
            le=50_000,
            title="Steps",
            description="Training steps in all.",
            json_schema_extra=extra(unit="steps", basic=True, log=True),
        ),
    ] = 2_000
    seed: Annotated[
        int,
        Field(
            ge=0,
            le=999_999,
            title="Seed",
            description="Of the observations and of the first weights.",
            json_schema_extra=extra(),
        ),
    ] = 0

    @model_validator(mode="after")
    def _normalise(self) -> Self:
        """Settings that do not matter take their defaults; what the series needs must be there."""
        settle(self)
        if self.system == "own" and not self.data:
            raise ValueError("the series is your own, so it needs data: upload one first")
        return self

    def fit_data(self) -> FitData:
        """What is seen and what is held back.

        Raises:
            DataError: when one's own series is not on the shelf, with one plain sentence.
        """
        if self.system != "own":
            return known_data(self.system, self.observations, self.noise, self.gaps, self.seed)
        return split(self._own(), self.held_back)

    def build(self) -> FittedODE:
        """The untrained model; its segments start from the joined observations.

        Raises:
            TrainingFailedError: when one's own series is not there.
        """
        data = self._fit_data()
        model = FittedODE(
            data.seen.values.shape[1], self.hidden, self.segments, data.scale,
            width=self.width, depth=self.depth, generator=torch.Generator().manual_seed(self.seed),
        )  # fmt: skip
        curve = joined(data, self.hidden)
        starts = curve[np.arange(self.segments) * UNITS * FINE // self.segments]
        with torch.no_grad():
            model.starts.copy_(torch.from_numpy(starts))
        return model

    def train(
        self, model: torch.nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None
    ) -> Training:
        """See `Experiment.train`.

        Metrics: ``loss``; its parts ``misfit`` and ``gap`` as root mean squares; ``inside`` and ``beyond``, the error
        of the one long solution on what is held back, within the time that was seen and after it, and
        ``linear_inside`` and ``linear_beyond``, the same of a linear field (with the last report), all in standard
        deviations of the observations; ``nfe``, evaluations of the field when dopri5 solves over the time seen with
        tolerance 1e-5; ``seconds_per_step``; ``learning_rate``. Previews: see `FitSnapshot`.
        """
        if not isinstance(model, FittedODE):
            raise TypeError(f"a fitted ODE is trained here, not a {type(model).__name__}")
        loop = self._loop(model.to(device))
        if resume is not None:
            loop.resume(resume)
        yield from loop.run()

    def artifacts(self, model: torch.nn.Module, device: torch.device) -> Iterator[tuple[str, bytes]]:
        """``fit``: the fitted curve, the field and the linear field's curve, a `Fit`."""
        from dgm_core.neural_ode.fitting import fit_of  # only here: a training needs none of it

        if isinstance(model, FittedODE):
            yield "fit", fit_of(model, self._fit_data()).to_bytes()

    def _own(self) -> Series:
        from dgm_core.data.shelf import series_of  # only here, so that a run without own data touches no disk

        return series_of(self.data)

    def _fit_data(self) -> FitData:
        try:
            return self.fit_data()
        except DataError as error:
            raise TrainingFailedError(str(error)) from error

    def _loop(self, model: FittedODE) -> Loop:
        data = self._fit_data()
        snapshot = FitSnapshot(model, data)
        weights = flatten_parameters(model)
        gradient = torch.zeros_like(weights)
        shooting = Shooting(model, data.seen, self.solver, self.solver_steps)
        objective = FitObjective(shooting, gradient, self.steps, self.decay)
        generator = torch.Generator(weights.device).manual_seed(self.seed)
        return Loop(
            objective, AveragedAdam(weights, gradient), snapshot, generator, plan(self.steps, self.learning_rate)
        )
