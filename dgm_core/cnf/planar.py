"""The discrete planar flow: K layers z ← z + u tanh(wᵀz + b), each with its log-determinant in closed form.

The layers take the data to the base, so that the density is exact without solving anything; sampling inverts each
layer through one monotone equation in one unknown. Layer by layer time runs as in the continuous flow: t = 0 is the
base, each layer undone adds 1/K, t = 1 is the data. Between two layers stands the same layer with a shorter u, itself
planar.

References:
    Rezende and Mohamed, Variational inference with normalizing flows (2015), section 4.1 and appendix A.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from dgm_core.cnf.flow import Solution, standard_normal_log_prob

_NEWTON_STEPS = 80


class PlanarFlow(nn.Module):
    """A density on R^D by K planar layers, with the interface of `ContinuousFlow`.

    Args:
        dim: D.
        layers: K.
        generator: source of the first weights.

    Example:
        >>> flow = PlanarFlow(layers=4, generator=torch.Generator().manual_seed(0))
        >>> flow.log_prob(torch.zeros(5, 2)).shape, flow.sample(3).shape
        (torch.Size([5]), torch.Size([3, 2]))
    """

    def __init__(self, dim: int = 2, layers: int = 32, *, generator: torch.Generator) -> None:
        super().__init__()
        self.dim, self.count = dim, layers
        self.u = nn.Parameter(torch.randn(layers, dim, generator=generator) * 0.3)
        self.w = nn.Parameter(torch.randn(layers, dim, generator=generator))
        self.b = nn.Parameter(torch.randn(layers, generator=generator))

    @property
    def nfe(self) -> int:
        """Layers passed for one density; there is no field to evaluate."""
        return self.count

    def pushes(self) -> Tensor:
        """û = u + (m(wᵀu) − wᵀu) w/‖w‖² with m(a) = −1 + log(1 + eᵃ): (K, D), so that wᵀû > −1 (appendix A.1)."""
        along = (self.w * self.u).sum(-1, keepdim=True)
        square = self.w.square().sum(-1, keepdim=True).clamp_min(1e-12)
        return self.u + (softplus(along) - 1 - along) * self.w / square

    def log_prob(self, x: Tensor, *, t: float = 1.0) -> Tensor:
        """log p_t(x) in nats: log N(z_K; 0, I) + Σ_k log |1 + û_kᵀψ_k|, ψ_k = tanh'(w_kᵀz_k + b_k) w_k (eq. 11–13).

        Differentiable in x and in the weights.

        Args:
            x: points, (N, D).
            t: the time at which the density is asked for; 1 is the data's.

        Returns:
            (N,).
        """
        base, change = self._move(x, t, 0.0)
        return standard_normal_log_prob(base) - change

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n samples at t = 1, without gradient: (n, D)."""
        with torch.no_grad():
            return self._move(self.base_sample(n, generator), 0.0, 1.0)[0]

    def base_sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n points of N(0, I), (n, D), on the flow's device; equal generators give equal points on every device."""
        source = generator.device if generator is not None else torch.device("cpu")
        noise = torch.randn(n, self.dim, generator=generator, dtype=self.u.dtype, device=source)
        return noise.to(self.u.device)

    def trajectory(self, x: Tensor, times: Sequence[float] | Tensor) -> Tensor:
        """Where the points x (N, D), given at times[0], are at each of ``times``: (T, N, D)."""
        return self.solve_with_log_prob(x, times).points

    def solve_with_log_prob(self, x: Tensor, times: Sequence[float] | Tensor) -> Solution:
        """Points x (N, D), given at times[0], and the change of their log-density along ``times``."""
        moments = [float(t) for t in times]
        points, changes = [x], [torch.zeros_like(x[:, 0])]
        for start, end in pairwise(moments):
            moved, change = self._move(points[-1], start, end)
            points.append(moved)
            changes.append(changes[-1] + change)
        return Solution(torch.stack(points), torch.stack(changes), self.count)

    def velocity(self, t: float, x: Tensor) -> Tensor:
        """dx/dt of the layer under way at time t: (N, D) → (N, D); constant along a point's way through the layer."""
        return self.with_trace(t, x)[0]

    @torch.no_grad()
    def with_trace(self, t: float, x: Tensor) -> tuple[Tensor, Tensor]:
        """dx/dt at time t and its divergence: (N, D) and (N,)."""
        depth = self.count * (1 - t)
        layer = min(math.floor(depth + 1e-9), self.count - 1)
        push, share = self.pushes()[layer], depth - layer
        bent, slope = self._bend(x, push, layer, share)
        return -self.count * bent.unsqueeze(-1) * push, -self.count * slope / (1 + share * slope)

    def _move(self, x: Tensor, start: float, end: float) -> tuple[Tensor, Tensor]:
        """Points moved from one time to another, and the change of their log-density."""
        pushes, change = self.pushes(), torch.zeros_like(x[:, 0])
        for layer, first, last in self._pieces(start, end):
            # From the share ``first`` of this layer to the share ``last``: undo the one, then do the other.
            bent, slope = self._bend(x, pushes[layer], layer, first)
            change = change + torch.log1p(first * slope) - torch.log1p(last * slope)
            x = x + (last - first) * bent.unsqueeze(-1) * pushes[layer]
        return x, change

    @torch.no_grad()
    def jacobian(self, x: Tensor, start: float, end: float) -> Tensor:
        """The Jacobian of the way from one time to another, in closed form: (N, D, D), [n, output, input].

        Within one layer it differs from I by rank one: I + (b − a) û ψᵀ / (1 + a ûᵀψ) from its share a to its share b.
        """
        pushes, total = self.pushes(), torch.eye(self.dim, dtype=x.dtype, device=x.device).expand(len(x), -1, -1)
        for layer, first, last in self._pieces(start, end):
            push, w = pushes[layer], self.w[layer]
            bent, slope = self._bend(x, push, layer, first)
            gain = (last - first) * (1 - bent * bent) / (1 + first * slope)
            total = total + gain[:, None, None] * push[:, None] * (w @ total).unsqueeze(1)
            x = x + (last - first) * bent.unsqueeze(-1) * push
        return total

    def _pieces(self, start: float, end: float) -> Iterator[tuple[int, float, float]]:
        """The layers between two times, in order, each with the share done at first and at last."""
        if not (0 <= start <= 1 and 0 <= end <= 1):
            raise ValueError(f"a planar flow has times from 0 to 1, not {start:g} to {end:g}")
        # Depth counts the layers that lead from the data to here: 0 at the data, K at the base.
        here, goal = self.count * (1 - start), self.count * (1 - end)
        while abs(here - goal) > 1e-9:
            down = goal > here
            layer = math.floor(here + 1e-9) if down else math.ceil(here - 1e-9) - 1
            stop = min(layer + 1.0, goal) if down else max(float(layer), goal)
            yield layer, here - layer, stop - layer
            here = stop

    def _bend(self, x: Tensor, push: Tensor, layer: int, share: float) -> tuple[Tensor, Tensor]:
        """tanh(wᵀz + b) and ûᵀψ at the point z that the share of this layer takes to x: (N,) each."""
        along = x @ self.w[layer]
        if share > 1e-9:
            along = unshift(along, share * (self.w[layer] @ push), self.b[layer])
        bent = torch.tanh(along + self.b[layer])
        return bent, (1 - bent * bent) * (self.w[layer] @ push)


