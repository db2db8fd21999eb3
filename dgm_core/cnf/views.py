"""What a page asks about a trained flow: a film by a chosen solver, the table of checks. Short runs of their own."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from dgm_core.checks import Check
from dgm_core.cnf import sources
from dgm_core.cnf.experiment import METHODS, DensityFlow
from dgm_core.cnf.film import EXTENT, density_frames, solver_frames, with_motion, wrong_film
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.preview import Flow
from dgm_core.declaration import settle
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment, Progress, Training, TrainingFailedError
from dgm_core.film import Film
from dgm_core.nn.solvers import ADAMS, ADAPTIVE, FIXED, Method, Solver

_SOLVED = ("solver", "wrong")


class Viewed(nn.Module):
    """A trained flow and what a view has made of it; the flow is in the weights, the rest is not.

    Args:
        declaration: what the flow was trained as.
        flow: trained.
    """

    def __init__(self, declaration: DensityFlow, flow: Flow) -> None:
        super().__init__()
        self.declaration, self.flow = declaration, flow
        self.made: dict[str, bytes] = {}


class View(Experiment):
    """A look at a trained flow: computed once, then kept under its key like any run."""

    topic: ClassVar[str] = "cnf"
    lane: ClassVar[Literal["train", "view"]] = "view"

    source: Annotated[
        str,
        Field(
            pattern=sources.PATTERN,
            title="Model",
            description="Which trained flow: zoo:NAME for a shipped one, run:ID for a run.",
            json_schema_extra={"basic": True},
        ),
    ] = "zoo:cnf-8gaussians"
    at: Annotated[
        int,
        Field(
            ge=0,
            le=10_000_000,
            title="State",
            description="Which weights: a run's step, a shipped flow's fingerprint; with others it is another view.",
        ),
    ] = 0

    def build(self) -> Viewed:
        """The trained flow.

        Raises:
            TrainingFailedError: when there is no such model.
        """
        try:
            return Viewed(*sources.load(self.source))
        except DataError as error:
            raise TrainingFailedError(str(error)) from error

    def artifacts(self, model: nn.Module, device: torch.device) -> Iterator[tuple[str, bytes]]:
        """What `train` has made, by name."""
        if isinstance(model, Viewed):
            yield from model.made.items()


class FlowFilm(View):
    """The film of p_t of a trained flow. Previews: each frame's ``log_prob`` as it is known; artifact: ``film``."""

    kind: Annotated[
        Literal["composed", "solver", "wrong"],
        Field(
            title="Film",
            description="By the composed flow map; each frame by a solver; or one solve misread as p_t.",
            json_schema_extra={
                "basic": True,
                "labels": {"composed": "true p_t", "solver": "as the solver gives it", "wrong": "one solve, misread"},
            },
        ),
    ] = "composed"
    method: Annotated[
        Method,
        Field(
            title="Solver",
            description="Solves the ODE from a frame's time back to the base.",
            json_schema_extra={"basic": True, "when": {"kind": _SOLVED}, "labels": METHODS},
        ),
    ] = "rk4"
    solver_steps: Annotated[
        int,
        Field(
            ge=1,
            le=256,
            title="Solver steps",
            description="Steps of a fixed-step solver from the base to the data.",
            json_schema_extra={
                "basic": True, "log": True, "unit": "steps", "when": {"kind": _SOLVED, "method": (*FIXED, *ADAMS)},
            },
        ),
    ] = 16  # fmt: skip
    tolerance: Annotated[
        float,
        Field(
            ge=1e-8,
            le=1e-1,
            title="Tolerance",
            description="Relative and absolute, of an adaptive solver's step.",
            json_schema_extra={
                "basic": True, "log": True, "when": {"kind": _SOLVED, "method": (*ADAPTIVE, "implicit_adams")},
            },
        ),
    ] = 1e-5  # fmt: skip
    size: Annotated[
        int,
        Field(ge=32, le=256, title="Cells", description="Of the picture along each axis."),
    ] = 128
    frames: Annotated[int, Field(ge=2, le=240, title="Frames", description="From t = 0 to t = 1.")] = 60
    motion: Annotated[
        bool, Field(title="Motion", description="With particles, arrows and the deforming grid.")
    ] = True  # fmt: skip

    @model_validator(mode="after")
    def _normalise(self) -> Self:
        """Settings that do not matter take their defaults."""
        settle(self)
        return self

    def train(self, model: nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None) -> Training:
        """Make the frames, reporting each; metrics: ``nfe`` of the frame where a solver makes it."""
        assert isinstance(model, Viewed)
        flow = model.flow.to(device)
        pictures = []
        for index, (frame, nfe) in enumerate(self._frames(flow)):
            pictures.append(frame)
            yield Progress(index + 1, self.frames, {"nfe": float(nfe)}, {"log_prob": frame.astype(np.float16)})
        film = Film(np.linspace(0.0, 1.0, self.frames), np.stack(pictures), EXTENT)
        if self.motion:
            film = with_motion(film, flow, particles=512, arrows=24, grid=13, seed=model.declaration.seed)
        model.made["film"] = film.to_bytes()

    def _frames(self, flow: Flow) -> Iterator[tuple[np.ndarray, int]]:
        if self.kind == "composed":
            yield from ((frame, 0) for frame in density_frames(flow, self.size, self.frames))
            return
        if not isinstance(flow, ContinuousFlow):
            raise TrainingFailedError("A discrete planar flow has no solver: its layers are its time.")
        solver = Solver(method=self.method, steps=self.solver_steps, tolerance=self.tolerance)
        if self.kind == "solver":
            yield from ((frame.log_prob, frame.nfe) for frame in solver_frames(flow, solver, self.size, self.frames))
            return
        for frame in wrong_film(flow, self.size, self.frames, solver=solver).log_prob:
            yield frame, flow.nfe


class FlowChecks(View):
    """The table of checks of a trained flow; artifact: ``checks``, JSON that `read_checks` reads."""

    seed: Annotated[int, Field(ge=0, le=999_999, title="Seed", description="Of the points and probes.")] = 0

    def train(self, model: nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None) -> Training:
        """Make the checks."""
        assert isinstance(model, Viewed)
        model.made["checks"] = write_checks(measured(model.declaration, model.flow.to(device), self.seed))
        yield Progress(1, 1, {})


def measured(declaration: DensityFlow, flow: Flow, seed: int = 0) -> list[Check]:
    """What theory fixes beside what this flow gives, measured now."""
    from dgm_core.cnf.checks import checks  # only here: films need none of it
    from dgm_core.cnf.film import density_film

    film = density_film(flow, 96, 30, particles=0, arrows=0, grid=0)
    return checks(flow, film, declaration.law(), seed)


def write_checks(checks: list[Check]) -> bytes:
    """Checks as JSON."""
    return json.dumps([dataclasses.asdict(check) for check in checks]).encode()


def read_checks(text: bytes) -> list[Check]:
    """Read what `write_checks` wrote.

    Raises:
        ValueError: when it is no table of checks.

    Example:
        >>> check = Check("mass", 1.0, 1.0, 1e-3, "tolerance")
        >>> read_checks(write_checks([check])) == [check]
        True
    """
    try:
        rows: list[dict[str, Any]] = json.loads(text)
        return [Check(**row) for row in rows]
    except TypeError as error:
        raise ValueError(f"this is no table of checks: {error}") from error
