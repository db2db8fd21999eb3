"""Quintic splines against scipy's, polynomials that they must reproduce, and their order."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from dgm_core.nn.splines import coefficients, read, resample, weights


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def nodes(n: int) -> torch.Tensor:
    return torch.arange(n, dtype=torch.float64)


def test_weights_are_the_basis_spline() -> None:
    """scipy's BSpline on knots −3 … 3, to 1e-14."""
    basis = BSpline.basis_element(np.arange(-3, 4), extrapolate=False)
    u = torch.linspace(0, 1, 33, dtype=torch.float64)
    expected = np.nan_to_num(np.stack([basis(u.numpy() - j) for j in range(-2, 4)], axis=1))
    assert np.abs(weights(u).numpy() - expected).max() < 1e-14


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=6, max_size=6), st.integers(0, 2**31))
def test_polynomials_of_degree_five_are_reproduced(terms: list[float], seed: int) -> None:
    """Everywhere, the border included; 1e-8 of values up to a few thousand."""
    n = 12

    def curve(x: torch.Tensor) -> torch.Tensor:
        u = (x - n / 2) / 4
        return sum(c * u**k for k, c in enumerate(terms)) + torch.zeros_like(u)

    values = (curve(nodes(n))[None, :] + 2 * curve(nodes(n))[:, None]).unsqueeze(-1)
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.rand(2, 40, dtype=torch.float64, generator=generator) * (n - 1)
    got = read(coefficients(values), x, y)[:, 0]
    assert torch.allclose(got, curve(x) + 2 * curve(y), rtol=1e-8, atol=1e-8)


def test_nodes_are_interpolated() -> None:
    values = torch.randn(9, 14, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    grid_y, grid_x = torch.meshgrid(nodes(9), nodes(14), indexing="ij")
    got = read(coefficients(values), grid_x.flatten(), grid_y.flatten())
    assert torch.allclose(got.view(9, 14, 3), values, atol=1e-11)


def test_error_is_of_order_six() -> None:
    """Halving the cells divides the error by 2⁶ within half an order, away from the border."""
    errors = []
    for n in (40, 80):
        h = 8 / n
        values = torch.sin(1.3 * nodes(n) * h)[None, :, None] * torch.cos(nodes(n) * h)[:, None, None]
        x = torch.linspace(n / 4, 3 * n / 4, 301, dtype=torch.float64)
        got = read(coefficients(values), x, x)[:, 0]
        errors.append(float((got - torch.sin(1.3 * x * h) * torch.cos(x * h)).abs().max()))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(6, abs=0.5)


def test_resampling_reads_the_same_spline() -> None:
    spline = coefficients(torch.randn(10, 12, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    x, y = torch.linspace(0, 11, 7, dtype=torch.float64), torch.linspace(0.3, 8.7, 5, dtype=torch.float64)
    expected = read(spline, x.repeat(5), y.repeat_interleave(7)).view(5, 7, 2)
    assert torch.allclose(resample(spline, x, y), expected, atol=1e-12)
