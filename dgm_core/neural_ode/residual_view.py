"""Residual blocks over the flow that they tend to, for every depth up to 64, as a page shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from dgm_core.checks import Check, write_checks
from dgm_core.declaration import extra
from dgm_core.film import Extent, lattice
from dgm_core.neural_ode.orders import slope
from dgm_core.neural_ode.problems import PROBLEMS, quantities
from dgm_core.neural_ode.residual import residual
from dgm_core.neural_ode.scene import Scene, Trace
from dgm_core.neural_ode.vector_fields import VectorField
from dgm_core.views import Made, View

DEEPEST = 64
GRID = 19
FINE = 0.11
"""t₁/L times the field's steepness below which the order is expected to show."""
SPREAD = {"vortex": 0.8, "spiral": 0.45, "harmonic": 0.3, "lotka-volterra": 0.2, "van-der-pol": 0.5}
PlaneName = Literal["vortex", "spiral", "harmonic", "lotka-volterra", "van-der-pol"]
TITLES = {name: PROBLEMS[name].title for name in SPREAD}


class ResidualDepths(View):
    """L = 1 … 64 residual blocks with shared weights on a cloud of points; artifact: ``scene``, a `Scene`."""

    topic: ClassVar[str] = "neural_ode"

    problem: Annotated[
        PlaneName,
        Field(
            title="Field f",
            description="What each block adds, divided by L.",
            json_schema_extra=extra(basic=True, labels=TITLES),
        ),
    ] = "vortex"
    span: Annotated[
        float,
        Field(
            ge=0.25,
            le=8.0,
            title="Time t₁",
            description="A block adds t₁ f / L; the flow runs from 0 to t₁.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 1.0
    points: Annotated[
        int,
        Field(
            ge=1,
            le=500,
            title="Points",
            description="How many start.",
            json_schema_extra=extra(basic=True, unit="points", log=True),
        ),
    ] = 60
    seed: Annotated[
        int,
        Field(ge=0, le=999_999, title="Seed", description="Of where they start.", json_schema_extra=extra()),
    ] = 0

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Run the blocks."""
        scene = self.scene()
        return {"scene": scene.to_bytes(), "checks": write_checks(self.checks(scene))}

    def checks(self, scene: Scene) -> list[Check]:
        """What theory fixes of blocks that share their weights."""
        field = PROBLEMS[self.problem].field()
        found = [
            Check("z_{l+1} − z_l − t₁ f(z_l)/L, largest share of |z|", _mismatch(field, self.span, scene), 0.0, 1e-5,
                  "at most", source="lecture 13, residual networks"),
            *(_asymptotic(scene) if self.span / DEEPEST * _steepness(field, scene) < FINE else []),
        ]  # fmt: skip
        for quantity in quantities(field):
            values = quantity.of(torch.from_numpy(scene.flow.astype(float)))
            drift = float((values - values[0]).abs().max())
            found.append(
                Check(f"{quantity.name} along the flow, largest change", drift, 0.0, 1e-5, "at most",
                      source="conserved by the field", note="The drawn numbers are single precision.")
            )  # fmt: skip
        return found

    def start(self) -> Tensor:
        """Where the points start, (N, 2) float64."""
        start = PROBLEMS[self.problem].start(self.points, SPREAD[self.problem], self.seed)
        return start.abs() if self.problem == "lotka-volterra" else start  # no fewer than no animals

    def scene(self) -> Scene:
        """The blocks of every depth over the flow."""
        problem = PROBLEMS[self.problem]
        field = problem.field()
        found = residual(field, self.start(), self.span, range(1, DEEPEST + 1))
        none = np.zeros((0, 2), np.float32)
        traces = []
        for depth, line, error in zip(found.depths, found.lines, found.errors, strict=True):
            empty = np.zeros((depth, 0, 2), np.float32)
            times = np.linspace(0, self.span, depth + 1)
            traces.append(Trace(f"L = {depth}", depth, error, times, single(line), empty, empty, np.zeros(0), none))
        return Scene(
            found.times.numpy(), single(found.curves), problem.window, arrows(field, problem.window), tuple(traces)
        )


def _asymptotic(scene: Scene) -> list[Check]:
    """What holds once a block is small against the distance over which the field changes."""
    deep = [(trace.nfe, trace.error) for trace in scene.traces if trace.nfe >= DEEPEST // 2]
    line = slope([math.log(depth) for depth, _ in deep], [math.log(error) for _, error in deep])
    return [
        Check(f"slope of log error on log L, L ≥ {DEEPEST // 2}", line.value, -1.0, 0.15, "tolerance",
              source="Euler's method has order 1", note="Twice the blocks, half the error."),
        _richardson(scene),
    ]  # fmt: skip


def _steepness(field: VectorField, scene: Scene) -> float:
    """The largest |∂f/∂z| along the flow, in the spectral norm."""
    places = torch.from_numpy(scene.flow[::10].reshape(-1, scene.flow.shape[-1]).astype(float))
    slopes = torch.func.vmap(torch.func.jacrev(lambda z: field(torch.zeros(()), z.unsqueeze(0))[0]))(places)
    return float(torch.linalg.matrix_norm(slopes.detach(), 2).max())


def _mismatch(field: VectorField, span: float, scene: Scene) -> float:
    most = 0.0
    for trace in scene.traces:
        z = torch.from_numpy(trace.states.astype(float))
        with torch.no_grad():
            step = field(torch.tensor(0.0), z[:-1].reshape(-1, z.shape[-1])).reshape(z[:-1].shape) * span / trace.nfe
        apart = (z[1:] - z[:-1] - step).abs().max() / z.abs().max()
        most = max(most, float(apart))
    return most


def _richardson(scene: Scene) -> Check:
    """Half the step twice: what is left after Euler's leading error is taken away."""
    whole, half = (scene.traces[depth - 1].states[-1].astype(float) for depth in (DEEPEST // 2, DEEPEST))
    end = scene.flow[-1].astype(float)
    left, before = (np.sqrt(((z - end) ** 2).sum(-1).mean()) for z in (2 * half - whole, half))
    return Check(
        "error of 2 z₆₄ − z₃₂, as a share of z₆₄'s", float(left / before), 0.0, 0.25, "at most",
        source="the error is c/L + O(1/L²)", note="Richardson's extrapolation takes c/L away.",
    )  # fmt: skip


def single(states: Tensor) -> np.ndarray:
    """Single precision; what has left every picture stays finite or not as it is."""
    with np.errstate(over="ignore"):
        return states.detach().numpy().astype(np.float32)


def arrows(field: VectorField, window: Extent) -> np.ndarray:
    """A field of the plane at the centres of a lattice of cells over a window, (G, G, 2) float32."""
    places = torch.from_numpy(np.ascontiguousarray(lattice(window, GRID, GRID)).reshape(-1, 2)).double()
    with torch.no_grad():
        found = field(torch.tensor(0.0, dtype=torch.float64), places)
    return single(found.reshape(GRID, GRID, 2))
