"""Vector fields f(t, z) whose Jacobian and trace are known in closed form.

dz/dt = f(t, z) moves the base (t = 0) to the data (t = 1); along it d log p/dt = −tr ∂f/∂z (lecture 13, slide
"Continuous Normalizing Flows"; Chen et al. 2018, theorem 1).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from itertools import pairwise

import torch
from torch import Tensor, nn


class Field(nn.Module):
    """A field on R^D with its Jacobian in closed form; every method is differentiable in z and in the weights."""

    dim: int

    @abstractmethod
    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """f(t, z).

        Args:
            t: time, shape () for all points alike or (N, 1), one for each.
            z: points, (N, D).

        Returns:
            Velocities, (N, D).
        """

    @abstractmethod
    def with_jacobian(self, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """f(t, z) and ∂f/∂z: shapes (N, D) and (N, D, D), the second indexed [n, output, input]."""

    def with_trace(self, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """f(t, z) and tr ∂f/∂z: shapes (N, D) and (N,)."""
        velocity, jacobian = self.with_jacobian(t, z)
        return velocity, jacobian.diagonal(dim1=-2, dim2=-1).sum(-1)


class ConcatSquash(nn.Module):
    """One layer of FFJORD's field: (W h + b) ⊙ σ(g t + c) + v t (Grathwohl et al. 2019, released code)."""

    def __init__(
        self, inputs: int, outputs: int, generator: torch.Generator, gain: float = 1.0, spread: float = 1.0
    ) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)

        def uniform(*shape: int, limit: float) -> nn.Parameter:
            return nn.Parameter((torch.rand(*shape, generator=generator) * 2 - 1) * limit)

        self.weight = uniform(outputs, inputs, limit=gain * bound)
        self.bias = uniform(outputs, limit=spread * bound)
        self.gate = uniform(outputs, limit=1.0)
        self.gate_bias = uniform(outputs, limit=1.0)
        self.drift = uniform(outputs, limit=1.0)

    def scale(self, t: Tensor) -> Tensor:
        """σ(g t + c): (outputs,) for one time, (N, outputs) for one a point."""
        return torch.sigmoid(t * self.gate + self.gate_bias)

    def forward(self, t: Tensor, h: Tensor) -> Tensor:
        """h: (N, inputs) → (N, outputs)."""
        return torch.addmm(self.bias, h, self.weight.T) * self.scale(t) + t * self.drift


class MLPField(Field):
    """Concat-squash layers; the first is followed by sin(ω ·), the others by tanh, the last by nothing.

    The sine lets the field bend sharply early in training: a checkerboard is learned in a fraction of the time.
    """

    def __init__(
        self, dim: int = 2, width: int = 64, depth: int = 3, frequency: float = 4.0, *, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.dim, self.frequency = dim, frequency
        sizes = [dim, *[width] * depth, dim]
        # Phases all round for the sine; a gain of 2 for tanh layers makes up for gates that start near 1/2.
        gains = [1.0, *[2.0] * (depth - 1), 1.0]
        spreads = [3.0, *[1.0] * depth]
        self.layers = nn.ModuleList(
            ConcatSquash(m, n, generator, gain, spread)
            for (m, n), gain, spread in zip(pairwise(sizes), gains, spreads, strict=True)
        )

    @property
    def squashes(self) -> list[ConcatSquash]:
        """The layers, first to last."""
        return [layer for layer in self.layers if isinstance(layer, ConcatSquash)]

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        first, *middle, last = self.squashes
        h = torch.sin(self.frequency * first(t, z))
        for layer in middle:
            h = torch.tanh(layer(t, h))
        return last(t, h)

    def with_jacobian(self, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        # Forward mode for all D unit vectors at once: tangents (D, N, H) pass through each layer beside h itself.
        first, *middle, last = self.squashes
        phase = self.frequency * first(t, z)
        h = torch.sin(phase)
        slope = self.frequency * torch.cos(phase) * first.scale(t)
        tangents = slope * first.weight.T.unsqueeze(1)
        for layer in middle:
            h = torch.tanh(layer(t, h))
            tangents = (tangents @ layer.weight.T) * ((1 - h * h) * layer.scale(t))
        jacobian = (tangents @ last.weight.T) * last.scale(t)
        return last(t, h), jacobian.permute(1, 2, 0)


class PlanarField(Field):
    """The lecture's planar flow in continuous time: Σ_m g_m(t) u_m tanh(w_mᵀ z + b_m), gates g_m(t) = σ(a_m t + c_m).

    Its trace is Σ_m g_m tanh'(w_mᵀ z + b_m) u_mᵀ w_m: a sum of fields has the sum of the
    traces (Chen et al. 2018, eq. 9–10).
    """

    def __init__(self, dim: int = 2, units: int = 64, *, generator: torch.Generator) -> None:
        super().__init__()
        self.dim = dim

        def normal(*shape: int, scale: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape, generator=generator) * scale)

        self.u = normal(units, dim, scale=1 / math.sqrt(units))
        self.w = normal(units, dim, scale=1.5)
        self.b = normal(units, scale=1.5)
        self.gate = normal(units, scale=4.0)
        self.gate_bias = normal(units, scale=2.0)

    def parts(self, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Each unit's activation g_m tanh(·) and slope g_m tanh'(·): both (N, M)."""
        gate = torch.sigmoid(t * self.gate + self.gate_bias)
        h = torch.tanh(torch.addmm(self.b, z, self.w.T))
        return gate * h, gate * (1 - h * h)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return self.parts(t, z)[0] @ self.u

    def with_jacobian(self, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        activation, slope = self.parts(t, z)
        return activation @ self.u, torch.einsum("nm,md,me->nde", slope, self.u, self.w)

    def with_trace(self, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        activation, slope = self.parts(t, z)
        return activation @ self.u, slope @ (self.u * self.w).sum(-1)
