"""What a page asks about a trained flow: a film by a chosen solver, the table of checks. Short runs of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from dgm_core.checks import Check, write_checks
from dgm_core.cnf.experiment import METHODS, DensityFlow
from dgm_core.cnf.film import EXTENT, density_frames, solver_frames, with_motion, wrong_film
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.preview import Flow
from dgm_core.declaration import settle
from dgm_core.experiment import Progress, Training, TrainingFailedError
from dgm_core.film import Film
from dgm_core.nn.solvers import ADAMS, ADAPTIVE, FIXED, Method, Solver
from dgm_core.views import Made, ModelView, Viewed

_SOLVED = ("solver", "wrong")


class FlowView(ModelView):
    """A look at a trained flow."""

    topic: ClassVar[str] = "cnf"

    source: Annotated[str, ModelView.model_fields["source"]] = "zoo:cnf-8gaussians"


class FlowFilm(FlowView):
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
        flow, declaration = subject(model)
        flow.to(device)
        pictures = []
        for index, (frame, nfe) in enumerate(self._frames(flow)):
            pictures.append(frame)
            yield Progress(index + 1, self.frames, {"nfe": float(nfe)}, {"log_prob": frame.astype(np.float16)})
        film = Film(np.linspace(0.0, 1.0, self.frames), np.stack(pictures), EXTENT)
        if self.motion:
            film = with_motion(film, flow, particles=512, arrows=24, grid=13, seed=declaration.seed)
        assert isinstance(model, Viewed)
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


class FlowChecks(FlowView):
    """The table of checks of a trained flow; artifact: ``checks``, JSON that `read_checks` reads."""

    seed: Annotated[int, Field(ge=0, le=999_999, title="Seed", description="Of the points and probes.")] = 0

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Make the checks."""
        flow, declaration = subject(model)
        return {"checks": write_checks(measured(declaration, flow.to(device), self.seed))}


def subject(model: nn.Module) -> tuple[Flow, DensityFlow]:
    """The flow that is looked at and its declaration.

    Raises:
        TrainingFailedError: when the model is no flow.
    """
    if isinstance(model, Viewed) and isinstance(model.subject, Flow) and isinstance(model.declaration, DensityFlow):
        return model.subject, model.declaration
    raise TrainingFailedError("This model is no density flow.")


def measured(declaration: DensityFlow, flow: Flow, seed: int = 0) -> list[Check]:
    """What theory fixes beside what this flow gives, measured now."""
    from dgm_core.cnf.checks import checks  # only here: films need none of it
    from dgm_core.cnf.film import density_film

    film = density_film(flow, 96, 30, particles=0, arrows=0, grid=0)
    return checks(flow, film, declaration.law(), seed)
