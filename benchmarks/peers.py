"""Log-density as other libraries' users compute it, on the same weights."""

from __future__ import annotations

import torch
import torchdiffeq
import zuko
from torch import Tensor

from dgm_core.cnf import traces
from dgm_core.cnf.flow import ContinuousFlow, standard_normal_log_prob

TOLERANCE = 1e-5


def torchdiffeq_log_prob(
    flow: ContinuousFlow, x: Tensor, t: float = 1.0, *, trace: traces.Trace = traces.autograd
) -> Tensor:
    """torchdiffeq's dopri5 at 1e-5; by default the trace by one autograd call for each dimension: the plain way."""

    def dynamics(time: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        velocity, divergence = trace(flow.field, time, state[0])
        return velocity.detach(), -divergence.detach()

    start = (x, torch.zeros_like(x[:, 0]))
    times = torch.tensor([t, 0.0], dtype=x.dtype, device=x.device)
    points, change = torchdiffeq.odeint(dynamics, start, times, rtol=TOLERANCE, atol=TOLERANCE, method="dopri5")
    return standard_normal_log_prob(points[-1]) - change[-1]


@torch.no_grad()
def zuko_log_prob(flow: ContinuousFlow, x: Tensor) -> Tensor:
    """zuko's free-form flow with its default tolerances and the exact trace."""
    ends = (torch.tensor(1.0, dtype=x.dtype), torch.tensor(0.0, dtype=x.dtype))
    transform = zuko.transforms.FreeFormJacobianTransform(lambda t, z: flow.field(t, z), t0=ends[0], t1=ends[1])
    base, log_det = transform.call_and_ladj(x)
    return standard_normal_log_prob(base) + log_det
