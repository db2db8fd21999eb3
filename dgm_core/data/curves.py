"""Targets on curves: a point moves along a curve and is blurred by isotropic Gaussian noise.

p(x) = ∫₀¹ w(s) N(x; c(s), σ² I) ds, by Gauss–Legendre quadrature with nodes so dense that it is exact to 1e-7 nats.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dgm_core.data.target import Target, gaussian_mixture_log_prob


@dataclass(frozen=True)
class Curve:
    """A curve c(s), s ∈ [0, 1], walked with the density w(s) = power · s^(power − 1).

    Args:
        position: s (M,) → points (M, 2), smooth.
        power: 1 for uniform s; 2 for a spiral's even spread over its length.
    """

    position: Callable[[Tensor], Tensor]
    power: int = 1

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Points on the curve, (n, 2) float64; s = u^(1/power) by inverting the distribution function."""
        u = torch.rand(n, generator=generator, dtype=torch.float64)
        return self.position(u ** (1 / self.power))

    def nodes(self, sigma: float) -> tuple[Tensor, Tensor]:
        """Gauss–Legendre nodes on the curve, (M, 2), and log-weights, (M,), for Gaussians of standard deviation σ.

        The curve is cut into panels of equal length, at most 13 σ, with 32 nodes each: enough for 1e-7 nats.
        """
        ticks = torch.linspace(0, 1, 2049, dtype=torch.float64)
        steps = self.position(ticks).diff(dim=0).norm(dim=1)
        length = np.concatenate([[0.0], steps.cumsum(0).numpy()])
        panels = math.ceil(length[-1] / (13 * sigma))
        cuts = torch.from_numpy(np.interp(np.linspace(0, length[-1], panels + 1), length, ticks.numpy()))
        unit, weights = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(32))
        width = cuts.diff()[:, None]
        s = (cuts[:-1, None] + width * (unit + 1) / 2).flatten()
        ds = (width * weights / 2).flatten()
        return self.position(s), (ds * self.power * s ** (self.power - 1)).log()


def noisy_curves(name: str, title: str, curves: tuple[Curve, ...], sigma: float) -> Target:
    """Equal parts of curves, each blurred by isotropic Gaussian noise.

    Args:
        name, title: the target's.
        curves: at least one.
        sigma: the noise's standard deviation on each axis.
    """
    parts = [curve.nodes(sigma) for curve in curves]
    centres = torch.cat([position for position, _ in parts])
    log_weights = torch.cat([log_weight for _, log_weight in parts]) - math.log(len(curves))

    def draw(n: int, generator: torch.Generator) -> Tensor:
        which = torch.randint(len(curves), (n,), generator=generator)
        candidates = torch.stack([curve.draw(n, generator) for curve in curves])
        on_curve = candidates[which, torch.arange(n)]
        return on_curve + sigma * torch.randn(n, 2, generator=generator, dtype=torch.float64)

    return Target(name, title, draw, lambda x: gaussian_mixture_log_prob(x, centres, log_weights, sigma))


def _half_circle(centre: tuple[float, float], start: float) -> Curve:
    """A half circle of radius 2 from angle ``start`` on, counter-clockwise."""

    def position(s: Tensor) -> Tensor:
        angle = start + math.pi * s
        return 2 * torch.stack([angle.cos(), angle.sin()], dim=1) + torch.tensor(centre, dtype=s.dtype)

    return Curve(position)


def moons() -> Target:
    """Two interleaved half circles of radius 2, σ = 0.2: scikit-learn's ``make_moons``, doubled and centred."""
    upper, lower = _half_circle((-1.0, -0.5), 0.0), _half_circle((1.0, 0.5), math.pi)
    return noisy_curves("moons", "Two moons", (upper, lower), 0.2)


def _spiral(first: float, last: float, pitch: float, sign: float, power: int) -> Curve:
    """sign · pitch · θ (cos θ, sin θ), θ from ``first`` to ``last``."""

    def position(s: Tensor) -> Tensor:
        theta = first + (last - first) * s
        return sign * pitch * theta[:, None] * torch.stack([theta.cos(), theta.sin()], dim=1)

    return Curve(position, power)


def two_spirals() -> Target:
    """Two spirals of one and a half turns about the origin, out to radius π, σ = 0.1; FFJORD's scale."""
    arms = (_spiral(0.0, 3 * math.pi, 1 / 3, 1.0, 2), _spiral(0.0, 3 * math.pi, 1 / 3, -1.0, 2))
    return noisy_curves("2spirals", "Two spirals", arms, 0.1)


def swiss_roll() -> Target:
    """One spiral, θ from 1.5π to 4.5π, out to radius 2.8, σ = 0.2: ``make_swiss_roll`` seen from the side."""
    return noisy_curves("swissroll", "Swiss roll", (_spiral(1.5 * math.pi, 4.5 * math.pi, 0.2, 1.0, 1),), 0.2)
