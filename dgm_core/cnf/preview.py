"""What a training shows while it runs: the held-out likelihood and a small picture, from a snapshot of the weights."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from dgm_core.cnf.fast import FastField
from dgm_core.cnf.flow import ContinuousFlow, standard_normal_log_prob
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.film import Extent, lattice
from dgm_core.nn.solvers import Solver, State, grid, step
from dgm_core.training.averaged_adam import flatten_parameters

Flow = ContinuousFlow | PlanarFlow

EXTENT: Extent = (-4.0, 4.0, -4.0, 4.0)
SIZE = 64
SAMPLES = 512
RUNNING = 1_024
"""Held-out points of the figures while a training runs; the last figures take all."""
COARSE = Solver(method="rk4", steps=4)
"""For pictures: 99 % of held-out points within 0.3 nats on the default flow, good enough for 64 × 64 cells."""
QUICK = Solver(method="rk4", steps=6)
"""For running figures: 99 % within 0.07 nats, their mean within 0.002."""
FINE = Solver(method="rk4", steps=12)
"""For both, of a flow that is trained through a solver."""
EXACT = Solver(method="rk4", steps=24)
"""For figures that are kept."""


def log_density(flow: Flow, x: Tensor, solver: Solver) -> Tensor:
    """log p(x) in nats without gradient, (N, 2) → (N,); of a fixed-step solver's method and steps, backwards in time.

    A planar flow's density is exact and needs no solver.
    """
    if isinstance(flow, PlanarFlow):
        with torch.no_grad():
            return flow.log_prob(x)
    # Made anew for every call, since the weights change between two of them.
    fast = FastField(flow.field)

    def dynamics(t: Tensor, state: State) -> State:
        velocity, trace = fast.with_trace(float(t), state[0])
        return velocity, -trace

    state: State = (x, torch.zeros_like(x[:, 0]))
    for start, end in pairwise(grid(1.0, 0.0, solver.steps)):
        state = step(dynamics, solver.method, start, end - start, state)
    return standard_normal_log_prob(state[0]) - state[1]


def push(flow: Flow, base: Tensor, solver: Solver) -> Tensor:
    """Base points (N, 2) carried to t = 1 without gradient: (N, 2)."""
    if isinstance(flow, PlanarFlow):
        with torch.no_grad():
            return flow.trajectory(base, (0.0, 1.0))[-1]
    fast = FastField(flow.field)
    state: State = (base,)
    for start, end in pairwise(grid(0.0, 1.0, solver.steps)):
        state = step(lambda t, y: (fast.velocity(float(t), y[0]),), solver.method, start, end - start, state)
    return state[0]


@dataclass(frozen=True)
class HeldOut:
    """Points that no training sees, and what their own law says about them.

    Args:
        points: (N, 2).
        log_prob: (N,), the target's own density there, or None where none is known.
        entropy: the target's, in nats, or None.
    """

    points: Tensor
    log_prob: Tensor | None
    entropy: float | None

    def first(self, n: int) -> HeldOut:
        """The first n of these points."""
        return HeldOut(self.points[:n], self.log_prob[:n] if self.log_prob is not None else None, self.entropy)

    def figures(self, log_prob: Tensor) -> dict[str, float]:
        """The held-out NLL in nats and, where the target is known, its gap to the entropy with a standard error.

        The gap is the mean of log p_target − log p_model over the same points: an unbiased estimate of
        KL(target ‖ model) that varies far less than the NLL itself does. The NLL is then the entropy plus the gap.

        Args:
            log_prob: the model's, at ``points``, (N,).
        """
        scores = -log_prob.double()
        if self.log_prob is None or self.entropy is None:
            return {"nll": float(scores.mean()), "nll_error": _standard_error(scores)}
        scores = scores + self.log_prob.double()
        gap = float(scores.mean())
        return {"nll": self.entropy + gap, "gap": gap, "nll_error": _standard_error(scores)}


def _standard_error(values: Tensor) -> float:
    return float(values.std()) / math.sqrt(len(values))


class Snapshot:
    """A copy of the model that is evaluated while the model itself trains on.

    Args:
        model: copied.
        held_out: for the figures.
        seed: of the base points behind the samples; they stay the same, so that samples move smoothly as it trains.
        fine: more solver steps, for fields that may be steeper than those of flow matching.
    """

    def __init__(self, model: Flow, held_out: HeldOut, seed: int, *, fine: bool = False) -> None:
        self.running, self.coarse = (FINE, FINE) if fine else (QUICK, COARSE)
        self.model: Flow = copy.deepcopy(model).eval()
        self.flat = flatten_parameters(self.model)
        self.held_out = held_out
        noise = torch.randn(SAMPLES, 2, generator=torch.Generator().manual_seed(seed))
        self.base = noise.to(self.flat.device)
        self.lattice = torch.from_numpy(lattice(EXTENT, SIZE, SIZE).reshape(-1, 2)).to(self.flat)

    def look(self, weights: Tensor, step: int, *, last: bool) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """The held-out figures and the picture for flat ``weights`` (P,); ``last`` takes the exact figures."""
        return self.figures(weights, exact=last), self.picture(weights)

    def figures(self, weights: Tensor, *, exact: bool = False) -> dict[str, float]:
        """The held-out figures for flat ``weights`` (P,); ``exact`` for the last ones: all points, more steps."""
        self._take(weights)
        held_out, solver = (self.held_out, EXACT) if exact else (self.held_out.first(RUNNING), self.running)
        return held_out.figures(log_density(self.model, held_out.points, solver))

    def picture(self, weights: Tensor) -> dict[str, np.ndarray]:
        """``log_prob`` (64, 64) over `EXTENT`, row 0 at ymin, and ``samples`` (512, 2): float16."""
        self._take(weights)
        density = log_density(self.model, self.lattice, self.coarse).clamp(-1e4, 1e4)
        return {
            "log_prob": density.view(SIZE, SIZE).half().cpu().numpy(),
            "samples": push(self.model, self.base, self.coarse).clamp(-1e3, 1e3).half().cpu().numpy(),
        }

    def _take(self, weights: Tensor) -> None:
        with torch.no_grad():
            self.flat.copy_(weights)
