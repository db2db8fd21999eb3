"""Continuous flows: the film, a grid's log-density, and one evaluation of field and trace, against the plain ways.

All on a shipped model, in one run. Errors are against float64: RK4 with 80 steps a unit, each frame integrated apart.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmarks.measure import Row, bright_errors, error_columns, timed
from benchmarks.peers import torchdiffeq_log_prob, zuko_log_prob
from dgm_core import zoo
from dgm_core.cnf import traces
from dgm_core.cnf.fast import FastField
from dgm_core.cnf.film import EXTENT, density_film
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.film import lattice
from dgm_core.nn.solvers import Solver

SIZE, FRAMES, GRID, POINTS = 128, 60, 200, 40_000
MODELS = ("cnf-8gaussians", "cnf-checkerboard")
REFERENCE = Solver(method="rk4", steps=80)


def film_rows(name: str, *, every: int, repeats: int = 3) -> list[Row]:
    """60 frames of 128 × 128: integrated apart, and by the composed map.

    Args:
        name: a shipped continuous flow.
        every: the plain ways integrate the middle one of so many frames, and its time counts so many times; 1 for all.
    """
    flow = _flow(name)
    times, nodes = np.linspace(0, 1, FRAMES), _nodes(SIZE)
    some = list(range(every // 2, FRAMES, every))
    truth = {k: _frame(_reference(flow, nodes, times[k]), SIZE) for k in some if times[k] > 0}

    def apart(trace: traces.Trace) -> dict[int, np.ndarray]:
        return {k: _frame(torchdiffeq_log_prob(flow, nodes, times[k], trace=trace), SIZE) for k in truth}

    def composed(refine: bool) -> dict[int, np.ndarray]:
        film = density_film(flow, SIZE, FRAMES, particles=0, arrows=0, grid=0, refine=refine)
        return {k: film.log_prob[k] for k in truth}

    ways: list[tuple[str, int, int, Callable[[], dict[int, np.ndarray]]]] = [
        ("torchdiffeq dopri5 1e-5, each frame apart, trace by autograd", every, 1, lambda: apart(traces.autograd)),
        ("the same, trace in closed form", every, 1, lambda: apart(traces.exact)),
        ("composed flow map", 1, repeats, lambda: composed(True)),
        ("composed flow map, coarse first film (64²)", 1, repeats, lambda: composed(False)),
    ]
    rows: list[Row] = []
    for title, factor, times_over, work in ways:
        seconds, found = timed(work, times_over)
        errors = np.concatenate([bright_errors(found[k], truth[k]) for k in truth])
        rows.append({"model": name, "way": title, "s": seconds * factor, **error_columns(errors)})
    return _with_ratio(rows)


def grid_rows(name: str, *, quick: bool) -> list[Row]:
    """log p at t = 1 of 200 × 200 points."""
    flow, nodes = _flow(name), _nodes(GRID)
    truth = _frame(_reference(flow, nodes, 1.0), GRID)

    def ours(solver: Solver) -> Callable[[], Tensor]:
        return lambda: _without_gradient(flow, nodes, solver)

    ways: list[tuple[str, Callable[[], Tensor]]] = [
        ("torchdiffeq dopri5 1e-5, trace by autograd", lambda: torchdiffeq_log_prob(flow, nodes)),
        *([] if quick else [("zuko", lambda: zuko_log_prob(flow, nodes))]),
        ("ours, dopri5 1e-5", ours(Solver(method="dopri5", tolerance=1e-5))),
        ("ours, RK4 16 steps", ours(Solver(steps=16))),
        ("ours, RK4 8 steps", ours(Solver(steps=8))),
    ]
    rows: list[Row] = []
    for title, work in ways:
        seconds, found = timed(work, 1 if title.startswith(("torch", "zuko")) else 3)
        errors = bright_errors(_frame(found, GRID), truth)
        rows.append({"model": name, "way": title, "s": seconds, **error_columns(errors)})
    return _with_ratio(rows)


def evaluation_rows(name: str) -> list[Row]:
    """Field and exact trace of 40,000 points at one time."""
    flow = _flow(name)
    z = torch.randn(POINTS, 2, generator=torch.Generator().manual_seed(0)) * 2
    t, double = torch.tensor(0.5), copy.deepcopy(flow.field).double()
    exact = double.with_trace(t.double(), z.double())[1].detach()

    def closed() -> Tensor:
        with torch.no_grad():
            return flow.field.with_trace(t, z)[1]

    ways: list[tuple[str, Callable[[], Tensor]]] = [
        ("one autograd call a dimension", lambda: traces.autograd(flow.field, t, z)[1].detach()),
        ("closed form, all points at once", closed),
        ("closed form, time folded in, in blocks", lambda: FastField(flow.field).with_trace(0.5, z)[1]),
    ]
    rows: list[Row] = []
    for title, work in ways:
        work()
        seconds, found = timed(work, 9)
        rows.append(
            {"model": name, "way": title, "s": seconds, "max error of the trace": float((found - exact).abs().max())}
        )
    return _with_ratio(rows)


def tables(*, quick: bool = False, full: bool = False) -> dict[str, list[Row]]:
    """All tables by title.

    Args:
        quick: one model, the plain way on 3 frames, no zuko.
        full: the plain way on all 60 frames.
    """
    every = 1 if full else (20 if quick else 10)
    models = MODELS[:1] if quick else MODELS
    how = "all timed" if full else f"the plain ways timed on every {every}th frame, scaled"
    return {
        f"Film of p_t, {FRAMES} frames of {SIZE} × {SIZE}; {how}": [
            row for name in models for row in film_rows(name, every=every)
        ],
        f"log p on a {GRID} × {GRID} lattice": grid_rows(MODELS[0], quick=quick),
        f"Field and exact trace of {POINTS:,} points": evaluation_rows(MODELS[0]),
    }


def _flow(name: str) -> ContinuousFlow:
    flow = zoo.load(name)
    assert isinstance(flow, ContinuousFlow)
    return flow


def _nodes(size: int) -> Tensor:
    return torch.tensor(lattice(EXTENT, size, size), dtype=torch.float32).reshape(-1, 2)


def _reference(flow: ContinuousFlow, nodes: Tensor, t: float) -> Tensor:
    return _without_gradient(copy.deepcopy(flow).double(), nodes.double(), REFERENCE, t)


@torch.no_grad()
def _without_gradient(flow: ContinuousFlow, nodes: Tensor, solver: Solver, t: float = 1.0) -> Tensor:
    return flow.log_prob(nodes, t=t, solver=solver)


def _frame(log_prob: Tensor, size: int) -> np.ndarray:
    return log_prob.double().numpy().reshape(size, size)


def _with_ratio(rows: list[Row]) -> list[Row]:
    """Each way's speed as a multiple of the first's."""
    return [{**row, "× faster": rows[0]["s"] / row["s"]} for row in rows]
