"""Targets whose density is a finite sum in closed form: Gaussians, circles with Gaussian noise, the pinwheel."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from dgm_core.data.target import Target, gaussian_mixture_log_prob


def gaussians(name: str, title: str, centres: Tensor, sigma: float) -> Target:
    """Equal parts of isotropic Gaussians.

    Args:
        name, title: the target's.
        centres: (K, 2).
        sigma: the common standard deviation.
    """
    centres = centres.double()
    log_weights = torch.full((len(centres),), -math.log(len(centres)), dtype=torch.float64)

    def draw(n: int, generator: torch.Generator) -> Tensor:
        which = torch.randint(len(centres), (n,), generator=generator)
        return centres[which] + sigma * torch.randn(n, 2, generator=generator, dtype=torch.float64)

    return Target(name, title, draw, lambda x: gaussian_mixture_log_prob(x, centres, log_weights, sigma))


def eight_gaussians() -> Target:
    """Eight Gaussians on a circle of radius 2√2, σ = 1/(2√2); the numbers of FFJORD's released code."""
    angle = torch.arange(8, dtype=torch.float64) * (math.pi / 4)
    centres = 2 * math.sqrt(2) * torch.stack([angle.cos(), angle.sin()], dim=1)
    return gaussians("8gaussians", "8 Gaussians", centres, 0.25 * math.sqrt(2))


def twenty_five_gaussians() -> Target:
    """Gaussians on a 5 × 5 grid of spacing 1.5, σ = 0.15."""
    ticks = torch.linspace(-3, 3, 5, dtype=torch.float64)
    return gaussians("25gaussians", "25 Gaussians", torch.cartesian_prod(ticks, ticks), 0.15)


def noisy_circles(name: str, title: str, radii: Sequence[float], sigma: float) -> Target:
    """Equal parts of circles about the origin, each blurred by isotropic Gaussian noise.

    A circle of radius R with noise σ has, at distance r from its centre, the density (Rice's law spread over angles)
    p(x) = exp(−(r² + R²)/2σ²) I₀(rR/σ²) / (2πσ²).

    Args:
        name, title: the target's.
        radii: R of each circle.
        sigma: the noise's standard deviation on each axis.

    References:
        S. O. Rice, Mathematical analysis of random noise, 1945, eq. 3.10-11.
    """
    radius = torch.tensor(radii, dtype=torch.float64)
    log_constant = -math.log(len(radius) * 2 * math.pi * sigma**2)

    def draw(n: int, generator: torch.Generator) -> Tensor:
        which = torch.randint(len(radius), (n,), generator=generator)
        angle = 2 * math.pi * torch.rand(n, generator=generator, dtype=torch.float64)
        circle = radius[which, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
        return circle + sigma * torch.randn(n, 2, generator=generator, dtype=torch.float64)

    def log_prob(x: Tensor) -> Tensor:
        r, big = torch.hypot(x[:, :1], x[:, 1:]), radius.to(x)
        # i0e(z) = e^(−z) I₀(z) keeps the product finite: the exponent becomes −(r − R)²/2σ².
        terms = torch.special.i0e(r * big / sigma**2).log() - ((r - big) / sigma).square() / 2
        return torch.logsumexp(terms, dim=1) + log_constant

    return Target(name, title, draw, log_prob)


def circles() -> Target:
    """Two circles, R = 1.5 and 3, σ = 0.24: scikit-learn's ``make_circles`` at FFJORD's scale."""
    return noisy_circles("circles", "Circles", (1.5, 3.0), 0.24)


def rings() -> Target:
    """Four thin rings, R = 0.75, 1.5, 2.25 and 3, σ = 0.08."""
    return noisy_circles("rings", "Rings", (0.75, 1.5, 2.25, 3.0), 0.08)


def pinwheel(arms: int = 5, radial: float = 0.3, tangential: float = 0.1, twist: float = 0.25) -> Target:
    """Elongated Gaussians on a wheel, twisted by an angle that grows with the radius.

    w ~ N((1, 0), diag(radial², tangential²)) and x = s R(2πk/arms + twist·e^|w|) w. A rotation by an angle that depends
    on |w| alone preserves area, so p(x) = Σ_k N(w_k(x)) / (arms s²) with w_k(x) = R(−…) x/s: no Jacobian to work out.

    References:
        M. Johnson et al., Composing graphical models with neural networks, 2016 (the data set; there the angle depends
        on w₁, here on |w|).
    """
    scale = 1.75
    spokes = 2 * math.pi * torch.arange(arms, dtype=torch.float64) / arms
    sd = torch.tensor([radial, tangential], dtype=torch.float64)
    log_constant = -math.log(arms * scale**2 * 2 * math.pi * radial * tangential)

    def angle(radius: Tensor) -> Tensor:
        # Past radius 4 (ten standard deviations) the twist stops growing, so that far points stay finite.
        return twist * radius.clamp(max=4).exp()

    def draw(n: int, generator: torch.Generator) -> Tensor:
        which = torch.randint(arms, (n,), generator=generator)
        w = torch.randn(n, 2, generator=generator, dtype=torch.float64) * sd
        w[:, 0] += 1
        turned = spokes[which] + angle(w.norm(dim=1))
        return scale * _rotate(w[:, 0], w[:, 1], turned)

    def log_prob(x: Tensor) -> Tensor:
        w = x / scale
        turned = spokes.to(x) + angle(torch.hypot(w[:, :1], w[:, 1:]))
        back = _rotate(w[:, :1], w[:, 1:], -turned)
        terms = ((back[..., 0] - 1) / radial).square() + (back[..., 1] / tangential).square()
        return torch.logsumexp(-terms / 2, dim=1) + log_constant

    return Target("pinwheel", "Pinwheel", draw, log_prob)


def _rotate(x: Tensor, y: Tensor, angle: Tensor) -> Tensor:
    """(x, y) turned by ``angle``; the coordinates become the last axis."""
    c, s = angle.cos(), angle.sin()
    return torch.stack([c * x - s * y, s * x + c * y], dim=-1)
