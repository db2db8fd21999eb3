"""A solver at work on a named problem, from coarse to fine, as a page shows it."""

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
from dgm_core.film import Extent
from dgm_core.neural_ode.checks import energies, orders
from dgm_core.neural_ode.orders import ORDERS, slope, work
from dgm_core.neural_ode.problems import PROBLEMS, Problem, solution
from dgm_core.neural_ode.residual_view import arrows, single
from dgm_core.neural_ode.scene import Scene, Trace
from dgm_core.neural_ode.solve import ADAPTIVE, TITLES, BlowUpError, Method, Solution, formula, solve
from dgm_core.neural_ode.steps import stages
from dgm_core.neural_ode.tableaux import TABLEAUX
from dgm_core.neural_ode.vector_fields import VectorField
from dgm_core.nn.threads import alone
from dgm_core.pack import pack
from dgm_core.views import Made, View

ProblemName = Literal["spiral", "harmonic", "lotka-volterra", "van-der-pol", "lorenz", "linear", "explosion", "vortex"]
COUNTS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512)
TOLERANCES = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 1e-7, 1e-8, 1e-9)
CURVE = 301
BUDGET = 1_500_000
"""Numbers of all traces together."""
STAGED = 130
"""Steps of a trace up to which its stages are kept."""
SPREAD = 0.12
PATIENCE = 4_000
"""Evaluations of the field after which a trace is broken off."""
ENOUGH = 2_000
"""Evaluations after which no finer trace is tried."""
WORK_STEPS = (8, 16, 32, 64, 128, 256, 512)
WORK_TOLERANCES = tuple(10.0**-k for k in range(2, 10))
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class SolverRun(View):
    """One solver on one problem, from few steps or a large tolerance on; artifact: ``scene``, a `Scene`."""

    topic: ClassVar[str] = "neural_ode"

    problem: Annotated[
        ProblemName,
        Field(
            title="Problem",
            description="What is solved.",
            json_schema_extra=extra(basic=True, labels={name: problem.title for name, problem in PROBLEMS.items()}),
        ),
    ] = "lotka-volterra"
    rate: Annotated[
        float,
        Field(
            ge=-50.0,
            le=1.0,
            title="Rate λ",
            description="Of z′ = λz; the solution dies away where it is negative.",
            json_schema_extra=extra(basic=True, when={"problem": ("linear",)}),
        ),
    ] = -8.0
    stiffness: Annotated[
        float,
        Field(
            ge=0.0,
            le=50.0,
            title="Stiffness μ",
            description="The larger, the faster the jumps between slow stretches.",
            json_schema_extra=extra(basic=True, when={"problem": ("van-der-pol",)}),
        ),
    ] = 2.0
    method: Annotated[
        Method,
        Field(
            title="Solver",
            description="Which method.",
            json_schema_extra=extra(basic=True, labels=TITLES),
        ),
    ] = "dopri5"
    points: Annotated[
        int,
        Field(
            ge=1,
            le=500,
            title="Trajectories",
            description="They share the steps; an adaptive solver looks at the mean square of their errors.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 1
    seed: Annotated[
        int,
        Field(ge=0, le=999_999, title="Seed", description="Of where they start.", json_schema_extra=extra()),
    ] = 0

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Solve."""
        with alone():
            return {"scene": self.scene().to_bytes()}

    @property
    def subject(self) -> Problem:
        """The problem."""
        return PROBLEMS[self.problem]

    def field(self) -> VectorField:
        """Its field as the dials stand."""
        dials = {"linear": self.rate, "van-der-pol": self.stiffness}
        return self.subject.field(dials.get(self.problem))

    def start(self) -> Tensor:
        """(N, D) float64."""
        start = self.subject.start(self.points, SPREAD * max(map(abs, self.subject.z0)), self.seed)
        return start.abs() if self.problem in ("lotka-volterra", "explosion") else start

    def settings(self) -> Iterator[tuple[str, float | None, float]]:
        """Label, step and tolerance of each trace, by rising effort."""
        if self.method in ADAPTIVE:
            yield from ((power(tolerance), None, tolerance) for tolerance in TOLERANCES)
        else:
            yield from ((f"{count} steps", self.subject.span / count, 1e-9) for count in COUNTS)

    def scene(self) -> Scene:
        """The traces over the true solution."""
        field, start, span = self.field(), self.start(), self.subject.span
        patient = Patient(field)
        times = torch.linspace(0, span, CURVE, dtype=torch.float64)
        exact = solution(field, start, times)
        traces, sentences, budget = list[Trace](), dict[str, str](), BUDGET
        for label, step, tolerance in self.settings():
            try:
                patient.asked = 0
                with torch.no_grad():
                    found = solve(patient, start, times[[0, -1]], self.method, step, tolerance, tolerance)
            except BlowUpError as error:
                sentences[str(error)] = label
                continue
            trace = traced(label, field, found, exact[-1], self.method)
            budget -= trace.states.size
            if budget < 0 and traces:
                break
            traces.append(trace)
            if found.nfe > ENOUGH:
                break
        told = tuple(f"{label}: {sentence}" for sentence, label in sentences.items())
        return Scene(times.numpy(), single(exact), self.window(exact), self._arrows(field), tuple(traces), told)

    def _arrows(self, field: VectorField) -> np.ndarray:
        return arrows(field, self.subject.window) if self.subject.dim == 2 else np.zeros((0, 0, 2), np.float32)

    def window(self, exact: Tensor) -> Extent:
        """The problem's; of one coordinate around the solution, with (0, 1) as the second."""
        if self.subject.dim > 1:
            return self.subject.window
        kept = exact[torch.isfinite(exact)]
        low, high = min(0.0, float(kept.min())), float(kept.max())
        return low - 0.5 * (high - low), high + 0.25 * (high - low), 0.0, 1.0


class SolverChecks(SolverRun):
    """The table of checks of a solver on a problem, with the orders and energies of all; artifact: ``checks``."""

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure."""
        with alone():
            found = [*solver_checks(self.method, self.scene()), *orders(), *energies()]
        return {"checks": write_checks(found)}


def solver_checks(method: Method, scene: Scene) -> list[Check]:
    """What theory fixes about the traces: their evaluations, and the order at which their errors fall.

    Args:
        method: the solver.
        scene: its traces.
    """
    counted = [
        (trace.nfe, formula(method, len(trace.times) - 1, len(trace.rejected_times)))
        for trace in scene.traces if method != "implicit_adams"
    ]  # fmt: skip
    apart = max((abs(found - expected) for found, expected in counted), default=None)
    checks = [] if apart is None else [
        Check("NFE counted − NFE by formula, largest", float(apart), 0.0, 0.0, "tolerance",
              source="stages × steps", note="Adaptive solvers pay for rejected steps, and two to choose the first."),
    ]  # fmt: skip
    size = float(np.sqrt((scene.flow[-1].astype(float) ** 2).sum(-1).mean()))
    good = [(len(t.times) - 1, t.error) for t in scene.traces if 1e-11 * size < t.error < 1e-2 * size]
    if method in ADAPTIVE or method not in ORDERS or len(good) < 4:
        return checks
    line = slope([math.log(steps) for steps, _ in good], [math.log(error) for _, error in good])
    return [
        *checks,
        Check("order, by regression", -line.value, float(ORDERS[method]), 0.5, "tolerance",
              source="theory of the method", note=f"{line.count} numbers of steps; standard error {line.error:.2f}."),
    ]  # fmt: skip


class Patient:
    """A field that is asked no oftener than this: a coarse tolerance may send a solver where no step is small enough.

    Args:
        field: f.
        forgiving: begin to count anew whenever a solve starts at t = 0.
    """

    def __init__(self, field: VectorField, forgiving: bool = False) -> None:
        self.field, self.asked, self.forgiving = field, 0, forgiving

    def __call__(self, t: Tensor, z: Tensor) -> Tensor:
        self.asked = 0 if self.forgiving and float(t) == 0 else self.asked + 1
        if self.asked > PATIENCE:
            raise BlowUpError(f"broken off at t = {float(t):.4g} after {PATIENCE:,} evaluations", float(t))
        found: Tensor = self.field(t, z)
        return found


def power(tolerance: float) -> str:
    """A tolerance as one writes it.

    Example:
        >>> power(3e-4), power(1e-10)
        ('3 · 10⁻⁴', '10⁻¹⁰')
    """
    head, _, exponent = f"{tolerance:.0e}".partition("e")
    return ("" if head == "1" else f"{head} · ") + "10" + str(int(exponent)).translate(_RAISED)


def traced(label: str, field: VectorField, found: Solution, end: Tensor, method: str) -> Trace:
    """A solution as a trace, with the first point's stages where the method's are written out.

    Args:
        label: what was set.
        field: f.
        found: solved between two times, with its path.
        end: (N, D) the true z(t₁).
        method: the solver.
    """
    assert found.path is not None
    states = torch.cat([found.path, found.states[-1:]]).detach()
    times = np.append(found.steps[:, 0].numpy(), float(found.times[-1]))
    points, moves = _stages(field, states, found, method)
    starts = np.searchsorted(found.steps[:, 0].numpy(), found.rejected[:, 0].numpy() - 1e-12)
    tried = states[np.minimum(starts, len(states) - 1), 0] if len(starts) else states.new_zeros(0, states.shape[-1])
    apart = float((states[-1] - end).square().sum(-1).mean().sqrt())
    return Trace(
        label, found.nfe, apart, times, single(states), points, moves, found.rejected.sum(1).numpy(), single(tried)
    )


def _stages(field: VectorField, states: Tensor, found: Solution, method: str) -> tuple[np.ndarray, np.ndarray]:
    count, dim = len(found.steps), states.shape[-1]
    if method not in TABLEAUX or count > STAGED:
        none = np.zeros((count, 0, dim), np.float32)
        return none, none
    points, moves = [], []
    with torch.no_grad():
        for k, (start, size) in enumerate(found.steps.tolist()):
            step = stages(field, states[k, :1], start, size, method)
            points.append(step.places[:, 0])
            moves.append(size * step.slopes[:, 0])
    return single(torch.stack(points)), single(torch.stack(moves))


class SolverWork(View):
    """Error against evaluations for every method on one problem; artifact: ``work``, see `table`."""

    topic: ClassVar[str] = "neural_ode"

    problem: Annotated[ProblemName, SolverRun.model_fields["problem"]] = "lotka-volterra"
    rate: Annotated[float, SolverRun.model_fields["rate"]] = -8.0
    stiffness: Annotated[float, SolverRun.model_fields["stiffness"]] = 2.0

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Solve with each."""
        with alone():
            return {"work": self.table()}

    def table(self) -> bytes:
        """Packed: per method ``nfe:NAME`` and ``error:NAME``, both (K,), of the solves that were finished."""
        run = SolverRun(problem=self.problem, rate=self.rate, stiffness=self.stiffness)
        field, start, span = run.field(), run.start(), run.subject.span
        end = solution(field, start, torch.tensor([0.0, span], dtype=torch.float64))[-1]
        arrays = {}
        for method in ORDERS:
            tried = WORK_TOLERANCES if method in ADAPTIVE else WORK_STEPS
            found = work(Patient(field, forgiving=True), start, end, span, method, tried)
            kept = [k for k, error in enumerate(found.errors) if 0 < error < math.inf]
            arrays[f"nfe:{method}"] = np.array([found.nfe[k] for k in kept], np.float64)
            arrays[f"error:{method}"] = np.array([found.errors[k] for k in kept], np.float64)
        return pack({"size": float(end.square().sum(-1).mean().sqrt())}, arrays)
