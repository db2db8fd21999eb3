"""A continuous normalizing flow: a field, a standard normal base, a solver.

dz/dt = f(t, z) from the base (t = 0) to the data (t = 1); along it d log p_t/dt = −tr ∂f/∂z (lecture 13; Chen et al.,
Neural ordinary differential equations, 2018, theorem 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dgm_core.cnf.fast import FastField
from dgm_core.cnf.fields import Field
from dgm_core.cnf.traces import Trace, TraceName, exact, named
from dgm_core.nn.solvers import Counted, Solver, State, solve
from dgm_core.nn.threads import alone

_FEW = 64
"""Fewer points than this are not worth folding time into the weights at every evaluation."""


@dataclass(frozen=True)
class Solution:
    """A solve of points and of their log-density.

    Args:
        points: (T, N, D) along the times asked for.
        delta: (T, N) nats, log p_t(z_t) − log p_{t₀}(z_{t₀}) = −∫ tr ∂f/∂z dt from the first time.
        nfe: evaluations of the field.
    """

    points: Tensor
    delta: Tensor
    nfe: int


def standard_normal_log_prob(z: Tensor) -> Tensor:
    """log N(z; 0, I) in nats: (…, D) → (…)."""
    return -0.5 * z.square().sum(-1) - 0.5 * z.shape[-1] * math.log(2 * math.pi)


class ContinuousFlow(nn.Module):
    """A density on R^D: the base N(0, I) moved by a field from t = 0 to t = 1.

    Args:
        field: f, with its trace.
        solver: used where a method is given no other.

    Example:
        >>> from dgm_core.cnf.fields import MLPField
        >>> flow = ContinuousFlow(MLPField(width=8, generator=torch.Generator().manual_seed(0)))
        >>> flow.log_prob(torch.zeros(5, 2)).shape, flow.nfe
        (torch.Size([5]), 64)
        >>> flow.sample(3, torch.Generator().manual_seed(0)).shape
        torch.Size([3, 2])
    """

    def __init__(self, field: Field, solver: Solver | None = None) -> None:
        super().__init__()
        self.field = field
        self.solver = solver or Solver()
        self._counter: Counted | None = None

    @property
    def dim(self) -> int:
        """D."""
        return self.field.dim

    @property
    def nfe(self) -> int:
        """Evaluations of the field in the last solve, those of the adjoint's backward pass included."""
        return self._counter.nfe if self._counter is not None else 0

    def log_prob(
        self,
        x: Tensor,
        *,
        t: float = 1.0,
        solver: Solver | None = None,
        trace: TraceName | Trace = "exact",
        generator: torch.Generator | None = None,
        adjoint: bool = False,
    ) -> Tensor:
        """log p_t(x) in nats, differentiable in x and in the weights: log p_0(z_0) − ∫_0^t tr ∂f/∂z dt.

        Args:
            x: points, (N, D).
            t: the time at which the density is asked for; 1 is the data's.
            solver: instead of the flow's own.
            trace: exact, or one Hutchinson probe for each point: unbiased for training, far off as a picture.
            generator: source of the probes.
            adjoint: gradient by the adjoint method instead of backpropagation through the steps.

        Returns:
            (N,).

        Raises:
            SolverError: when an adaptive solver cannot go on.
        """
        if t == 0:
            return standard_normal_log_prob(x)
        solution = self.solve_with_log_prob(
            x, (t, 0.0), solver=solver, trace=trace, generator=generator, adjoint=adjoint
        )
        return standard_normal_log_prob(solution.points[-1]) - solution.delta[-1]

    def sample(self, n: int, generator: torch.Generator | None = None, *, solver: Solver | None = None) -> Tensor:
        """n samples at t = 1, without gradient: (n, D)."""
        with torch.no_grad():
            return self.trajectory(self.base_sample(n, generator), (0.0, 1.0), solver=solver)[-1]

    def base_sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n points of N(0, I), (n, D), on the flow's device; equal generators give equal points on every device."""
        weight = next(self.field.parameters())
        source = generator.device if generator is not None else torch.device("cpu")
        return torch.randn(n, self.dim, generator=generator, dtype=weight.dtype, device=source).to(weight.device)

    @torch.no_grad()
    def velocity(self, t: float, x: Tensor) -> Tensor:
        """f(t, x) without gradient: (N, D) → (N, D)."""
        return FastField(self.field).velocity(t, x)

    def trajectory(self, x: Tensor, times: Sequence[float] | Tensor, *, solver: Solver | None = None) -> Tensor:
        """Where the points x (N, D), given at times[0], are at each of ``times``: (T, N, D)."""

        fast = FastField(self.field) if self._frozen(x) else None

        def velocity(t: Tensor, state: State) -> State:
            return (fast.velocity(float(t), state[0]) if fast else self.field(t, state[0]),)

        self._counter = Counted(velocity)
        with alone() if fast else nullcontext():
            return solve(self._counter, (x,), _floats(times), solver or self.solver)[0]

    def solve_with_log_prob(
        self,
        x: Tensor,
        times: Sequence[float] | Tensor,
        *,
        solver: Solver | None = None,
        trace: TraceName | Trace = "exact",
        generator: torch.Generator | None = None,
        adjoint: bool = False,
    ) -> Solution:
        """Points x (N, D), given at times[0], and the change of their log-density along ``times``."""
        estimate = named(trace, x, generator) if isinstance(trace, str) else trace
        fast = FastField(self.field) if estimate is exact and self._frozen(x) else None

        def augmented(t: Tensor, state: State) -> State:
            z = state[0]
            velocity, divergence = fast.with_trace(float(t), z) if fast else estimate(self.field, t, z)
            return velocity, -divergence

        self._counter = Counted(augmented)
        start = (x, torch.zeros_like(x[:, 0]))
        parameters = tuple(self.field.parameters()) if adjoint else None
        with alone() if fast else nullcontext():
            points, delta = solve(self._counter, start, _floats(times), solver or self.solver, parameters)
        return Solution(points, delta, self._counter.nfe)

    def _frozen(self, x: Tensor) -> bool:
        """Whether the fast evaluation may be used: nobody asks for a gradient, and there are enough points."""
        wanted = x.requires_grad or any(weight.requires_grad for weight in self.field.parameters())
        return len(x) >= _FEW and not (torch.is_grad_enabled() and wanted)


def _floats(times: Sequence[float] | Tensor) -> list[float]:
    return [float(t) for t in times]
