"""A gradient by the adjoint as it is computed, beside the other ways; what each costs. As a page shows it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from dgm_core.checks import Check, write_checks
from dgm_core.declaration import extra
from dgm_core.neural_ode.checks import (
    COMPARED,
    adjoint_along_the_path,
    gradients_agree,
    reversibility,
    squared_distance,
)
from dgm_core.neural_ode.gradients import Gradients, How, gradients
from dgm_core.neural_ode.memory import STEPS, cost
from dgm_core.neural_ode.problems import PROBLEMS
from dgm_core.neural_ode.solve import ADAPTIVE, TITLES, BlowUpError
from dgm_core.neural_ode.vector_fields import LinearField, VectorField
from dgm_core.nn.threads import alone
from dgm_core.pack import pack
from dgm_core.views import Made, View

AdjointProblem = Literal["spiral", "harmonic", "lotka-volterra", "van-der-pol", "lorenz"]
AdjointMethod = Literal["euler", "midpoint", "heun3", "rk4", "dopri5", "dopri8", "bosh3"]
SPANS = {"spiral": 4.0, "harmonic": 5.0, "lotka-volterra": 7.0, "van-der-pol": 6.0, "lorenz": 1.0}
MOMENTS = 101
SWEPT = tuple(10.0**-k for k in range(2, 9))
SWEPT_STEPS = (8, 16, 32, 64, 128)
WAYS: tuple[How, ...] = ("adjoint", "backprop", "finite")
PATIENCE = 5_000
"""Evaluations of the field after which a solve is broken off."""
SURE = 1e-12
_PROBLEMS = {name: PROBLEMS[name].title for name in SPANS}


class AdjointRun(View):
    """The gradient of L = ½|z(t₁)|² by the adjoint, and the way back that it took; artifact: ``path``, see there."""

    topic: ClassVar[str] = "neural_ode"

    problem: Annotated[
        AdjointProblem,
        Field(
            title="Problem",
            description="Whose end the loss looks at.",
            json_schema_extra=extra(basic=True, labels=_PROBLEMS),
        ),
    ] = "lotka-volterra"
    stiffness: Annotated[
        float,
        Field(
            ge=0.0,
            le=20.0,
            title="Stiffness μ",
            description="What dies away forwards grows backwards: the reconstruction drifts.",
            json_schema_extra=extra(basic=True, when={"problem": ("van-der-pol",)}),
        ),
    ] = 2.0
    method: Annotated[
        AdjointMethod,
        Field(
            title="Solver",
            description="Forwards and backwards.",
            json_schema_extra=extra(basic=True, labels=TITLES),
        ),
    ] = "dopri5"
    tolerance: Annotated[
        float,
        Field(
            ge=1e-10,
            le=1e-1,
            title="Tolerance",
            description="Relative and absolute, for one step.",
            json_schema_extra=extra(basic=True, log=True, when={"method": ("dopri5", "dopri8", "bosh3")}),
        ),
    ] = 1e-3
    steps: Annotated[
        int,
        Field(
            ge=4,
            le=1_000,
            title="Steps",
            description="Of a fixed-step method, each way.",
            json_schema_extra=extra(basic=True, log=True, when={"method": ("euler", "midpoint", "heun3", "rk4")}),
        ),
    ] = 32

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Solve forwards, then backwards."""
        with alone():
            return {"path": self.path()}

    @property
    def span(self) -> float:
        """t₁."""
        return SPANS[self.problem]

    def field(self) -> VectorField:
        """f."""
        return PROBLEMS[self.problem].field(self.stiffness if self.problem == "van-der-pol" else None)

    def gradient(self, how: How, setting: float | None = None, moments: int = 0) -> Gradients:
        """∂L/∂z(0) and ∂L/∂θ.

        Args:
            how: which way.
            setting: a tolerance or a number of steps instead of the declared one.
            moments: of the backward path, see `dgm_core.neural_ode.gradients.gradients`.
        """
        adaptive = self.method in ADAPTIVE
        tolerance = (setting if setting is not None else self.tolerance) if adaptive else 1e-9
        step = None if adaptive else self.span / (setting if setting is not None else self.steps)
        return gradients(
            Patient(self.field()), PROBLEMS[self.problem].start(), squared_distance, self.method, how,
            span=(0.0, self.span), step=step, rtol=tolerance, atol=tolerance * 1e-2, moments=moments,
        )  # fmt: skip

    def truth(self) -> Gradients:
        """In closed form where there is one, else by backpropagation through dopri8 at a tolerance of 1e-12."""
        field, start = self.field(), PROBLEMS[self.problem].start()
        how: How = "exact" if isinstance(field, LinearField) else "backprop"
        return gradients(
            field, start, squared_distance, "dopri8", how, span=(0.0, self.span), rtol=SURE, atol=SURE
        )  # fmt: skip

    def path(self) -> bytes:
        """Packed: ``times`` (T,) from t₁ to 0; ``z``, ``truth``, ``a_z``, ``slope_z`` (T, D); ``a_theta``,
        ``slope_theta`` (T, P); where the backward solve breaks off, no arrays but the sentence ``note``.
        """  # fmt: skip
        try:
            found = self.gradient("adjoint", moments=MOMENTS)
        except BlowUpError as error:
            return pack({"note": str(error)}, {})
        path = found.path
        assert path is not None
        assert path.truth is not None
        arrays = {
            "times": path.times, "z": path.z[:, 0], "truth": path.truth[:, 0], "a_z": path.a_z[:, 0],
            "slope_z": path.slope_z[:, 0], "a_theta": path.a_theta, "slope_theta": path.slope_theta,
        }  # fmt: skip
        meta = {"note": "", "loss": found.loss, "nfe_forward": found.nfe_forward, "nfe_backward": found.nfe_backward,
                "steps": len(path.steps), "rejected": len(path.rejected)}  # fmt: skip
        return pack(meta, {name: array.detach().double().numpy() for name, array in arrays.items()})

    def table(self) -> bytes:
        """The ways beside each other, packed.

        ``settings`` (K,); per way ``error:HOW`` (K,), the relative error of the whole gradient, NaN where the solve
        breaks off, and, as declared, ``nfe:HOW`` (2,) and ``gradient:HOW`` (N D + P,), also of the truth.
        """
        truth = flat(self.truth())
        settings = SWEPT if self.method in ADAPTIVE else SWEPT_STEPS
        arrays = {"settings": np.array(settings, np.float64), "gradient:truth": truth}
        for how in WAYS:
            every = 3 if how == "finite" else 1  # each costs two solves for every number
            errors = [self._error(how, s, truth) if k % every == 0 else math.nan for k, s in enumerate(settings)]
            arrays[f"error:{how}"] = np.array(errors)
            try:
                found = self.gradient(how)
            except BlowUpError:
                continue
            arrays[f"gradient:{how}"] = flat(found)
            arrays[f"nfe:{how}"] = np.array([found.nfe_forward, found.nfe_backward], np.float64)
        return pack({"exact": isinstance(self.field(), LinearField), "dim": PROBLEMS[self.problem].dim}, arrays)

    def _error(self, how: How, setting: float, truth: np.ndarray) -> float:
        try:
            found = flat(self.gradient(how, setting))
        except BlowUpError:
            return math.nan
        return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


