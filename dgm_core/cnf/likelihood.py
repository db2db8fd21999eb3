"""Maximum likelihood for flows: −(1/N) Σ log p(x_n), whose minimum over all densities is the data's entropy.

A continuous flow pays for each log p with a solve of the augmented ODE (Chen et al. 2018, eq. 8). Its trace is exact or
one random probe (Grathwohl et al. 2019, eq. 8); its gradient goes back through the solver's steps, or through the
adjoint ODE (Chen et al. 2018, algorithm 1). A planar flow's density is exact.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.cnf.traces import TraceName
from dgm_core.nn.solvers import Solver


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
        SolverError: when an adaptive solver cannot go on.

    Example:
        >>> from dgm_core.cnf.fields import PlanarField
        >>> flow = ContinuousFlow(PlanarField(units=4, generator=torch.Generator().manual_seed(0)))
        >>> negative_log_likelihood(flow, torch.zeros(8, 2), solver=Solver(steps=4)).shape
        torch.Size([])
    """
    if isinstance(flow, PlanarFlow):
        return -flow.log_prob(x).mean()
    return -flow.log_prob(x, solver=solver, trace=trace, adjoint=adjoint, generator=generator).mean()


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
