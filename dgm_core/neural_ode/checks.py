"""What theory fixes about solvers and their gradients beside what is found just now: the page's Check table.

Every tolerance stands with its reason in the docstring of its check. All of them together take about three seconds.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dgm_core.checks import Check
from dgm_core.neural_ode.adjoint import BackwardPath, reversal
from dgm_core.neural_ode.gradients import Gradients, gradients, loss_gradient
from dgm_core.neural_ode.orders import ORDERS, order, work
from dgm_core.neural_ode.problems import PROBLEMS, reference
from dgm_core.neural_ode.solve import ADAMS, ADAPTIVE, METHODS, TITLES, formula, solve
from dgm_core.neural_ode.stability import stability_function
from dgm_core.neural_ode.vector_fields import LinearField, VectorField

TIGHT = 1e-9
"""Relative tolerance of the solves that are compared; the absolute one is a hundredth of it."""
COMPARED: dict[str, float] = {
    "spiral": 3.0, "harmonic": 3.0, "lotka-volterra": 3.0, "van-der-pol": 3.0, "lorenz": 0.3,
}  # fmt: skip
"""t₁ up to which the ways to a gradient are compared; on Lorenz the way back loses the path soon after."""
_ORDERED: tuple[str, ...] = ("euler", "midpoint", "heun2", "heun3", "rk4", *ADAMS)
_STEPS = (16, 32, 64, 128, 256)
_SOURCE = "Chen et al. 2018, "


def squared_distance(z: Tensor) -> Tensor:
    """The loss of the comparisons, L = ½ Σ |z(t₁)|²: its a_z(t₁) is z(t₁) itself."""
    return 0.5 * z.square().sum()


def checks() -> list[Check]:
    """All checks, in the page's order."""
    prey = PROBLEMS["lotka-volterra"]
    return [
        *orders(),
        *energies(),
        evaluations(),
        *gradients_agree(prey.field(), prey.start(2, 0.1), 3.0),
        *adjoint_along_the_path(prey.field(), prey.start(2, 0.1), 3.0),
        reversibility(),
    ]


def orders() -> list[Check]:
    """Slopes of log error against log steps on Lotka-Volterra, t₁ = 1, 16 to 256 steps, for each fixed-step method.

    Tolerance 0.1: the error is C hᵖ (1 + O(h)), and h is at most 1/16.
    """
    problem = PROBLEMS["lotka-volterra"]
    field, z0 = problem.field(), problem.start(3, 0.1)
    truth = reference(field, z0, torch.tensor([0.0, 1.0], dtype=torch.float64))[-1]
    found = []
    for method in _ORDERED:
        line = order(work(field, z0, truth, 1.0, method, _STEPS))
        found.append(
            Check(
                f"order of {TITLES[method]}", line.value, float(ORDERS[method]), 0.1, "tolerance", "", "its tableau",
                f"regression over {line.count} step sizes, standard error {line.error:.3f}",
            )
        )  # fmt: skip
    return found


def energies() -> list[Check]:
    """Energy of the harmonic oscillator after 50 steps of 0.1, as a share of what it was: |R(iωh)|^100.

    Tolerance 1e-12: rounding of a few hundred operations in float64.
    """
    oscillator = PROBLEMS["harmonic"]
    z0, times = oscillator.start(), torch.tensor([0.0, 5.0], dtype=torch.float64)
    found = []
    for method in ("euler", "midpoint", "heun3", "rk4"):
        with torch.no_grad():
            end = solve(oscillator.field(), z0, times, method, 0.1).states[-1]
        expected = float(np.abs(stability_function(method, np.array([0.1j]))[0]) ** 100)
        found.append(
            Check(
                f"energy left by {TITLES[method]}, 50 steps", float(end.square().sum()), expected, 1e-12, "tolerance",
                "", r"$|R(i\omega h)|^{2n}$", "the exact flow keeps it: 1",
            )
        )  # fmt: skip
    return found


def evaluations() -> Check:
    """Evaluations counted against the formula, over all methods that have one; they must be equal."""
    problem = PROBLEMS["spiral"]
    times = torch.linspace(0, 2, 11, dtype=torch.float64)
    counted = expected = 0
    for method in METHODS:
        if method == "implicit_adams":
            continue
        rtol = 1e-4 if method in ADAPTIVE else 1e-6
        with torch.no_grad():
            found = solve(problem.field(), problem.start(), times, method, 0.1, rtol, rtol)
        counted += found.nfe
        expected += formula(method, len(found.steps), len(found.rejected))
    return Check(
        "evaluations of the field, ten solvers together", counted, expected, 0.0, "tolerance", "",
        "stages × steps; adaptive: also rejected steps, and two to start",
    )  # fmt: skip


