"""Maximum likelihood for flows: −(1/N) Σ log p(x_n), whose minimum over all densities is the data's entropy.

A continuous flow pays for each log p with a solve of the augmented ODE (Chen et al. 2018, eq. 8). Its trace is exact or
one random probe (Grathwohl et al. 2019, eq. 8); its gradient goes back through the solver's steps, or through the
adjoint ODE (Chen et al. 2018, algorithm 1). A planar flow's density is exact.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_core.cnf.fields import Field
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.cnf.traces import Trace, TraceName, named
from dgm_core.nn.solvers import Solver, SolverError

MAX_EVALUATIONS = 2_000
"""In one training step; a sensible field needs tens, and every one is kept in memory for the gradient."""


def negative_log_likelihood(
    flow: ContinuousFlow | PlanarFlow,
    x: Tensor,
    *,
    solver: Solver | None = None,
    trace: TraceName = "exact",
    adjoint: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """−(1/N) Σ log p(x_n) in nats, shape (), differentiable in the weights.

    Args:
        flow: continuous or planar.
        x: data, (N, 2).
        solver: of a continuous flow, instead of its own; it is what the flow is trained through.
        trace: of a continuous flow; ``"gaussian"`` and ``"rademacher"`` draw one probe a point, fixed during the solve.
        adjoint: gradient by the adjoint ODE instead of through the solver's steps.
        generator: source of the probes.

    Raises:
        SolverError: when an adaptive solver cannot go on, or needs more than `MAX_EVALUATIONS`.

    Example:
        >>> from dgm_core.cnf.fields import PlanarField
        >>> flow = ContinuousFlow(PlanarField(units=4, generator=torch.Generator().manual_seed(0)))
        >>> negative_log_likelihood(flow, torch.zeros(8, 2), solver=Solver(steps=4)).shape
        torch.Size([])
    """
    if isinstance(flow, PlanarFlow):
        return -flow.log_prob(x).mean()
    limited = _limited(named(trace, x, generator))
    return -flow.log_prob(x, solver=solver, trace=limited, adjoint=adjoint).mean()


def _limited(trace: Trace) -> Trace:
    """The same trace, which gives up after `MAX_EVALUATIONS`."""
    evaluations = 0

    def counted(field: Field, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        nonlocal evaluations
        evaluations += 1
        if evaluations > MAX_EVALUATIONS:
            raise SolverError(
                f"One training step needed more than {MAX_EVALUATIONS:,} evaluations of the field: it has become too "
                "steep for this solver; a smaller learning rate or a larger tolerance may help"
            )
        return trace(field, t, z)

    return counted


def clip_norm_(gradient: Tensor, limit: float) -> Tensor:
    """Scale ``gradient`` (P,) in place to a Euclidean norm of at most ``limit``; returns the norm before.

    Example:
        >>> gradient = torch.tensor([3.0, 4.0])
        >>> clip_norm_(gradient, 1.0).item(), [round(g, 4) for g in gradient.tolist()]
        (5.0, [0.6, 0.8])
    """
    norm = gradient.norm()
    gradient.mul_((limit / (norm + 1e-12)).clamp(max=1.0))
    return norm
