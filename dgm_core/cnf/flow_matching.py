"""Conditional flow matching: a field learned by regression, with no ODE solved while it trains.

A point of the base x₀ ~ N(0, I) and a point of the data x₁ are joined by a straight path, and the field is fitted to
the path's velocity (Lipman et al. 2023, eq. 23 with σ_min = 0; Liu et al. 2023, eq. 1):

    x_t = (1 − t) x₀ + t x₁,   min_θ E ‖f_θ(t, x_t) − (x₁ − x₀)‖².

The minimiser is E[x₁ − x₀ | x_t], and its flow carries the base's law to the data's.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from dgm_core.cnf.fields import ConcatSquash, Field, MLPField


def stratified_times(n: int, generator: torch.Generator, device: torch.device | str = "cpu") -> Tensor:
    """One uniform time in each of n equal parts of [0, 1]: (n, 1), a smaller variance than n independent times.

    Example:
        >>> times = stratified_times(4, torch.Generator().manual_seed(0))
        >>> (times.flatten() * 4).floor().tolist()
        [0.0, 1.0, 2.0, 3.0]
    """
    offsets = torch.rand(n, 1, generator=generator, device=device)
    return (torch.arange(n, device=device).unsqueeze(1) + offsets) / n


def straight_path(base: Tensor, data: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """The path's point x_t = (1 − t) x₀ + t x₁ and its velocity x₁ − x₀.

    Args:
        base, data: x₀ and x₁, (N, D) each.
        t: times, (N, 1).

    Returns:
        Points and velocities, (N, D) each.
    """
    velocity = data - base
    return base + t * velocity, velocity


def matching_loss(field: Field, t: Tensor, z: Tensor, velocity: Tensor) -> Tensor:
    """(1/N) Σ ‖f(t, z) − velocity‖², shape (): the objective, differentiable by autograd.

    Args:
        t: (N, 1).
        z: points of the paths, (N, D).
        velocity: their velocities, (N, D).
    """
    return (field(t, z) - velocity).square().sum(1).mean()


class MatchingGradient:
    """`matching_loss` of an `MLPField` and its gradient, written by hand in buffers that are made once.

    Autograd records a graph and allocates every intermediate anew at each step; for a field this small that is most of
    the time. Here a step is a fixed sequence of in-place operations.

    With a_k = W_k h_{k−1} + b_k, s_k = σ(g_k t + c_k), y_k = a_k ⊙ s_k + v_k t, h_0 = sin(ω y_0), h_k = tanh(y_k) and
    δ_k = ∂L/∂y_k, the chain rule gives, summed over the batch,

        ∂L/∂v = Σ t δ,   ∂L/∂W = Σ (δ ⊙ s) hᵀ,   ∂L/∂b = Σ δ ⊙ s,   ∂L/∂(g, c) = Σ (t, 1) δ ⊙ a ⊙ s ⊙ (1 − s).

    Args:
        field: whose weights are read at every call; they may change in place between calls.
        batch: N, the same for all calls.
        gradients: where to write, by parameter name; made here when None.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> field = MLPField(width=8, depth=2, generator=generator)
        >>> t, z = stratified_times(16, generator), torch.randn(16, 2, generator=generator)
        >>> step = MatchingGradient(field, 16)
        >>> loss = step(t, z, torch.ones(16, 2))
        >>> torch.allclose(loss, matching_loss(field, t, z, torch.ones(16, 2)))
        True
    """

    def __init__(self, field: MLPField, batch: int, gradients: Mapping[str, Tensor] | None = None) -> None:
        layers = [layer for layer in field.layers if isinstance(layer, ConcatSquash)]
        like = layers[0].weight.detach()
        self.batch, self.frequency = batch, field.frequency
        self.gradients = gradients or {n: torch.empty_like(p).detach() for n, p in field.named_parameters()}
        self.layers = [
            _LayerBuffers(layer, batch, {n: self.gradients[f"layers.{k}.{n}"] for n, _ in layer.named_parameters()})
            for k, layer in enumerate(layers)
        ]
        self.slope = torch.empty(batch, like.shape[0], dtype=like.dtype, device=like.device)
        # Rows t and 1: a product with a row sums a buffer over the batch, weighted by t or unweighted.
        self.moments = torch.ones(2, batch, dtype=like.dtype, device=like.device)

    @torch.no_grad()
    def __call__(self, t: Tensor, z: Tensor, velocity: Tensor) -> Tensor:
        """The loss, shape (); afterwards ``gradients`` holds ∂L/∂θ by parameter name.

        Args:
            t: (N, 1).
            z: (N, D).
            velocity: (N, D).
        """
        self.moments[0].copy_(t.squeeze(1))
        self._forward(t, z)
        delta = self.layers[-1].delta
        torch.sub(self.layers[-1].h, velocity, out=delta)
        loss = delta.square().sum() / self.batch
        delta.mul_(2 / self.batch)
        self._backward(z)
        return loss

    def _forward(self, t: Tensor, z: Tensor) -> None:
        h = z
        for index, layer in enumerate(self.layers):
            layer.forward(t, h)
            h = layer.h
            if index == 0:
                h.mul_(self.frequency)
                torch.cos(h, out=self.slope).mul_(self.frequency)
                h.sin_()
            elif index < len(self.layers) - 1:
                _tanh_(h)

    def _backward(self, z: Tensor) -> None:
        for index in range(len(self.layers) - 1, 0, -1):
            layer, below = self.layers[index], self.layers[index - 1]
            layer.backward(self.moments, below.h)
            torch.mm(layer.gated, layer.of.weight, out=below.delta)
            if index == 1:
                below.delta.mul_(self.slope)
            else:
                # tanh' = 1 − h², with h² in a buffer that this layer no longer needs
                torch.mul(below.h, below.h, out=below.gated)
                below.delta.addcmul_(below.delta, below.gated, value=-1)
        self.layers[0].backward(self.moments, z)


def _tanh_(x: Tensor) -> Tensor:
    """tanh in place as 2 σ(2x) − 1, which torch computes several times faster on a CPU; exact to a rounding of 1."""
    return x.mul_(2).sigmoid_().mul_(2).sub_(1)


class _LayerBuffers:
    """Buffers of one concat-squash layer for N points, and its two passes."""

    def __init__(self, layer: ConcatSquash, batch: int, gradients: Mapping[str, Tensor]) -> None:
        self.of, self.gradients = layer, gradients
        shape = (batch, layer.weight.shape[0])
        self.affine, self.scale, self.h = (layer.weight.new_empty(shape) for _ in range(3))
        self.delta, self.gated, self.gate = (layer.weight.new_empty(shape) for _ in range(3))

    def forward(self, t: Tensor, below: Tensor) -> None:
        """a, s and h = a ⊙ s + v t from the layer below's output, (N, inputs)."""
        layer = self.of
        torch.addmm(layer.bias, below, layer.weight.T, out=self.affine)
        torch.addcmul(layer.gate_bias, t, layer.gate, out=self.scale).sigmoid_()
        torch.mul(self.affine, self.scale, out=self.h).addcmul_(t, layer.drift)

    def backward(self, moments: Tensor, below: Tensor) -> None:
        """The layer's gradients from ``delta`` = ∂L/∂y; leaves δ ⊙ s in ``gated``."""
        torch.mul(self.delta, self.scale, out=self.gated)
        torch.mul(self.gated, self.affine, out=self.gate)
        self.gate.addcmul_(self.gate, self.scale, value=-1)
        times, ones = moments[:1], moments[1:]
        for name, weights, terms in (
            ("drift", times, self.delta),
            ("bias", ones, self.gated),
            ("gate", times, self.gate),
            ("gate_bias", ones, self.gate),
        ):
            torch.mm(weights, terms, out=self.gradients[name].unsqueeze(0))
        torch.mm(self.gated.T, below, out=self.gradients["weight"])
