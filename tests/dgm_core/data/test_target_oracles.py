"""Densities and entropies against formulas worked out apart, in float64 with numpy and scipy."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import ive
from scipy.stats import multivariate_normal

from dgm_core.data.densities import TARGETS

torch.set_num_threads(1)


EIGHTHS = [k * math.pi / 4 for k in range(8)]


def around(name: str, n: int = 12) -> torch.Tensor:
    """Points where the target has mass, and some where it has little."""
    x = TARGETS[name].sample(n, seed=21).double()
    return torch.cat([x, x + 0.3, torch.zeros(1, 2, dtype=torch.float64)])


@pytest.mark.parametrize(
    ("name", "centres", "sigma"),
    [
        ("8gaussians", [(math.sqrt(8) * math.cos(a), math.sqrt(8) * math.sin(a)) for a in EIGHTHS], math.sqrt(2) / 4),
        ("25gaussians", [(1.5 * i, 1.5 * j) for i in range(-2, 3) for j in range(-2, 3)], 0.15),
    ],
)  # fmt: skip
def test_gaussian_mixtures_are_scipys(name: str, centres: list[tuple[float, float]], sigma: float):
    x = around(name)
    density = sum(multivariate_normal(centre, sigma**2).pdf(x.numpy()) for centre in centres) / len(centres)
    assert np.allclose(TARGETS[name].log_prob(x).numpy(), np.log(density), atol=1e-9)


@pytest.mark.parametrize(
    ("name", "radii", "sigma"), [("circles", (1.5, 3), 0.24), ("rings", (0.75, 1.5, 2.25, 3), 0.08)]
)
def test_circles_are_gaussians_summed_around_them(name: str, radii: tuple[float, ...], sigma: float):
    def gaussian(angle: float, x: np.ndarray, radius: float) -> float:
        square = (x[0] - radius * math.cos(angle)) ** 2 + (x[1] - radius * math.sin(angle)) ** 2
        return math.exp(-square / (2 * sigma**2)) / (2 * math.pi * sigma**2) / (2 * math.pi)

    points = around(name, 6)[:-1]  # at the centre of thin rings p is 1e-21: beyond quad
    for x, log_p in zip(points.numpy(), TARGETS[name].log_prob(points).tolist(), strict=True):
        toward = math.atan2(x[1], x[0])
        parts = [
            quad(gaussian, toward - math.pi, toward + math.pi, (x, r), points=[toward], epsabs=0)[0] for r in radii
        ]
        assert math.exp(log_p) == pytest.approx(sum(parts) / len(radii), rel=1e-6, abs=1e-12)


def moon(s: float) -> list[tuple[float, float, float]]:
    upper, lower = math.pi * s, math.pi * (1 + s)
    return [
        (2 * math.cos(upper) - 1, 2 * math.sin(upper) - 0.5, 1),
        (2 * math.cos(lower) + 1, 2 * math.sin(lower) + 0.5, 1),
    ]


def spirals(s: float) -> list[tuple[float, float, float]]:
    angle = 3 * math.pi * s
    x, y = angle * math.cos(angle) / 3, angle * math.sin(angle) / 3
    return [(x, y, 2 * s), (-x, -y, 2 * s)]


def roll(s: float) -> list[tuple[float, float, float]]:
    angle = 1.5 * math.pi * (1 + 2 * s)
    return [(angle * math.cos(angle) / 5, angle * math.sin(angle) / 5, 1)]


@pytest.mark.parametrize(
    ("name", "curves", "sigma"), [("moons", moon, 0.2), ("2spirals", spirals, 0.1), ("swissroll", roll, 0.2)]
)
def test_curves_are_gaussians_summed_along_them(name: str, curves, sigma: float):
    def gaussian(s: float, x: np.ndarray) -> float:
        parts = curves(s)
        return sum(w * math.exp(-((x[0] - a) ** 2 + (x[1] - b) ** 2) / (2 * sigma**2)) for a, b, w in parts) / len(
            parts
        )

    points = around(name, 5)
    for x, log_p in zip(points.numpy(), TARGETS[name].log_prob(points).tolist(), strict=True):
        # Forty pieces, so that quad cannot step over a narrow peak.
        edges = np.linspace(0, 1, 41)
        total = sum(quad(gaussian, a, b, (x,), epsabs=1e-13, epsrel=1e-9)[0] for a, b in pairwise(edges))
        assert log_p == pytest.approx(math.log(total / (2 * math.pi * sigma**2)), abs=2e-6)


def test_the_pinwheels_twist_preserves_area():
    def twist(w: torch.Tensor) -> torch.Tensor:
        angle = 0.25 * w.norm().exp()
        c, s = angle.cos(), angle.sin()
        return 1.75 * torch.stack([c * w[0] - s * w[1], s * w[0] + c * w[1]])

    w = torch.randn(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 0.3 + 1
    for point in w:
        jacobian = torch.autograd.functional.jacobian(twist, point)
        assert float(torch.linalg.det(jacobian)) == pytest.approx(1.75**2, rel=1e-12)
    # Along one arm, far from the others, the density is that of the Gaussian it was made of.
    on_arm = torch.tensor([[1.2, 0.05], [0.9, -0.1]], dtype=torch.float64)
    expected = multivariate_normal([1, 0], [0.09, 0.01]).logpdf(on_arm.numpy()) - math.log(5 * 1.75**2)
    found = TARGETS["pinwheel"].log_prob(torch.stack([twist(point) for point in on_arm]))
    assert np.allclose(found.numpy(), expected, atol=1e-3)


def test_checkerboard_is_uniform_on_half_of_its_square():
    law = TARGETS["checkerboard"]
    assert law.entropy == pytest.approx(math.log(32), abs=1e-12)
    assert law.entropy_error == 0
    x = law.sample(20_000, seed=1)
    assert (law.log_prob(x) + math.log(32)).abs().max() < 1e-6
    # The lower left square is dark, its right neighbour is not.
    corners = law.log_prob(torch.tensor([[-3.0, -3.0], [-1.0, -3.0], [3.0, 3.0], [5.0, 5.0], [-3.0, 3.0]]))
    assert torch.isinf(corners).tolist() == [False, True, False, True, True]


@pytest.mark.parametrize(
    ("name", "radii", "sigma"), [("circles", (1.5, 3), 0.24), ("rings", (0.75, 1.5, 2.25, 3), 0.08)]
)
def test_entropy_of_circles_by_a_radial_integral(name: str, radii: tuple[float, ...], sigma: float):
    def integrand(r: float) -> float:
        p = sum(math.exp(-(((r - R) / sigma) ** 2) / 2) * ive(0, r * R / sigma**2) for R in radii)
        p /= len(radii) * 2 * math.pi * sigma**2
        return -2 * math.pi * r * p * math.log(p) if p > 0 else 0.0

    expected = quad(integrand, 0, 6, points=[*radii], limit=400, epsabs=1e-10)[0]
    assert TARGETS[name].entropy == pytest.approx(expected, abs=1e-7)
    assert TARGETS[name].entropy_error <= 1e-6


def test_entropy_of_gaussians():
    # Neighbours of the grid are ten standard deviations apart: overlap changes the entropy by less than 1e-5.
    apart = math.log(25) + 1 + math.log(2 * math.pi * 0.15**2)
    assert TARGETS["25gaussians"].entropy == pytest.approx(apart, abs=1e-5)
    # On the circle by Gauss–Legendre in polar coordinates over one of sixteen equal wedges.
    sigma, radius = math.sqrt(2) / 4, math.sqrt(8)
    r, wr = np.polynomial.legendre.leggauss(120)
    a, wa = np.polynomial.legendre.leggauss(40)
    r, wr, a, wa = 3 * (r + 1), 3 * wr, math.pi / 16 * (a + 1), math.pi / 16 * wa
    square = [r[:, None] ** 2 + radius**2 - 2 * radius * r[:, None] * np.cos(a - k * math.pi / 4) for k in range(8)]
    p = sum(np.exp(-s / (2 * sigma**2)) for s in square) / (16 * math.pi * sigma**2)
    expected = -16 * (wr * r) @ (p * np.log(p)) @ wa
    assert TARGETS["8gaussians"].entropy == pytest.approx(float(expected), abs=1e-7)


@pytest.mark.parametrize("name", ["moons", "swissroll", "2spirals", "pinwheel"])
def test_entropy_on_another_lattice(name: str):
    # An odd step that shares no node with the lattices used inside; σ ≥ 0.1 makes 0.041 exact to far below 1e-6.
    ticks = torch.arange(-4.6, 4.6, 0.041, dtype=torch.float64)
    log_p = TARGETS[name].log_prob(torch.cartesian_prod(ticks, ticks))
    assert TARGETS[name].entropy == pytest.approx(-float((log_p.exp() * log_p).sum()) * 0.041**2, abs=2e-6)
    assert 0 < TARGETS[name].entropy_error < 1e-5