def unshift(shifted: Tensor, strength: Tensor, offset: Tensor) -> Tensor:
    """Solve a + c tanh(a + b) = s for a, to float precision: Newton's method from where it cannot cycle.

    Differentiable in s, c and b, by one last Newton step that is written for it (implicit function theorem).

    Args:
        shifted: s, (N,).
        strength: c > −1, (), which makes the left side increasing in a.
        offset: b, ().

    Returns:
        a, (N,).

    Example:
        >>> a = torch.linspace(-3, 3, 7, dtype=torch.float64)
        >>> c, b = torch.tensor(-0.999, dtype=torch.float64), torch.tensor(0.5, dtype=torch.float64)
        >>> bool(torch.allclose(unshift(a + c * torch.tanh(a + b), c, b), a, atol=1e-9))
        True
    """
    a = _newton(shifted.detach(), strength.detach(), offset.detach())
    bent = torch.tanh(a + offset)
    return a - (a + strength * bent - shifted) / (1 + strength * (1 - bent * bent)).detach()


def _newton(shifted: Tensor, strength: Tensor, offset: Tensor) -> Tensor:
    """The root to about 1e3 roundings, from the left side's one inflection point a = −b.

    Where c > 0 the left side is concave beyond that point and convex before it, so that no step oversteps the root.
    Where c < 0 the first step may, and is held within |c| of s, where the root lies; from there all steps come back.
    """
    if len(shifted) == 0:
        return shifted
    low, high = shifted - strength.abs(), shifted + strength.abs()
    a = torch.clamp(-offset, low, high)
    # The caller's last Newton step squares what is left of the relative error.
    rounding = 1e3 * torch.finfo(shifted.dtype).eps * (1 + shifted.abs().amax())
    for _ in range(_NEWTON_STEPS):
        bent = torch.tanh(a + offset)
        excess = a + strength * bent - shifted
        following = torch.clamp(a - excess / (1 + strength * (1 - bent * bent)), low, high)
        moved, a = (following - a).abs().amax(), following
        if moved <= rounding:
            break
    return a
