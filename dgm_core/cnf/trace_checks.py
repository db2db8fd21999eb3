"""Checks of what the trace is and does: instantaneous change of variables, sums of fields, random probes, the adjoint.

All in float64, so that only the mathematics is left to disagree; the points and probes come from a seed.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dgm_core.checks import Check
from dgm_core.cnf import traces
from dgm_core.cnf.fields import Field, PlanarField
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.nn.solvers import Solver

_POINTS = 64
_PROBES = 20_000
_FINE = Solver(method="rk4", steps=48)
_ROUNDING = 1e-9


def trace_against_autograd(flow: ContinuousFlow, x: Tensor) -> Check:
    """d log p_t/dt = −tr ∂f/∂z: the closed form against one autograd call for each dimension, the largest difference.

    Tolerance 1e-9 relative to the largest trace: float64 rounds at 1e-16, a few hundred terms are summed.
    """
    worst, largest = 0.0, 1.0
    for t in (0.0, 0.25, 0.5, 0.75, 1.0):
        time = torch.tensor(t, dtype=x.dtype)
        exact = flow.field.with_trace(time, x)[1].detach()
        worst = max(worst, float((exact - traces.autograd(flow.field, time, x)[1].detach()).abs().max()))
        largest = max(largest, float(exact.abs().max()))
    return Check(
        r"$\partial \log p_t/\partial t = -\mathrm{tr}\,\partial f/\partial z$ against autograd",
        worst, 0.0, _ROUNDING * largest, "tolerance", "nats per unit of time", "Chen et al. 2018, theorem 1",
        f"largest trace {largest:.1f}",
    )  # fmt: skip


def change_of_variables(flow: ContinuousFlow, x: Tensor) -> Check:
    """−∫ tr dt against log |det ∂Φ/∂x| of the flow map, whose Jacobian autograd finds through the solver's steps.

    Tolerance 1e-3 nats: the two discretise the same ODE differently, and RK4 with 48 steps leaves 3e-5 on a field
    trained on 8 Gaussians, more on steeper ones.
    """
    x = x[: _POINTS // 2].clone().requires_grad_(True)
    solution = flow.solve_with_log_prob(x, (1.0, 0.0), solver=_FINE)
    base = solution.points[-1]
    rows = [torch.autograd.grad(base[:, d].sum(), x, retain_graph=True)[0] for d in range(x.shape[1])]
    log_det = torch.linalg.slogdet(torch.stack(rows, dim=1)).logabsdet
    # log p_1(x) = log p_0(Φ(x)) + log |det ∂Φ/∂x|, so the change towards the base is −log |det|.
    worst = float((solution.delta[-1] + log_det).detach().abs().max())
    return Check(
        r"$\int_0^1 \mathrm{tr}\,\partial f/\partial z\,dt = -\log|\det \partial F^{-1}/\partial x|$",
        worst, 0.0, 1e-3, "tolerance", "nats", "change of variables",
    )  # fmt: skip


def sum_of_fields(field: Field, x: Tensor, seed: int) -> Check:
    """The trace of a sum of planar units against the sum of their traces, each by autograd.

    The flow's own units where it has them, else 16 units drawn from the seed. Tolerance 1e-9 relative, as above.
    """
    planar = field
    if not isinstance(planar, PlanarField):
        planar = PlanarField(x.shape[1], 16, generator=torch.Generator().manual_seed(seed)).to(x)
    t, total = torch.tensor(0.5, dtype=x.dtype), torch.zeros_like(x[:, 0])
    for unit in range(len(planar.b)):
        total += traces.autograd(_unit(planar, unit), t, x)[1].detach()
    whole = planar.with_trace(t, x)[1].detach()
    return Check(
        r"$\mathrm{tr}\sum_m \partial f_m/\partial z = \sum_m \mathrm{tr}\,\partial f_m/\partial z$",
        float((whole - total).abs().max()), 0.0, _ROUNDING * max(1.0, float(whole.abs().max())), "tolerance",
        "nats per unit of time", "Chen et al. 2018, eq. 9–10", f"{len(planar.b)} planar units",
    )  # fmt: skip


def hutchinson_moments(field: Field, x: Tensor, seed: int) -> list[Check]:
    """Mean and variance of εᵀ(∂f/∂z)ε over many probes at one point, Gaussian and Rademacher, against theory.

    The variance is taken about the exact trace; standard errors come from the probes' second and fourth moments.
    """
    t, z = torch.tensor(0.5, dtype=x.dtype), x[:1]
    jacobian = field.with_jacobian(t, z)[1][0].detach()
    exact, checks = float(jacobian.trace()), []
    formulas = {"gaussian": r"2\|S\|_F^2", "rademacher": r"2(\|S\|_F^2 - \sum_i s_{ii}^2)"}
    kinds: tuple[traces.Noise, ...] = ("gaussian", "rademacher")
    for noise in kinds:
        generator = torch.Generator().manual_seed(seed)
        many = z.expand(_PROBES, -1)
        probes = traces.draw(noise, many, generator)
        with torch.no_grad():
            values = traces.hutchinson(field, t, many.contiguous(), probes)[1]
        squares = (values - exact).square()
        variance = float(traces.probe_variance(jacobian, noise))
        slack = _ROUNDING * (1 + abs(exact) + variance)
        checks.append(Check(
            rf"$E\,\varepsilon^\top A\varepsilon = \mathrm{{tr}} A$, {noise.capitalize()} probes",
            float(values.mean()), exact, float(values.std()) / math.sqrt(_PROBES) + slack, "standard error",
            "nats per unit of time", "Hutchinson 1990", f"{_PROBES:,} probes",
        ))  # fmt: skip
        checks.append(Check(
            rf"$\mathrm{{Var}}\,\varepsilon^\top A\varepsilon = {formulas[noise]}$, {noise.capitalize()} probes",
            float(squares.mean()), variance, float(squares.std()) / math.sqrt(_PROBES) + slack, "standard error",
            "(nats per unit of time)²", "moments of quadratic forms", "S is the symmetric part of A",
        ))  # fmt: skip
    return checks


def adjoint_gradient(flow: ContinuousFlow, x: Tensor) -> Check:
    """The gradient of the mean NLL by the adjoint method against backpropagation: relative difference of the vectors.

    Tolerance 1e-2: both are right up to the solver's error, RK4 with 48 steps, but discretise in another order.
    """
    few, solver = x[: _POINTS // 4], _FINE
    weights = list(flow.field.parameters())
    gradients = []
    for adjoint in (False, True):
        loss = -flow.log_prob(few, solver=solver, adjoint=adjoint).mean()
        gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights)]))
    back, forth = gradients
    return Check(
        r"$\nabla_\theta$ by the adjoint against backpropagation, relative",
        float((back - forth).norm() / back.norm()), 0.0, 1e-2, "tolerance", "", "Chen et al. 2018, section 2",
        f"{solver.label}, {len(few)} points",
    )  # fmt: skip


def _unit(field: PlanarField, index: int) -> PlanarField:
    """One unit of a planar field as a field."""
    alone = PlanarField(field.dim, 1, generator=torch.Generator()).to(field.u)
    with torch.no_grad():
        for own, all_units in zip(alone.parameters(), field.parameters(), strict=True):
            own.copy_(all_units[index : index + 1])
    return alone
