"""A field and its exact trace evaluated quickly: no gradient, in place, in blocks that stay in the cache.

At one moment a concat-squash layer is affine: (W h + b) ⊙ σ(g t + c) + v t = A h + d. So time is folded into the
weights first. tanh(y) = 2σ(2y) − 1 is folded as well: the layers above see s = σ(2y), ∂s = s(1 − s) ∂(2y), which costs
one sigmoid and one product. The unit vectors' tangents pass through each layer in the points' matrix product.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from dgm_core.cnf.fields import Field, MLPField, PlanarField
from dgm_core.nn.threads import spread

ROWS = 2048
"""Points in a block: points and tangents, 64 units each, take 1.6 MB; smaller and larger blocks were both slower."""
_KEPT_MOMENTS = 256
"""Times whose folded weights are kept."""


class Moment(Protocol):
    """A field at one time; several threads may use it, each with buffers of its own."""

    def velocity(self, z: Tensor, buffers: Buffers) -> Tensor:
        """f(z): (n, D)."""

    def with_trace(self, z: Tensor, buffers: Buffers) -> tuple[Tensor, Tensor]:
        """f(z) and tr ∂f/∂z: (n, D) and (n,)."""


class FastField:
    """Evaluates a field without gradient, with as many threads as torch may use; one caller at a time.

    Args:
        field: any `Field`; those of this package have a fast way, others go through their own ``with_trace``. Its
            weights must not change while this object is in use.
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
        self._buffers: dict[int, Buffers] = defaultdict(Buffers)

    def velocity(self, t: float, z: Tensor) -> Tensor:
        """f(t, z): (N, D)."""
        moment, out = self._at(t), torch.empty_like(z)

        def work(block: slice, buffers: Buffers) -> None:
            out[block] = moment.velocity(z[block], buffers)

        self._each_block(work, z)
        return out

    def with_trace(self, t: float, z: Tensor) -> tuple[Tensor, Tensor]:
        """f(t, z) and tr ∂f/∂z: (N, D) and (N,)."""
        moment, velocity, trace = self._at(t), torch.empty_like(z), z.new_empty(len(z))

        def work(block: slice, buffers: Buffers) -> None:
            velocity[block], trace[block] = moment.with_trace(z[block], buffers)

        self._each_block(work, z)
        return velocity, trace

    def _each_block(self, work: Callable[[slice, Buffers], None], z: Tensor) -> None:
        if z.device.type != "cpu":
            return work(slice(0, len(z)), self._buffers[0])

        def share(index: int, part: slice) -> None:
            with torch.no_grad():
                for start in range(part.start, part.stop, self.rows):
                    work(slice(start, min(start + self.rows, part.stop)), self._buffers[index])

        spread(share, len(z), self.rows)

    @torch.no_grad()
    def _at(self, t: float) -> Moment:
        if t not in self._moments:
            if len(self._moments) >= _KEPT_MOMENTS:
                self._moments.clear()
            self._moments[t] = _moment(self.field, t)
        return self._moments[t]


class Buffers:
    """Scratch tensors by name, made when first asked for and kept while they are large enough."""

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    def take(self, name: str, rows: int, columns: int, like: Tensor) -> Tensor:
        """An uninitialised (rows, columns) tensor; its content is lost at the next call with this name."""
        kept = self._kept.get(name)
        if kept is None or kept.shape[0] < rows or kept.shape[1] != columns:
            kept = self._kept[name] = like.new_empty(rows, columns)
        return kept[:rows]


def _moment(field: Field, t: float) -> Moment:
    if isinstance(field, MLPField):
        return _MLPMoment(field, t)
    if isinstance(field, PlanarField):
        return _PlanarMoment(field, t)
    return _AnyMoment(field, t)


class _AnyMoment:
    def __init__(self, field: Field, t: float) -> None:
        like = next(field.parameters())
        self.field, self.t = field, torch.as_tensor(t, dtype=like.dtype, device=like.device)

    def velocity(self, z: Tensor, buffers: Buffers) -> Tensor:
        return self.field(self.t, z)

    def with_trace(self, z: Tensor, buffers: Buffers) -> tuple[Tensor, Tensor]:
        return self.field.with_trace(self.t, z)


class _PlanarMoment:
    def __init__(self, field: PlanarField, t: float) -> None:
        gate = torch.sigmoid(t * field.gate + field.gate_bias)
        self.w, self.b = field.w.T, field.b
        self.u = gate.unsqueeze(-1) * field.u
        self.uw = gate * (field.u * field.w).sum(-1)

    def velocity(self, z: Tensor, buffers: Buffers) -> Tensor:
        return torch.addmm(self.b, z, self.w).tanh_() @ self.u

    def with_trace(self, z: Tensor, buffers: Buffers) -> tuple[Tensor, Tensor]:
        h = torch.addmm(self.b, z, self.w).tanh_()
        velocity = h @ self.u
        # Σ g (1 − h²) uᵀw, the constant part taken out of the sum over points
        return velocity, self.uw.sum() - h.square_() @ self.uw


class _MLPMoment:
    def __init__(self, field: MLPField, t: float) -> None:
        self.dim = field.dim
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

    def velocity(self, z: Tensor, buffers: Buffers) -> Tensor:
        weight, bias = self.first
        h = torch.addmm(bias, z, weight.T, out=buffers.take("h", len(z), weight.shape[0], z)).sin_()
        for index, (weight, bias) in enumerate(self.middle):
            h = torch.addmm(bias, h, weight, out=buffers.take(f"v{index % 2}", len(z), weight.shape[1], z)).sigmoid_()
        return torch.addmm(self.last[1], h, self.last[0])

    def with_trace(self, z: Tensor, buffers: Buffers) -> tuple[Tensor, Tensor]:
        n, (weight, bias) = len(z), self.first
        rows = n * (self.dim + 1)
        every = buffers.take("a", rows, weight.shape[0], z)
        phase = torch.addmm(bias, z, weight.T, out=buffers.take("h", n, weight.shape[0], z))
        torch.sin(phase, out=every[:n])
        slope = phase.cos_()
        for d in range(self.dim):
            torch.mul(slope, self.tangents[d], out=every[(d + 1) * n : (d + 2) * n])
        for index, (weight, bias) in enumerate(self.middle):
            every = torch.mm(every, weight, out=buffers.take("b" if index % 2 == 0 else "a", rows, weight.shape[1], z))
            s = every[:n].add_(bias).sigmoid_()
            slope = torch.addcmul(s, s, s, value=-1, out=buffers.take("h", n, weight.shape[1], z))
            every[n:].view(self.dim, n, -1).mul_(slope)
        weight, bias = self.last
        trace = every[n : 2 * n] @ weight[:, 0]
        for d in range(1, self.dim):
            trace.addmv_(every[(d + 1) * n : (d + 2) * n], weight[:, d])
        return torch.addmm(bias, every[:n], weight), trace


def _folded(weight: Tensor, bias: Tensor, scale: Tensor, drift: Tensor) -> tuple[Tensor, Tensor]:
    """A and d of a concat-squash layer at one time."""
    return scale.unsqueeze(1) * weight.detach(), scale * bias.detach() + drift.detach()
