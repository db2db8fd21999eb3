"""The augmented system solved backwards: z(t), a_z(t) and a_θ(t) as they are computed, and how far z(t) drifts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dgm_core.neural_ode.solve import BlowUpError, solve


@dataclass(frozen=True)
class BackwardPath:
    """The backward solve, first moment t₁, last t₀.

    Args:
        times: (T,) decreasing.
        z: (T, N, D) z(t) as the backward solve reconstructs it.
        truth: (T, N, D) the forward solve's z(t) at the same moments; None when it was not kept.
        a_z: (T, N, D) ∂L/∂z(t).
        a_theta: (T, P) the gradient gathered so far, ∫ₜ^{t₁} a_zᵀ ∂f/∂θ.
        slope_z: (T, N, D) the theorem's right-hand side for a_z, −a_zᵀ ∂f/∂z.
        slope_theta: (T, P) the theorem's right-hand side for a_θ, −a_zᵀ ∂f/∂θ.
        steps: (S, 2) start and size of the backward steps.
        rejected: (R, 2) likewise.
        nfe: evaluations of the augmented field.
    """

    times: Tensor
    z: Tensor
    truth: Tensor | None
    a_z: Tensor
    a_theta: Tensor
    slope_z: Tensor
    slope_theta: Tensor
    steps: Tensor
    rejected: Tensor
    nfe: int

    @property
    def drift(self) -> Tensor | None:
        """(T,) the largest |z(t) − truth(t)| over the points; None when the truth was not kept."""
        return None if self.truth is None else (self.z - self.truth).norm(dim=-1).amax(dim=-1)


class Augmented:
    """The field of (z, a_z, a_θ), all in one row, with parameters θ of P numbers.

        ż = f(t, z),   ȧ_z = −a_zᵀ ∂f/∂z,   ȧ_θ = −a_zᵀ ∂f/∂θ

    Args:
        field: f(t, z).
        shape: N, D.
    """

    def __init__(self, field: nn.Module, shape: torch.Size) -> None:
        self.field, self.shape = field, shape
        self.parameters = [parameter for parameter in field.parameters() if parameter.requires_grad]
        self.count = sum(parameter.numel() for parameter in self.parameters)

    def __call__(self, t: Tensor, row: Tensor) -> Tensor:
        """(1, 2ND + P) → the same."""
        z, a_z, _ = self.split(row)
        return self.join(*self.slopes(t, z[0], a_z[0]))

    def slopes(self, t: Tensor, z: Tensor, a_z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """f, −a_zᵀ ∂f/∂z and −a_zᵀ ∂f/∂θ at one moment: (N, D), (N, D), (P,)."""
        with torch.enable_grad():
            z = z.detach().requires_grad_(True)
            f = self.field(t, z)
            pulled = torch.autograd.grad(
                f, [z, *self.parameters], -a_z, allow_unused=True, materialize_grads=True
            )  # fmt: skip
        return f.detach(), pulled[0], _flat(pulled[1:], z)

    def join(self, z: Tensor, a_z: Tensor, a_theta: Tensor) -> Tensor:
        """(N, D), (N, D), (P,) → (1, 2ND + P)."""
        return torch.cat([z.reshape(-1), a_z.reshape(-1), a_theta]).unsqueeze(0)

    def split(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(T, 2ND + P) → (T, N, D), (T, N, D), (T, P)."""
        size = self.shape.numel()
        z, a_z, a_theta = rows.split([size, size, self.count], dim=-1)
        return z.reshape(-1, *self.shape), a_z.reshape(-1, *self.shape), a_theta


def backward_path(
    field: nn.Module, z1: Tensor, a1: Tensor, times: Tensor, method: str, step: float | None, rtol: float, atol: float,
    truth: Tensor | None = None,
) -> BackwardPath:  # fmt: skip
    """Solve the augmented system from t₁ back to t₀.

    Args:
        field: f(t, z) with parameters θ.
        z1: (N, D) z(t₁).
        a1: (N, D) ∂L/∂z(t₁).
        times: (T,) decreasing from t₁ to t₀.
        method: a solver's name.
        step: of a fixed-step method.
        rtol: of an adaptive one.
        atol: likewise.
        truth: (T, N, D) the forward states at ``times``, to compare with.

    Raises:
        BlowUpError: when the reconstruction of z(t) or the adjoint leaves every bound.
    """
    augmented = Augmented(field, z1.shape)
    start = augmented.join(z1.detach(), a1, z1.new_zeros(augmented.count))
    try:
        with torch.no_grad():
            found = solve(augmented, start, times, method, step, rtol, atol, path=False, interpolation="linear")
    except BlowUpError as error:
        raise BlowUpError(f"backwards in time, {error}", error.time) from error
    z, a_z, a_theta = augmented.split(found.states[:, 0])
    slopes = [augmented.slopes(t, z[i], a_z[i]) for i, t in enumerate(times)] if truth is not None else []
    slope_z = torch.stack([slope[1] for slope in slopes]) if slopes else z.new_zeros(0, *z1.shape)
    slope_theta = torch.stack([slope[2] for slope in slopes]) if slopes else z.new_zeros(0, augmented.count)
    return BackwardPath(times, z, truth, a_z, a_theta, slope_z, slope_theta, found.steps, found.rejected, found.nfe)


@dataclass(frozen=True)
class Reversal:
    """There and back again at several tolerances.

    Args:
        tolerances: relative tolerances (the absolute ones are a hundredth).
        errors: for each the largest |z0 − back(forth(z0))|; infinite where a solve broke off.
        nfe: for each the evaluations of both ways.
    """

    tolerances: tuple[float, ...]
    errors: tuple[float, ...]
    nfe: tuple[int, ...]


def reversal(
    field: nn.Module, z0: Tensor, span: tuple[float, float], tolerances: Sequence[float], method: str = "dopri5"
) -> Reversal:
    """Solve from t₀ to t₁ and back to t₀, for each tolerance.

    Args:
        field: f(t, z).
        z0: (N, D).
        span: t₀, t₁.
        tolerances: relative.
        method: an adaptive solver.

    Example:
        >>> from dgm_core.neural_ode.vector_fields import LinearField
        >>> turn, z0 = LinearField([[0.0, 1.0], [-1.0, 0.0]]), torch.ones(1, 2, dtype=torch.float64)
        >>> loose, tight = reversal(turn, z0, (0.0, 3.0), [1e-3, 1e-9]).errors
        >>> tight < 1e-6 < loose
        True
    """
    errors, nfes = [], []
    times = torch.tensor(span, dtype=torch.float64)
    for tolerance in tolerances:
        rtol, atol = tolerance, max(tolerance / 100, 1e-13)
        try:
            with torch.no_grad():
                forth = solve(field, z0, times, method, None, rtol, atol, path=False)
                back = solve(field, forth.states[-1], times.flip(0), method, None, rtol, atol, path=False)
        except BlowUpError:
            errors.append(float("inf"))
            nfes.append(0)
            continue
        errors.append(float((back.states[-1] - z0).norm(dim=-1).max()))
        nfes.append(forth.nfe + back.nfe)
    return Reversal(tuple(tolerances), tuple(errors), tuple(nfes))


def _flat(parts: Sequence[Tensor], like: Tensor) -> Tensor:
    return torch.cat([part.reshape(-1) for part in parts]) if parts else like.new_zeros(0)
