"""The topic's Experiment: a density in the plane, learned by a flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from dgm_core.cnf.careful_film import careful_film
from dgm_core.cnf.fields import MLPField, PlanarField
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.objectives import Batches, FlowMatching, MaximumLikelihood
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.cnf.preview import Flow, HeldOut, Snapshot
from dgm_core.data.densities import TARGETS, Target, word_target
from dgm_core.declaration import extra, settle
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment, Training, TrainingFailedError
from dgm_core.nn.solvers import ADAMS, ADAPTIVE, FIXED, Method, Solver
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters
from dgm_core.training.loop import Loop, Objective, Plan, schedule

TargetName = Literal[
    "8gaussians", "25gaussians", "moons", "circles", "rings", "checkerboard", "pinwheel", "2spirals", "swissroll",
    "photo-china", "photo-flower", "word", "image", "points",
]  # fmt: skip
ModelName = Literal["mlp", "planar-cnf", "planar"]

POOL = 2**17
"""Points of the target to draw batches from: more than any training here goes through often."""
HELD_OUT = 4_096
_HELD_OUT_SEED = 10_000_019
_CONTINUOUS = ("mlp", "planar-cnf")
_SOLVED = {"objective": ("likelihood",), "model": _CONTINUOUS}


_TARGETS = {
    **{name: TARGETS[name].title for name in TARGETS if not name.startswith("photo")},
    "photo-china": "Photo: temple", "photo-flower": "Photo: flower",
    "word": "A word", "image": "Your image", "points": "Your points",
}  # fmt: skip
_MODELS = {"mlp": "Continuous, MLP", "planar-cnf": "Continuous, planar", "planar": "Discrete, planar"}
METHODS = {
    "euler": "Euler", "rk4": "RK4", "adaptive_heun": "adaptive Heun", "explicit_adams": "explicit Adams",
    "implicit_adams": "implicit Adams",
}  # fmt: skip


class DensityFlow(Experiment):
    """Learn a density in the plane with a flow.

    Settings that change nothing for the chosen model and objective go back to their defaults, so that two declarations
    with one meaning are one: equal values, equal keys.

    Example:
        >>> DensityFlow(model="mlp", layers=5) == DensityFlow()
        True
        >>> DensityFlow(model="planar").objective
        'likelihood'
    """

    topic: ClassVar[str] = "cnf"

    target: Annotated[
        TargetName,
        Field(
            title="Target",
            description="The density to learn: a known one, a photo, a word, or points of your own.",
            json_schema_extra=extra(basic=True, labels=_TARGETS),
        ),
    ] = "8gaussians"
    word: Annotated[
        str,
        Field(
            max_length=24,
            title="Word",
            description="Its ink is the density; 1 to 24 characters.",
            json_schema_extra=extra(basic=True, when={"target": ("word",)}),
        ),
    ] = "FLOW"
    data: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{0,64}$",
            title="Data",
            description="Which uploaded or drawn data: the key under which they are kept.",
            json_schema_extra=extra(when={"target": ("image", "points")}),
        ),
    ] = ""
    model: Annotated[
        ModelName,
        Field(
            title="Model",
            description="A continuous flow with an MLP field or with gated planar units, or discrete planar layers.",
            json_schema_extra=extra(basic=True, labels=_MODELS),
        ),
    ] = "mlp"
    width: Annotated[
        int,
        Field(
            ge=8,
            le=256,
            title="Width",
            description="Hidden units in a layer of the MLP field.",
            json_schema_extra=extra(unit="units", when={"model": ("mlp",)}),
        ),
    ] = 64
    depth: Annotated[
        int,
        Field(
            ge=1,
            le=6,
            title="Depth",
            description="Hidden layers of the MLP field.",
            json_schema_extra=extra(unit="layers", when={"model": ("mlp",)}),
        ),
    ] = 3
    units: Annotated[
        int,
        Field(
            ge=1,
            le=512,
            title="Planar units",
            description="Gated planar units summed in the field.",
            json_schema_extra=extra(unit="units", log=True, when={"model": ("planar-cnf",)}),
        ),
    ] = 64
    layers: Annotated[
        int,
        Field(
            ge=1,
            le=128,
            title="Planar layers",
            description="Layers of the discrete planar flow.",
            json_schema_extra=extra(unit="layers", log=True, when={"model": ("planar",)}),
        ),
    ] = 32
    objective: Annotated[
        Literal["flow-matching", "likelihood"],
        Field(
            title="Objective",
            description="Fit the velocity of straight paths, with no ODE solved; or maximise the likelihood.",
            json_schema_extra=extra(
                basic=True,
                when={"model": _CONTINUOUS},
                labels={"flow-matching": "Flow matching", "likelihood": "Maximum likelihood"},
            ),
        ),
    ] = "flow-matching"
    trace: Annotated[
        Literal["exact", "gaussian", "rademacher"],
        Field(
            title="Trace",
            description="Exact, or estimated by one random probe a point, fixed during a solve (Hutchinson).",
            json_schema_extra=extra(
                when=_SOLVED, labels={"gaussian": "one Gaussian probe", "rademacher": "one Rademacher probe"}
            ),
        ),
    ] = "exact"
    gradient: Annotated[
        Literal["backprop", "adjoint"],
        Field(
            title="Gradient",
            description="Back through the solver's steps, or by solving the adjoint ODE.",
            json_schema_extra=extra(when=_SOLVED),
        ),
    ] = "backprop"
    solver: Annotated[
        Method,
        Field(
            title="Training solver",
            description="Solves the ODE while the likelihood is trained.",
            json_schema_extra=extra(when=_SOLVED, labels=METHODS),
        ),
    ] = "rk4"
    solver_steps: Annotated[
        int,
        Field(
            ge=1,
            le=64,
            title="Solver steps",
            description="Steps of a fixed-step solver from the base to the data.",
            json_schema_extra=extra(unit="steps", log=True, when={**_SOLVED, "solver": (*FIXED, *ADAMS)}),
        ),
    ] = 6
    tolerance: Annotated[
        float,
        Field(
            ge=1e-7,
            le=1e-1,
            title="Tolerance",
            description="Relative and absolute, of an adaptive solver's step.",
            json_schema_extra=extra(log=True, when={**_SOLVED, "solver": (*ADAPTIVE, "implicit_adams")}),
        ),
    ] = 1e-3
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
    batch: Annotated[
        int,
        Field(
            ge=16,
            le=8192,
            title="Batch",
            description="Points in a training step.",
            json_schema_extra=extra(unit="points", log=True),
        ),
    ] = 256
    steps: Annotated[
        int,
        Field(
            ge=10,
            le=200_000,
            title="Steps",
            description="Training steps in all.",
            json_schema_extra=extra(unit="steps", basic=True, log=True),
        ),
    ] = 8_000
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
        """Settings that do not matter take their defaults; what the target needs must be there."""
        if self.model == "planar":
            self.__dict__["objective"] = "likelihood"
        settle(self, keep=("objective",))
        if self.target == "word" and not self.word.strip():
            raise ValueError("the target is a word, so it needs a word of 1 to 24 characters")
        if self.target in ("image", "points") and not self.data:
            raise ValueError(f"the target is your own {self.target}, so it needs data: upload or draw some first")
        return self

    def build(self) -> Flow:
        """The untrained flow; it evaluates densities with RK4 whatever it is trained with."""
        generator = torch.Generator().manual_seed(self.seed)
        if self.model == "planar":
            return PlanarFlow(layers=self.layers, generator=generator)
        if self.model == "planar-cnf":
            return ContinuousFlow(PlanarField(units=self.units, generator=generator))
        return ContinuousFlow(MLPField(width=self.width, depth=self.depth, generator=generator))

    def train(
        self, model: torch.nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None
    ) -> Training:
        """See `Experiment.train`.

        Metrics: ``loss``; ``nll`` and ``nll_error`` of held-out points and, where the target is known, its ``gap`` to
        the entropy, all in nats; ``nfe`` of a training step; ``seconds_per_step``; ``learning_rate``. Previews:
        ``log_prob`` (64, 64) and ``samples`` (512, 2), float16.
        """
        if not isinstance(model, Flow):
            raise TypeError(f"a density flow is trained here, not a {type(model).__name__}")
        loop = self._loop(model.to(device), device)
        if resume is not None:
            loop.resume(resume)
        yield from loop.run()

    def training_solver(self) -> Solver:
        """What the likelihood is trained through."""
        return Solver(method=self.solver, steps=self.solver_steps, tolerance=self.tolerance)

    def law(self) -> Target:
        """The density to learn.

        Raises:
            DataError: when the word cannot be drawn or the data are not on the shelf, with one plain sentence.
        """
        if self.target in TARGETS:
            return TARGETS[self.target]
        if self.target == "word":
            return word_target(self.word)
        from dgm_core.data.shelf import target_of  # only here, so that a run without own data touches no disk

        return target_of(self.target, self.word, self.data)

    def held_out(self, n: int = HELD_OUT, device: torch.device | str = "cpu") -> HeldOut:
        """n points of the target that no training sees."""
        target = self.law()
        points = target.sample(n, self.seed + _HELD_OUT_SEED)
        log_prob = target.log_prob(points).to(device) if target.log_prob is not None else None
        return HeldOut(points.to(device), log_prob, target.entropy)

    def artifacts(self, model: torch.nn.Module, device: torch.device) -> Iterator[tuple[str, bytes]]:
        """``film``: a first film of p_t, on the coarse map; a `FlowFilm` makes the fine one."""
        if isinstance(model, Flow):
            yield "film", careful_film(model.to(device), seed=self.seed, refine=False).to_bytes()

    def _loop(self, model: Flow, device: torch.device) -> Loop:
        # A field trained through few solver steps may be steep between them; look at it with more.
        fine = self.objective == "likelihood"
        snapshot = Snapshot(model, self._held_out_on(device), self.seed, fine=fine)
        weights = flatten_parameters(model)
        gradient = torch.zeros_like(weights)
        generator = torch.Generator(device).manual_seed(self.seed)
        pool = self.law().sample(POOL, self.seed).to(device)
        objective = self._objective(model, Batches(pool, self.batch, generator), gradient)
        return Loop(objective, AveragedAdam(weights, gradient), snapshot, generator, self._plan())

    def _held_out_on(self, device: torch.device) -> HeldOut:
        try:
            return self.held_out(device=device)
        except DataError as error:
            raise TrainingFailedError(str(error)) from error

    def _objective(self, model: Flow, batches: Batches, gradient: Tensor) -> Objective:
        if self.objective == "flow-matching" and isinstance(model, ContinuousFlow):
            return FlowMatching(model, batches, gradient)
        return MaximumLikelihood(
            model, batches, gradient,
            solver=self.training_solver(), trace=self.trace, adjoint=self.gradient == "adjoint",
        )  # fmt: skip

    def _plan(self) -> Plan:
        # A picture costs as much as a hundred steps without a solve, or five with one.
        frames = max(10, min(60, self.steps // (100 if self.objective == "flow-matching" else 5)))
        warmup = min(50, self.steps // 20)
        return Plan(self.steps, self.learning_rate, warmup, frozenset(schedule(self.steps, frames)))