class GradientTable(AdjointRun):
    """The same gradient by every way, and their errors as the solves are made finer; artifact: ``table``."""

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Solve."""
        with alone():
            return {"table": self.table()}


class Patient(VectorField):
    """A field that breaks a solve off after `PATIENCE` evaluations.

    Args:
        inner: the field.
    """

    def __init__(self, inner: VectorField) -> None:
        super().__init__()
        self.inner, self.asked, self.last = inner, 0, 0.0

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """f."""
        self.asked += 1
        if self.asked > PATIENCE * (1 + 2 * z.shape[0]):
            raise BlowUpError(f"broken off at t = {float(t):.4g} after {self.asked - 1:,} evaluations", float(t))
        found: Tensor = self.inner(t, z)
        return found


def flat(found: Gradients) -> np.ndarray:
    """∂L/∂z(0), then ∂L/∂θ."""
    return torch.cat([found.dz0.reshape(-1), found.dtheta]).detach().double().numpy()


class AdjointChecks(View):
    """The table of checks of gradients; artifact: ``checks``."""

    topic: ClassVar[str] = "neural_ode"

    problem: Annotated[AdjointProblem, AdjointRun.model_fields["problem"]] = "lotka-volterra"

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure."""
        with alone():
            return {"checks": write_checks(list(self.found()))}

    def found(self) -> Iterator[Check]:
        """Of all ways against each other, of the adjoint along its path, of going there and back."""
        problem, span = PROBLEMS[self.problem], COMPARED[self.problem]
        yield from gradients_agree(problem.field(), problem.start(2, 0.1), span)
        yield from adjoint_along_the_path(problem.field(), problem.start(2, 0.1), span)
        yield reversibility()


class GradientCost(View):
    """Memory and time of a gradient against the number of steps, measured now; artifact: ``cost``."""

    topic: ClassVar[str] = "neural_ode"

    points: Annotated[
        int,
        Field(
            ge=16,
            le=8_192,
            title="Points",
            description="N: every saved tensor has so many rows.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 512
    again: Annotated[
        int,
        Field(
            ge=0, le=99, title="Measurement", description="Counts the times it is measured.", json_schema_extra=extra()
        ),
    ] = 0

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure, on the device that the worker was given."""
        with alone():
            return {"cost": self.measured(device)}

    def measured(self, device: torch.device) -> bytes:
        """Packed: ``steps`` (K,); per way ``peak:HOW`` bytes and ``seconds:HOW`` (K,)."""
        problem = PROBLEMS["vortex"]
        field, start = problem.field().to(device), problem.start(self.points, 0.5).to(device)
        arrays: dict[str, np.ndarray] = {"steps": np.array(STEPS, np.float64)}
        measure = ""
        for how in ("adjoint", "backprop"):
            found = cost(field, start, squared_distance, how, STEPS)
            measure = found.measure
            arrays[f"peak:{how}"] = np.array(found.peak, np.float64)
            arrays[f"seconds:{how}"] = np.array(found.seconds, np.float64)
        return pack({"measure": measure, "device": device.type}, arrays)
