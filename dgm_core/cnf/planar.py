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
from collections.abc import Sequence
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

        Differentiable in x and in the weights at t = 1.

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

    @torch.no_grad()
    def velocity(self, t: float, x: Tensor) -> Tensor:
        """dx/dt of the layer under way at time t: (N, D) → (N, D); constant along a point's way through the layer."""
        depth = self.count * (1 - t)
        layer = min(math.floor(depth + 1e-9), self.count - 1)
        push, share = self.pushes()[layer], depth - layer
        along = x @ self.w[layer]
        if share > 1e-9:
            along = unshift(along, share * (self.w[layer] @ push), self.b[layer])
        return -self.count * torch.tanh(along + self.b[layer]).unsqueeze(-1) * push

    def _move(self, x: Tensor, start: float, end: float) -> tuple[Tensor, Tensor]:
        """Points moved from one time to another, and the change of their log-density."""
        if not (0 <= start <= 1 and 0 <= end <= 1):
            raise ValueError(f"a planar flow has times from 0 to 1, not {start:g} to {end:g}")
        # Depth counts the layers that lead from the data to here: 0 at the data, K at the base.
        here, goal = self.count * (1 - start), self.count * (1 - end)
        pushes, change = self.pushes(), torch.zeros_like(x[:, 0])
        while abs(here - goal) > 1e-9:
            down = goal > here
            layer = math.floor(here + 1e-9) if down else math.ceil(here - 1e-9) - 1
            stop = min(layer + 1.0, goal) if down else max(float(layer), goal)
            x, gain = self._within(x, pushes[layer], layer, here - layer, stop - layer)
            change, here = change + gain, stop
        return x, change

    def _within(self, x: Tensor, push: Tensor, layer: int, start: float, end: float) -> tuple[Tensor, Tensor]:
        """From the share ``start`` of one layer to the share ``end``: undo the first, then do the second."""
        w, b = self.w[layer], self.b[layer]
        along = x @ w
        if start > 1e-9:
            along = unshift(along, start * (w @ push), b)
        bent = torch.tanh(along + b)
        slope = (1 - bent * bent) * (w @ push)
        before, after = torch.log1p(start * slope), torch.log1p(end * slope)
        return x + (end - start) * bent.unsqueeze(-1) * push, before - after


@torch.no_grad()
def unshift(shifted: Tensor, strength: Tensor, offset: Tensor) -> Tensor:
    """Solve a + c tanh(a + b) = s for a, to float precision: Newton's method, kept inside a shrinking bracket.

    Args:
        shifted: s, (N,).
        strength: c > −1, (), which makes the left side increasing in a.
        offset: b, ().

    Returns:
        a, (N,), without gradient.

    Example:
        >>> a = torch.linspace(-3, 3, 7, dtype=torch.float64)
        >>> c, b = torch.tensor(-0.999, dtype=torch.float64), torch.tensor(0.5, dtype=torch.float64)
        >>> bool(torch.allclose(unshift(a + c * torch.tanh(a + b), c, b), a, atol=1e-9))
        True
    """
    low, high = shifted - strength.abs(), shifted + strength.abs()
    a = shifted.clone()
    for _ in range(_NEWTON_STEPS):
        bent = torch.tanh(a + offset)
        excess = a + strength * bent - shifted
        low, high = torch.where(excess < 0, a, low), torch.where(excess > 0, a, high)
        newton = a - excess / (1 + strength * (1 - bent * bent))
        inside = (newton >= low) & (newton <= high)
        following = torch.where(inside, newton, (low + high) / 2)
        if torch.equal(following, a):
            break
        a = following
    return a