def gradients_agree(field: VectorField, z0: Tensor, span: float, rtol: float = TIGHT) -> list[Check]:
    """The adjoint against backpropagation and finite differences, and against the closed form on a spiral.

    Tolerance 1e-6 of the largest entry: solves at 1e-9 whose errors a few units of time amplify at most a
    hundredfold, and central differences with ε = 1e-6, which carry solver noise of 1e-11/ε = 1e-5 at worst; theirs is
    therefore 1e-5.
    """
    loss, ends = squared_distance, (0.0, span)

    def by(how: str, at: VectorField, start: Tensor) -> Gradients:
        return gradients(at, start, loss, how=how, span=ends, rtol=rtol, atol=rtol / 100)  # type: ignore[arg-type]

    adjoint, spiral = by("adjoint", field, z0), PROBLEMS["spiral"].field()
    assert isinstance(spiral, LinearField)
    start = PROBLEMS["spiral"].start()
    pairs = [
        ("adjoint = backpropagation", adjoint, by("backprop", field, z0), 1e-6),
        ("adjoint = finite differences", adjoint, by("finite", field, z0), 1e-5),
        ("adjoint = closed form, spiral", by("adjoint", spiral, start), by("exact", spiral, start), 1e-6),
    ]
    return [
        Check(f"{name}: largest relative difference", difference(a, b), 0.0, tolerance, "tolerance", "",
              _SOURCE + "section 2", f"dopri5 at {rtol:g}; {a.nfe_forward} + {a.nfe_backward} evaluations")
        for name, a, b, tolerance in pairs
    ]  # fmt: skip


def difference(a: Gradients, b: Gradients) -> float:
    """The largest difference of two gradients, z0 and θ together, relative to the second's largest entry."""
    ours, theirs = (torch.cat([g.dz0.reshape(-1), g.dtheta]) for g in (a, b))
    return float((ours - theirs).abs().max() / theirs.abs().max())


def adjoint_along_the_path(field: VectorField, z0: Tensor, span: float) -> list[Check]:
    """a_z(t) against autograd from each moment on, and the theorem's da_z/dt against differences of autograd's a_z.

    Tolerances 1e-6 (solves at 1e-9) and 1e-5 (central differences over h = 2e-4: h² / 6 times a third derivative, and
    the errors of solves at 1e-11, divided by h).
    """
    found = gradients(
        field, z0, squared_distance, span=(0.0, span), rtol=TIGHT, atol=TIGHT / 100, moments=5
    ).path  # fmt: skip
    assert found is not None
    gap, slope_gap = _gaps(field, found, span)
    return [
        Check(r"$a_z(t) = \partial L / \partial z(t)$, largest relative difference along the path", gap, 0.0, 1e-6,
              "tolerance", "", _SOURCE + "eq. 4", f"autograd from {len(found.times)} moments"),
        Check(r"$\dot a_z = -a_z^\top \partial f / \partial z$, largest relative difference", slope_gap, 0.0, 1e-5,
              "tolerance", "", "Pontryagin's theorem, lecture 13", "differences of autograd's gradients"),
    ]  # fmt: skip


def reversibility() -> Check:
    """|z0 − back(forth(z0))| on the spiral, t₁ = 10, at 1e-9.

    At most a hundred tolerances: backwards the spiral grows by e only, and errors of some hundred steps add up.
    """
    problem = PROBLEMS["spiral"]
    found = reversal(problem.field(), problem.start(), (0.0, problem.span), [TIGHT])
    return Check(
        "there and back, spiral: distance from the start", found.errors[0], 0.0, 100 * TIGHT, "at most", "",
        "a flow is invertible", f"dopri5 at {TIGHT:g}, {found.nfe[0]:,} evaluations",
    )  # fmt: skip


def _gaps(field: VectorField, path: BackwardPath, span: float, delta: float = 2e-4) -> tuple[float, float]:
    gaps, slope_gaps = [], []
    for index in range(1, len(path.times) - 1):
        t, z = float(path.times[index]), path.z[index]
        here = _sensitivity(field, z, t, t, span)
        before, after = (_sensitivity(field, z, t, t + sign * delta, span) for sign in (-1.0, 1.0))
        gaps.append(float((here - path.a_z[index]).abs().max() / here.abs().max()))
        slope = (after - before) / (2 * delta)
        slope_gaps.append(float((slope - path.slope_z[index]).abs().max() / slope.abs().max()))
    return max(gaps), max(slope_gaps)


def _sensitivity(field: VectorField, z: Tensor, known: float, t: float, span: float) -> Tensor:
    """∂L/∂z(t) by autograd through a solve from t on, the trajectory being the one through ``z`` at ``known``."""
    if t != known:
        with torch.no_grad():
            moments = torch.tensor([known, t], dtype=torch.float64)
            z = solve(field, z, moments, "rk4", abs(t - known), path=False).states[-1]
    z = z.detach().requires_grad_(True)
    end = solve(field, z, torch.tensor([t, span], dtype=torch.float64), "dopri5", None, 1e-11, 1e-13, path=False)
    _, a1 = loss_gradient(squared_distance, end.states[-1])
    (slope,) = torch.autograd.grad(end.states[-1], z, a1)
    return slope
