"""A field and its exact trace evaluated quickly: no gradient, in place, in blocks that stay in the cache.

At one moment a concat-squash layer is affine: (W h + b) ⊙ σ(g t + c) + v t = A h + d. So time is folded into the
weights first. tanh(y) = 2σ(2y) − 1 is folded as well: the layers above see s = σ(2y), ∂s = s(1 − s) ∂(2y), which costs
one sigmoid and one product. The unit vectors' tangents pass through each layer in the same matrix product as the points.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from dgm_core.cnf.fields import Field, MLPField, PlanarField

ROWS = 2048
"""Points in a block: points and tangents, 64 units each, take 1.6 MB; smaller and larger blocks were both slower."""


class Moment(Protocol):
    """A field at one time."""

    def velocity(self, z: Tensor) -> Tensor:
        """f(z): (n, D)."""

    def with_trace(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """f(z) and tr ∂f/∂z: (n, D) and (n,)."""


class FastField:
    """Evaluates a field without gradient; holds buffers, so that one thread at a time may use it.

    Args:
        field: any `Field`; those of this package have a fast way, others go through their own ``with_trace``.
        rows: points in a block; a CUDA device takes all at once.

    Example:
        >>> field = MLPField(width=8, generator=torch.Generator().manual_seed(0))
        >>> z, t = torch.randn(3000, 2, generator=torch.Generator().manual_seed(1)), torch.tensor(0.3)
        >>> velocity, trace = FastField(field).with_trace(0.3, z)
        >>> bool((trace - field.with_trace(t, z)[1]).abs().max() < 1e-4)
        True
    """

    def __init__(self, field: Field, rows: int = ROWS) -> None:
        self.field, self.rows = field, rows
        self._moments: dict[float, Moment] = {}
        self._buffers = Buffers()

    def velocity(self, t: float, z: Tensor) -> Tensor:
        """f(t, z): (N, D)."""
        moment, out = self._at(t), torch.empty_like(z)
        for some in self._blocks(z):
            out[some] = moment.velocity(z[some])
        return out

    def with_trace(self, t: float, z: Tensor) -> tuple[Tensor, Tensor]:
        """f(t, z) and tr ∂f/∂z: (N, D) and (N,)."""
        moment, velocity, trace = self._at(t), torch.empty_like(z), z.new_empty(len(z))
        for some in self._blocks(z):
            velocity[some], trace[some] = moment.with_trace(z[some])
        return velocity, trace

    def _blocks(self, z: Tensor) -> list[slice]:
        rows = self.rows if z.device.type == "cpu" else max(1, len(z))
        return [slice(start, start + rows) for start in range(0, len(z), rows)]

    @torch.no_grad()
    def _at(self, t: float) -> Moment:
        if t not in self._moments:
            if len(self._moments) > 256:
                self._moments.clear()
            self._moments[t] = _moment(self.field, t, self._buffers)
        return self._moments[t]


class Buffers:
    """Scratch tensors by name, made when first asked for and kept while the shape stays."""

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    def take(self, name: str, rows: int, columns: int, like: Tensor) -> Tensor:
        """An uninitialised (rows, columns) tensor; its content is lost at the next call with this name."""
        kept = self._kept.get(name)
        if kept is None or kept.shape[0] < rows or kept.shape[1] != columns:
            kept = self._kept[name] = like.new_empty(rows, columns)
        return kept[:rows]


def _moment(field: Field, t: float, buffers: Buffers) -> Moment:
    if isinstance(field, MLPField):
        return _MLPMoment(field, t, buffers)
    if isinstance(field, PlanarField):
        return _PlanarMoment(field, t)
    return _AnyMoment(field, t)


class _AnyMoment:
    def __init__(self, field: Field, t: float) -> None:
        like = next(field.parameters())
        self.field, self.t = field, torch.as_tensor(t, dtype=like.dtype, device=like.device)

    def velocity(self, z: Tensor) -> Tensor:
        with torch.no_grad():
            return self.field(self.t, z)

    def with_trace(self, z: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            return self.field.with_trace(self.t, z)


class _PlanarMoment:
    def __init__(self, field: PlanarField, t: float) -> None:
        gate = torch.sigmoid(t * field.gate + field.gate_bias)
        self.w, self.b = field.w.T, field.b
        self.u = gate.unsqueeze(-1) * field.u
        self.uw = gate * (field.u * field.w).sum(-1)

    @torch.no_grad()
    def velocity(self, z: Tensor) -> Tensor:
        return torch.addmm(self.b, z, self.w).tanh_() @ self.u

    @torch.no_grad()
    def with_trace(self, z: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.addmm(self.b, z, self.w).tanh_()
        velocity = h @ self.u
        # Σ g (1 − h²) uᵀw, the constant part taken out of the sum over points
        return velocity, self.uw.sum() - h.square_() @ self.uw


class _MLPMoment:
    def __init__(self, field: MLPField, t: float, buffers: Buffers) -> None:
        self.buffers, self.dim = buffers, field.dim
        first, *middle, last = field.squashes
        affine = [_folded(layer.weight, layer.bias, layer.scale(torch.as_tensor(t).to(layer.gate)), layer.drift * t)
                  for layer in (first, *middle, last)]  # fmt: skip
        self.first = tuple(field.frequency * part for part in affine[0])
        self.tangents = self.first[0].T.contiguous()  # (D, H)
        # The first tanh layer sees the sine; those above see s with tanh = 2 s − 1.
        self.middle: list[tuple[Tensor, Tensor]] = []
        for index, (weight, bias) in enumerate(affine[1:-1]):
            if index > 0:
                weight, bias = 2 * weight, bias - weight.sum(1)
            self.middle.append(((2 * weight).T.contiguous(), 2 * bias))
        weight, bias = affine[-1]
        if middle:
            weight, bias = 2 * weight, bias - weight.sum(1)
        self.last = weight.T.contiguous(), bias  # (H, D), (D,)

    @torch.no_grad()
    def velocity(self, z: Tensor) -> Tensor:
        weight, bias = self.first
        h = torch.addmm(bias, z, weight.T, out=self._take("h", len(z), weight.shape[0], z)).sin_()
        for index, (weight, bias) in enumerate(self.middle):
            h = torch.addmm(bias, h, weight, out=self._take(f"v{index % 2}", len(z), weight.shape[1], z)).sigmoid_()
        return torch.addmm(self.last[1], h, self.last[0])

    @torch.no_grad()
    def with_trace(self, z: Tensor) -> tuple[Tensor, Tensor]:
        n, (weight, bias) = len(z), self.first
        rows = n * (self.dim + 1)
        every = self._take("a", rows, weight.shape[0], z)
        phase = torch.addmm(bias, z, weight.T, out=self._take("h", n, weight.shape[0], z))
        torch.sin(phase, out=every[:n])
        slope = phase.cos_()
        for d in range(self.dim):
            torch.mul(slope, self.tangents[d], out=every[(d + 1) * n : (d + 2) * n])
        for index, (weight, bias) in enumerate(self.middle):
            every = torch.mm(every, weight, out=self._take("b" if index % 2 == 0 else "a", rows, weight.shape[1], z))
            s = every[:n].add_(bias).sigmoid_()
            slope = torch.addcmul(s, s, s, value=-1, out=self._take("h", n, weight.shape[1], z))
            every[n:].view(self.dim, n, -1).mul_(slope)
        weight, bias = self.last
        trace = every[n : 2 * n] @ weight[:, 0]
        for d in range(1, self.dim):
            trace.addmv_(every[(d + 1) * n : (d + 2) * n], weight[:, d])
        return torch.addmm(bias, every[:n], weight), trace

    def _take(self, name: str, rows: int, columns: int, like: Tensor) -> Tensor:
        return self.buffers.take(name, rows, columns, like)


def _folded(weight: Tensor, bias: Tensor, scale: Tensor, drift: Tensor) -> tuple[Tensor, Tensor]:
    """A and d of a concat-squash layer at one time."""
    return scale.unsqueeze(1) * weight.detach(), scale * bias.detach() + drift.detach()
