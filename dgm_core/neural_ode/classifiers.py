"""Two classifiers of points in the plane: by the flow of an ODE, and by residual blocks."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from dgm_core.neural_ode.networks import FieldNetwork, FixedMethod, unroll


class Classifier(nn.Module):
    """Points are moved, then cut by one straight line (a plane, with added dimensions).

    x ↦ z(0) = (x, 0) ↦ … ↦ z(1) ↦ P(class 1) = σ(wᵀ z(1) + b).

    Args:
        added: dimensions added to the plane, 0 at first (Dupont et al. 2019).
        steps: of the solver, or residual blocks.
        generator: draws the first weights.
    """

    def __init__(self, added: int, steps: int, generator: torch.Generator) -> None:
        super().__init__()
        self.dim, self.steps = 2 + added, steps
        self.readout = nn.Parameter(torch.randn(self.dim, generator=generator) / self.dim**0.5)
        self.threshold = nn.Parameter(torch.zeros(()))

    @property
    def times(self) -> np.ndarray:
        """Of the states on a path: 0, 1/L, …, 1, (L + 1,)."""
        return np.linspace(0.0, 1.0, self.steps + 1)

    def lift(self, x: Tensor) -> Tensor:
        """(N, 2) → (N, D): zeros appended."""
        return nn.functional.pad(x, (0, self.dim - 2))

    def path_of(self, z: Tensor, first: int = 0) -> list[Tensor]:
        """The states on the way from z at the time of index ``first`` to z(1), each (N, D); L + 1 from the start."""
        raise NotImplementedError

    def carried(self, rows: Tensor, blocks: int) -> list[Tensor]:
        """What `path_of` does, to N states and vectors that are carried along with them; see `varied`.

        Args:
            rows: (blocks · N, D): z(0), then the vectors.
        """
        raise NotImplementedError

    def refined(self, states: int) -> Self:
        """The same classifier with at least so many states on a path, where that does not change what it computes."""
        return self

    def path(self, x: Tensor) -> Tensor:
        """The states of points on their way: (N, 2) → (L + 1, N, D)."""
        return torch.stack(self.path_of(self.lift(x)))

    def read(self, z: Tensor) -> Tensor:
        """The logit wᵀ z + b of a state: (…, D) → (…)."""
        return z @ self.readout + self.threshold

    def forward(self, x: Tensor) -> Tensor:
        """The logit of class 1: (N, 2) → (N,)."""
        return self.read(self.path_of(self.lift(x))[-1])


class ODEClassifier(Classifier):
    """The flow of dz/dt = f(t, z) over [0, 1]: a homeomorphism, whatever the field.

    Args:
        field: of the solver's steps; see `FieldNetwork` for width and depth.
        method: of the solver.
    """

    def __init__(
        self, added: int, steps: int, width: int, depth: int, method: FixedMethod, generator: torch.Generator
    ) -> None:
        super().__init__(added, steps, generator)
        self.method = method
        self.field = FieldNetwork(self.dim, width, depth, timed=True, generator=generator)

    def path_of(self, z: Tensor, first: int = 0) -> list[Tensor]:
        return unroll(self.field, z, (first / self.steps, 1.0), self.steps - first, self.method)[0]

    def carried(self, rows: Tensor, blocks: int) -> list[Tensor]:
        return unroll(
            lambda t, rows: varied(self.field, t, rows, blocks), rows, (0.0, 1.0), self.steps, self.method
        )[0]  # fmt: skip

    def refined(self, states: int) -> Self:
        """With RK4, smaller steps of the same field; Euler's and midpoint's few steps are part of what was learned."""
        if self.method != "rk4":
            return self
        finer = copy.copy(self)
        finer.steps = self.steps * max(1, -(-(states - 1) // self.steps))
        return finer


class ResidualClassifier(Classifier):
    """z_{l+1} = z_l + f_l(z_l), each block with weights of its own: points may jump over one another."""

    def __init__(self, added: int, steps: int, width: int, depth: int, generator: torch.Generator) -> None:
        super().__init__(added, steps, generator)
        self.blocks = nn.ModuleList(FieldNetwork(self.dim, width, depth, generator=generator) for _ in range(steps))

    def path_of(self, z: Tensor, first: int = 0) -> list[Tensor]:
        states = [z]
        for block in self.blocks[first:]:
            states.append(states[-1] + block(0.0, states[-1]))
        return states

    def carried(self, rows: Tensor, blocks: int) -> list[Tensor]:
        states = [rows]
        for block in self.blocks:
            states.append(states[-1] + varied(_field(block), 0.0, states[-1], blocks))
        return states


def _field(block: nn.Module) -> FieldNetwork:
    assert isinstance(block, FieldNetwork)
    return block


@torch.no_grad()
def jacobians(model: Classifier, x: Tensor) -> Tensor:
    """∂z(t)/∂z(0) along the paths, of the very steps that are taken.

    The derivative of a step of a solver is the same step of the variational equation dJ/dt = (∂f/∂z) J, so z and the
    columns of J are carried together.

    Args:
        x: (N, 2).

    Returns:
        (L + 1, N, D, D); the first is the identity.
    """
    z, count = model.lift(x), model.dim
    units = torch.eye(count, dtype=z.dtype, device=z.device).unsqueeze(1).expand(count, *z.shape)
    states = model.carried(torch.cat([z.unsqueeze(0), units]).reshape(-1, count), count + 1)
    return torch.stack(states).unflatten(1, (count + 1, len(z)))[:, 1:].permute(0, 2, 3, 1)


def varied(field: FieldNetwork, t: float, rows: Tensor, blocks: int) -> Tensor:
    """The right-hand side for z and vectors carried along: (blocks · N, D), the first N rows being z."""
    whole = rows.unflatten(0, (blocks, -1))
    velocity, slopes = field.with_tangents(t, whole[0], whole[1:])
    return torch.cat([velocity.unsqueeze(0), slopes]).flatten(0, 1)


@torch.no_grad()
def trace_integral(model: ODEClassifier, x: Tensor, steps: int = 64) -> Tensor:
    """∫₀¹ tr ∂f/∂z dt along the paths, which is log det ∂z(1)/∂z(0) (Liouville), by Simpson's rule.

    Args:
        x: (N, 2).
        steps: of the integral, even; the path is solved as finely.

    Returns:
        (N,).
    """
    fine, _ = unroll(model.field, model.lift(x), (0.0, 1.0), steps, "rk4")
    traces = torch.stack([_trace(model.field, k / steps, z) for k, z in enumerate(fine)])
    weights = torch.ones(steps + 1, dtype=x.dtype, device=x.device)
    weights[1:-1:2], weights[2:-1:2] = 4.0, 2.0
    return (weights @ traces) / (3 * steps)


def _trace(field: FieldNetwork, t: float, z: Tensor) -> Tensor:
    units = torch.eye(z.shape[1], dtype=z.dtype, device=z.device).unsqueeze(1).expand(-1, *z.shape)
    return torch.einsum("dnd->n", field.with_tangents(t, z, units)[1])


def closest(states: Tensor, y: Tensor) -> Tensor:
    """The least distance between points of different classes at each time: (T, N, D) and (N,) → (T,)."""
    one, other = states[:, y > 0.5], states[:, y <= 0.5]
    return torch.cdist(one, other).amin(dim=(1, 2))


def path_length(states: Tensor) -> Tensor:
    """How long the broken line from z(0) to z(1) is: (T, N, D) → (N,)."""
    return sum(((b - a).norm(dim=1) for a, b in pairwise(states)), start=torch.zeros_like(states[0, :, 0]))
