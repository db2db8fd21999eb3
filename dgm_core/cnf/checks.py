"""What theory fixes about a flow beside what this flow gives: the page's Check table.

Every tolerance stands with its reason in the docstring of the check. All of them together take about two seconds for a
field of three layers of 64.
"""

from __future__ import annotations

import copy
import math
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from dgm_core.checks import Check
from dgm_core.cnf import trace_checks
from dgm_core.cnf.film import AnyFlow
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.film import Extent, Film
from dgm_core.nn.solvers import Solver

_POINTS = 64
_HELD_OUT = 4_096
_OUTSIDE = 4_096

_BROKEN = 0.1
"""A mass this far off comes from a film that broke down, not from one that is rough."""


class Sampled(Protocol):
    """What is asked of a target; `dgm_core.data.target.Target` is one."""

    @property
    def entropy(self) -> float | None:
        """In nats, where it is known."""

    @property
    def entropy_error(self) -> float:
        """How far it may be off."""

    def sample(self, n: int, seed: int = 0) -> Tensor:
        """(n, 2)."""


def checks(flow: AnyFlow, film: Film, target: Sampled, seed: int = 0) -> list[Check]:
    """All checks that apply to this flow, in the page's order.

    Args:
        flow: trained; continuous or planar, on any device. The checks run on the CPU.
        film: its film, for the mass at every shown t.
        target: what it was trained on.
        seed: of all points and probes.
    """
    single = copy.deepcopy(flow).cpu()
    double = copy.deepcopy(single).double()
    x = target.sample(_HELD_OUT, seed)
    few = x[:_POINTS].double()
    found = [mass(single, film, seed), inverse(double, few)]
    if isinstance(double, ContinuousFlow):
        found += [
            trace_checks.trace_against_autograd(double, few),
            trace_checks.change_of_variables(double, few),
            trace_checks.sum_of_fields(double.field, few, seed),
            *trace_checks.hutchinson_moments(double.field, few, seed),
            trace_checks.adjoint_gradient(double, few),
        ]
    else:
        found += [determinant(double, few), invertible(double)]
    return found + likelihood(single, x, target)


def mass(flow: AnyFlow, film: Film, seed: int) -> Check:
    """∫ p_t dx at the shown time where it is farthest from 1: the film's sum, and the share of samples off the picture.

    Tolerance 0.01: the film may be off by 0.01 nats, which is 1 % of the mass wherever it is; the share outside has a
    standard error of at most 0.002 as long as it stays below 2 %.
    """
    xmin, xmax, ymin, ymax = film.extent
    height, width = film.log_prob.shape[1:]
    inside = np.exp(film.log_prob.astype(np.float64)).sum((1, 2)) * ((xmax - xmin) * (ymax - ymin) / (height * width))
    total = inside + _share_outside(flow, film.times, film.extent, seed)
    worst = int(np.argmax(np.abs(total - 1)))
    where = f"at t = {film.times[worst]:.2f}; {1 - inside.min():.1%} at most lie off the picture"
    if abs(total[worst] - 1) > _BROKEN:
        where = f"at t = {film.times[worst]:.2f}: the field is too steep for the film's steps; the error is the film's"
    return Check(
        r"$\int p_t(x)\,dx$, farthest from 1 of all shown $t$", float(total[worst]), 1.0, 1e-2, "tolerance", "",
        "p_t is a density", where,
    )  # fmt: skip


def inverse(flow: AnyFlow, x: Tensor) -> Check:
    """‖x − F(F⁻¹(x))‖, the largest over data points, in float64.

    Tolerance 1e-3: RK4 with 64 steps there and back on fields with bends of order 10; the picture's cells are 60 times
    as wide. A planar layer is undone to float precision.
    """
    with torch.no_grad():
        if isinstance(flow, PlanarFlow):
            base = flow.trajectory(x, (1.0, 0.0))[-1]
            back = flow.trajectory(base, (0.0, 1.0))[-1]
        else:
            solver = Solver(method="rk4", steps=64)
            base = flow.trajectory(x, (1.0, 0.0), solver=solver)[-1]
            back = flow.trajectory(base, (0.0, 1.0), solver=solver)[-1]
    worst = float((back - x).norm(dim=1).max())
    return Check(r"$\|x - F(F^{-1}(x))\|$, largest", worst, 0.0, 1e-3, "tolerance", "", "a flow is invertible",
                 f"{len(x)} data points")  # fmt: skip


def determinant(flow: PlanarFlow, x: Tensor) -> Check:
    """Σ log |1 + ûᵀψ| against log |det| of autograd's Jacobian; tolerance 1e-9 in float64."""
    x = x.clone().requires_grad_(True)
    solution = flow.solve_with_log_prob(x, (1.0, 0.0))
    rows = [torch.autograd.grad(solution.points[-1][:, d].sum(), x, retain_graph=True)[0] for d in range(flow.dim)]
    log_det = torch.linalg.slogdet(torch.stack(rows, dim=1)).logabsdet
    return Check(
        r"$\sum_k \log|1 + \hat u_k^\top \psi_k| = \log|\det \partial F^{-1}/\partial x|$",
        float((solution.delta[-1] + log_det).detach().abs().max()), 0.0, 1e-9, "tolerance", "nats",
        "Rezende & Mohamed 2015, eq. 12",
    )  # fmt: skip


def invertible(flow: PlanarFlow) -> Check:
    """min_k wᵀû, which has to stay above −1 for every layer to be invertible."""
    along = float((flow.w * flow.pushes()).sum(-1).detach().min())
    return Check(r"$-w_k^\top \hat u_k$, largest of all layers", -along, 1.0, 0.0, "at most", "",
                 "Rezende & Mohamed 2015, appendix A.1")  # fmt: skip


def likelihood(flow: AnyFlow, x: Tensor, target: Sampled) -> list[Check]:
    """Entropy minus mean NLL, −KL(target ‖ flow): at most 0 but for chance; nothing where the entropy is not known.

    The error is 4 standard errors of the mean NLL and the entropy's own. Its size is how far training has come.
    """
    entropy = target.entropy
    if entropy is None:
        return []
    with torch.no_grad():
        nll = -flow.log_prob(x)
    mean, error = float(nll.mean()), float(nll.std()) / math.sqrt(len(nll))
    return [Check(
        r"$H(p_{\mathrm{data}}) - E[-\log p_1(x)] = -\mathrm{KL} \leq 0$",
        entropy - mean, 0.0, 4 * error + target.entropy_error, "at most", "nats", "Gibbs' inequality",
        f"mean NLL {mean:.3f} ± {error:.3f}, entropy {entropy:.3f}, {len(nll):,} points",
    )]  # fmt: skip


def _share_outside(flow: AnyFlow, times: np.ndarray, extent: Extent, seed: int) -> np.ndarray:
    """The share of samples of each p_t that lie off the picture: (T,)."""
    base = flow.base_sample(_OUTSIDE, torch.Generator().manual_seed(seed))
    moments = times.tolist()
    with torch.no_grad():
        if isinstance(flow, PlanarFlow):
            points = flow.trajectory(base, moments)
        else:
            points = flow.trajectory(base, moments, solver=Solver(method="midpoint", steps=max(24, len(times) - 1)))
    xmin, xmax, ymin, ymax = extent
    x, y = points[..., 0], points[..., 1]
    outside = (x < xmin) | (x > xmax) | (y < ymin) | (y > ymax)
    return outside.double().mean(1).cpu().numpy()
