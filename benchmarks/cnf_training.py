"""How near a flow comes to 8 Gaussians in so many seconds of training, way by way, against the plain ways.

Time is that of training alone; the gap (nats above the target's entropy) is measured afterwards on held-out points with
the averaged weights and a fine solver. Every budget is a training of its own, its learning rate falling to zero at the
budget's end. The median over seeds is reported.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dgm_core.cnf.experiment import POOL, DensityFlow
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.objectives import Batches, FlowMatching, MaximumLikelihood
from dgm_core.cnf.preview import EXACT, log_density
from dgm_core.nn.solvers import Solver
from dgm_core.training.averaged_adam import AveragedAdam, cosine, flatten_parameters, named_views
from dgm_core.training.loop import Objective

CLASSICAL = Solver(method="dopri5", tolerance=1e-5)


@dataclass(frozen=True)
class Way:
    """One way to train.

    Args:
        title: for the table.
        prepare: a flow, its batches and the flat gradient → the objective.
        budgets: seconds.
        peer: whether this is somebody else's way.
        batch, learning_rate: as suit it best.
    """

    title: str
    prepare: Callable[[Any, Batches, Tensor], Objective]
    budgets: tuple[float, ...]
    peer: bool = False
    batch: int = 256
    learning_rate: float = 1e-2


def _likelihood(solver: Solver, *, adjoint: bool = False) -> Callable[[Any, Batches, Tensor], Objective]:
    return lambda flow, batches, gradient: MaximumLikelihood(flow, batches, gradient, solver=solver, adjoint=adjoint)


class ZukoLikelihood:
    """Maximum likelihood by zuko's continuous flow, as its documentation trains it."""

    nfe = 0

    def __init__(self, flow: Any, batches: Batches, gradient: Tensor) -> None:
        self.flow, self.batches, self.gradient = flow, batches, gradient
        for name, parameter in flow.named_parameters():
            parameter.grad = named_views(gradient, flow)[name]

    def figures(self) -> dict[str, float]:
        return {}

    def __call__(self, step: int = 0) -> Tensor:
        self.gradient.zero_()
        loss = -self.flow().log_prob(self.batches.draw()).mean()
        loss.backward()
        return loss.detach()


WAYS: tuple[Way, ...] = (
    Way("flow matching, gradient by hand", FlowMatching, (0.5, 1, 2, 5, 10)),
    Way("flow matching, autograd", lambda f, b, g: FlowMatching(f, b, g, by_hand=False), (0.5, 1, 2, 5, 10)),
    Way("likelihood, RK4 with 6 steps", _likelihood(Solver(steps=6)), (2, 5, 10)),
    Way("likelihood, torchdiffeq dopri5", _likelihood(CLASSICAL), (5, 10), peer=True),
    Way("likelihood, dopri5 and adjoint", _likelihood(CLASSICAL, adjoint=True), (5, 10), peer=True),
    Way("likelihood, zuko's CNF", ZukoLikelihood, (5, 10), peer=True),
)


def rows(*, quick: bool = False, seeds: Iterable[int] = (0, 1)) -> list[dict[str, Any]]:
    """One row for each way and budget: ``way``, ``seconds``, ``gap`` (median), ``gaps``, ``steps``, ``ms_per_step``.

    Args:
        quick: one seed, budgets up to 2 s (5 s for likelihood), the peers left out.
        seeds: of weights and batches.
    """
    found = []
    for way in WAYS:
        if quick and way.peer:
            continue
        for budget in way.budgets:
            if quick and budget not in (1, 2, 5)[: 2 if "matching" in way.title else 3]:
                continue
            found.append(_row(way, budget, (0,) if quick else tuple(seeds)))
    return found


def _row(way: Way, budget: float, seeds: tuple[int, ...]) -> dict[str, Any]:
    runs = [_train(way, budget, seed) for seed in seeds]
    gaps, steps = [gap for gap, _ in runs], [count for _, count in runs]
    return {
        "way": way.title, "seconds": budget, "gap": statistics.median(gaps), "gaps": gaps,
        "steps": int(statistics.median(steps)), "ms_per_step": 1e3 * budget / statistics.median(steps),
    }  # fmt: skip


def _train(way: Way, budget: float, seed: int) -> tuple[float, int]:
    """The gap in nats after ``budget`` seconds, and the steps taken in them."""
    declaration = DensityFlow(seed=seed)
    flow = _zuko(seed) if way.prepare is ZukoLikelihood else declaration.build()
    weights = flatten_parameters(flow)
    generator = torch.Generator().manual_seed(seed)
    batches = Batches(declaration.law().sample(POOL, seed), way.batch, generator)
    optimiser = AveragedAdam(weights, torch.zeros_like(weights))
    objective = way.prepare(flow, batches, optimiser.gradient)
    steps, spent, start = 0, 0.0, time.perf_counter()
    while spent < budget:
        objective()
        optimiser.step(way.learning_rate * cosine(round(1e6 * spent / budget), 1_000_000))
        steps, spent = steps + 1, time.perf_counter() - start
    weights.copy_(optimiser.average)
    return _gap(flow, declaration), steps


def _gap(flow: Any, declaration: DensityFlow) -> float:
    held_out = declaration.held_out()
    if isinstance(flow, ContinuousFlow):
        return held_out.figures(log_density(flow, held_out.points, EXACT))["gap"]
    with torch.no_grad():
        return held_out.figures(torch.cat([flow().log_prob(x) for x in held_out.points.split(1024)]))["gap"]


def _zuko(seed: int) -> Any:
    import zuko

    torch.manual_seed(seed)
    return zuko.flows.CNF(features=2, hidden_features=(64, 64, 64))
