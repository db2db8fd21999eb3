"""Gradients of L(z(t₁)) four ways: the adjoint, through the solver, finite differences, and in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from dgm_core.neural_ode.adjoint import BackwardPath, backward_path
from dgm_core.neural_ode.solve import FIXED, Solution, solve
from dgm_core.neural_ode.vector_fields import LinearField

How = Literal["adjoint", "backprop", "finite", "exact"]
HOWS: tuple[How, ...] = get_args(How)
LossFunction = Callable[[Tensor], Tensor]
"""L: z(t₁) (N, D) → a scalar."""

MOST_DIFFERENCES = 400
"""Numbers that finite differences may perturb one at a time."""


@dataclass(frozen=True)
class Gradients:
    """What one of the ways found.

    Args:
        how: which way.
        loss: L(z(t₁)).
        dz0: (N, D) ∂L/∂z(t₀).
        dtheta: (P,) ∂L/∂θ, the field's parameters one after another as `torch.nn.utils.parameters_to_vector` has them.
        nfe_forward: evaluations of the field for the loss.
        nfe_backward: evaluations of the augmented field (adjoint), backward passes through recorded evaluations
            (backprop, as many as forward), or further evaluations of the field (finite); 0 for the closed form.
        path: what happened backwards in time; only of the adjoint, and only when asked for.
    """

    how: How
    loss: float
    dz0: Tensor
    dtheta: Tensor
    nfe_forward: int
    nfe_backward: int
    path: BackwardPath | None = None


def gradients(
    field: nn.Module, z0: Tensor, loss: LossFunction, method: str = "dopri5", how: How = "adjoint", *,
    span: tuple[float, float] = (0.0, 1.0), step: float | None = None, rtol: float = 1e-6, atol: float = 1e-8,
    moments: int = 0, delta: float = 1e-6,
) -> Gradients:  # fmt: skip
    """∂L/∂z(t₀) and ∂L/∂θ of a loss at the end of a solve.

    Args:
        field: f(t, z) with parameters θ, in float64.
        z0: (N, D) float64.
        loss: L.
        method: a solver of `dgm_core.neural_ode.solve.METHODS`; of both directions.
        how: "adjoint" solves the augmented system backwards (memory does not grow with the steps); "backprop"
            differentiates the solver's own steps; "finite" perturbs each number; "exact" is for `LinearField` only.
        span: t₀ and t₁.
        step: of the fixed-step methods; None takes the whole span in one step.
        rtol: of the adaptive methods.
        atol: likewise.
        moments: of the adjoint: T ≥ 2 equally spaced moments at which the backward path is kept; 0 keeps none.
        delta: of finite differences: relative size of the perturbation.

    Raises:
        ValueError: for an unknown way, a field that is not linear ("exact"), or too many numbers ("finite").
        BlowUpError: when a solve breaks off.

    References:
        Chen, Rubanova, Bettencourt, Duvenaud: Neural Ordinary Differential Equations, 2018, section 2; lecture 13.

    Example:
        >>> found = gradients(LinearField([[-1.0]]), torch.ones(1, 1, dtype=torch.float64), lambda z: z.sum())
        >>> bool(abs(found.dz0.item() - 0.36787944) < 1e-5), bool(abs(found.dtheta.item() - 0.36787944) < 1e-5)
        (True, True)
    """
    if how not in HOWS:
        raise ValueError(f"there is no gradient by {how!r}; choose one of {', '.join(HOWS)}")
    whole = abs(span[1] - span[0]) if method in FIXED and step is None else step
    solver = _Solver(field, span, method, whole, rtol, atol)
    if how == "adjoint":
        return _adjoint(solver, z0.detach(), loss, moments)
    if how == "backprop":
        return _backprop(solver, z0.detach(), loss)
    return _finite(solver, z0.detach(), loss, delta) if how == "finite" else _exact(field, z0.detach(), loss, span)


@dataclass(frozen=True)
class _Solver:
    field: nn.Module
    span: tuple[float, float]
    method: str
    step: float | None
    rtol: float
    atol: float

    def __call__(self, z0: Tensor) -> Solution:
        times = torch.tensor(self.span, dtype=torch.float64)
        return solve(self.field, z0, times, self.method, self.step, self.rtol, self.atol, path=False)

    @property
    def parameters(self) -> list[Tensor]:
        return [parameter for parameter in self.field.parameters() if parameter.requires_grad]


def loss_gradient(loss: LossFunction, z1: Tensor) -> tuple[float, Tensor]:
    """L(z(t₁)) and a_z(t₁) = ∂L/∂z(t₁): a number and (N, D)."""
    z1 = z1.detach().requires_grad_(True)
    value = loss(z1)
    (slope,) = torch.autograd.grad(value, z1)
    return float(value.detach()), slope


def _adjoint(solver: _Solver, z0: Tensor, loss: LossFunction, moments: int) -> Gradients:
    with torch.no_grad():
        forward = solver(z0)
    value, a1 = loss_gradient(loss, forward.states[-1])
    t0, t1 = solver.span
    times = torch.linspace(t1, t0, max(2, moments), dtype=torch.float64)
    truth = None
    if moments:
        with torch.no_grad():
            truth = solve(
                solver.field, z0, times.flip(0), solver.method, solver.step, solver.rtol, solver.atol, path=False
            ).states.flip(0)  # fmt: skip
    found = backward_path(
        solver.field, forward.states[-1], a1, times, solver.method, solver.step, solver.rtol, solver.atol, truth
    )
    return Gradients(
        "adjoint", value, found.a_z[-1], found.a_theta[-1], forward.nfe, found.nfe, found if moments else None
    )


def _backprop(solver: _Solver, z0: Tensor, loss: LossFunction) -> Gradients:
    z0 = z0.requires_grad_(True)
    with torch.enable_grad():
        forward = solver(z0)
        value = loss(forward.states[-1])
        found = torch.autograd.grad(value, [z0, *solver.parameters], allow_unused=True, materialize_grads=True)
    dtheta = torch.cat([part.reshape(-1) for part in found[1:]]) if len(found) > 1 else z0.new_zeros(0)
    return Gradients("backprop", float(value.detach()), found[0], dtheta, forward.nfe, forward.nfe)


@torch.no_grad()
def _finite(solver: _Solver, z0: Tensor, loss: LossFunction, delta: float) -> Gradients:
    """Central differences (L(x + ε) − L(x − ε)) / 2ε, one number at a time, ε = delta · max(1, |x|)."""
    count = z0.numel() + sum(parameter.numel() for parameter in solver.parameters)
    if count > MOST_DIFFERENCES:
        raise ValueError(
            f"{count:,} finite differences are too many; take fewer than {MOST_DIFFERENCES} points and parameters"
        )
    z0 = z0.clone()
    forward = solver(z0)
    value, nfe = float(loss(forward.states[-1])), 0
    slopes: list[Tensor] = []
    for tensor in (z0, *solver.parameters):
        flat, slope = tensor.detach().view(-1), torch.zeros(tensor.numel(), dtype=torch.float64, device=tensor.device)
        for index in range(len(flat)):
            before = float(flat[index])
            moved = delta * max(1.0, abs(before))
            ends = []
            for sign in (1.0, -1.0):
                flat[index] = before + sign * moved
                found = solver(z0)
                ends.append(float(loss(found.states[-1])))
                nfe += found.nfe
            flat[index] = before
            slope[index] = (ends[0] - ends[1]) / (2 * moved)
        slopes.append(slope)
    dtheta = torch.cat(slopes[1:]) if len(slopes) > 1 else z0.new_zeros(0)
    return Gradients("finite", value, slopes[0].view_as(z0), dtheta, forward.nfe, nfe)


def _exact(field: nn.Module, z0: Tensor, loss: LossFunction, span: tuple[float, float]) -> Gradients:
    """For z′ = Az: dz0 = exp(AᵀT) a₁ and dA = Σₙ ∫ exp(Aᵀ(T − s)) a₁ z₀ᵀ exp(Aᵀs) ds.

    The integral is the upper right block of exp(T [[Aᵀ, a₁ z₀ᵀ], [0, Aᵀ]]) (Van Loan 1978).
    """
    if not isinstance(field, LinearField):
        raise ValueError("only a linear field has its gradient in closed form")
    matrix, elapsed = field.matrix.detach(), span[1] - span[0]
    value, a1 = loss_gradient(loss, z0 @ torch.linalg.matrix_exp(elapsed * matrix).T)
    dim = len(matrix)
    block = matrix.new_zeros(2 * dim, 2 * dim)
    block[:dim, :dim] = block[dim:, dim:] = matrix.T
    block[:dim, dim:] = a1.T @ z0
    dmatrix = torch.linalg.matrix_exp(elapsed * block)[:dim, dim:]
    return Gradients("exact", value, a1 @ torch.linalg.matrix_exp(elapsed * matrix), dmatrix.reshape(-1), 0, 0)
