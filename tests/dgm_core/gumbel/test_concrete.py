"""The Concrete density, its expectation and its curvature against torch, scipy and autograd in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from torch import Tensor
from torch.distributions import Dirichlet, RelaxedOneHotCategorical

from dgm_core.gumbel import concrete_log_prob, expectation_curve, gumbel_softmax, weights_to_logits
from dgm_core.gumbel.curvature import centre_border, lattice, scaled_curvature, smallest

DOUBLE = torch.float64


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-4, 4), min_size=2, max_size=9),
    st.sampled_from([0.125, 0.25, 0.5, 1.0, 2.0, 5.0]),
    st.integers(0, 99),
)
def test_density_is_torchs(logits: list[float], tau: float, seed: int) -> None:
    """Relative 1e-12 in float64 at points of the open simplex."""
    scores = torch.tensor(logits, dtype=DOUBLE)
    torch.manual_seed(seed)
    x = Dirichlet(torch.ones(len(logits), dtype=DOUBLE)).sample((20,)).clamp_min(1e-12)
    x = x / x.sum(-1, keepdim=True)
    expected = RelaxedOneHotCategorical(torch.tensor(tau, dtype=DOUBLE), logits=scores).log_prob(x)
    assert torch.allclose(concrete_log_prob(x, scores, tau), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("tau", [0.3, 1.0, 4.0])
def test_segment_integrates_to_one_by_scipy(tau: float) -> None:
    """K = 2, in the logit of x, where the density has exponential tails; scipy.quad, 1e-8."""
    logits = torch.tensor([0.7, -0.4], dtype=DOUBLE)

    def density(s: float) -> float:
        x = torch.softmax(torch.tensor([s, 0.0], dtype=DOUBLE), -1)
        return float((concrete_log_prob(x, logits, tau) + x.log().sum()).exp())

    assert integrate.quad(density, -100 / tau, 100 / tau, points=[0], limit=400, epsabs=1e-12)[0] == pytest.approx(
        1, abs=1e-8
    )


def test_draws_fall_where_the_density_says() -> None:
    """K = 2: the share of draws with x₁ below each of nine points against scipy's integral; 5 standard errors."""
    logits, tau, n = torch.tensor([0.5, 0.0], dtype=DOUBLE), 0.8, 40_000
    x = gumbel_softmax(logits.expand(n, 2), tau, generator=seeded())[:, 0]
    for edge in np.linspace(0.1, 0.9, 9):
        chance = integrate.quad(
            lambda a: float(concrete_log_prob(torch.tensor([a, 1 - a], dtype=DOUBLE), logits, tau).exp()), 0, edge
        )[0]
        assert float((x < edge).double().mean()) == pytest.approx(chance, abs=5 * math.sqrt(0.25 / n))


def test_float32_and_broadcasting() -> None:
    x = torch.rand(3, 1, 4, generator=seeded()) + 0.1
    x = x / x.sum(-1, keepdim=True)
    found = concrete_log_prob(x, torch.zeros(5, 4), 0.5)
    assert found.shape == (3, 5)
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), concrete_log_prob(x.double(), torch.zeros(5, 4), 0.5), atol=1e-4)


def test_rows_follow_gradients() -> None:
    x = torch.tensor([0.2, 0.3, 0.5], dtype=DOUBLE)
    logits = torch.tensor([0.3, -0.1, 0.9], dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradcheck(lambda scores: concrete_log_prob(x, scores, 0.6), (logits,))


@pytest.mark.parametrize(
    ("point", "tau", "sign"),
    [
        ([0.0, 0.4, 0.6], 0.4, math.inf),
        ([0.0, 0.4, 0.6], 0.6, -math.inf),
        ([0.0, 0.0, 1.0], 1.9, math.inf),
        ([0.0, 0.0, 1.0], 2.1, -math.inf),
    ],
)
def test_boundary_is_the_limit_from_inside(point: list[float], tau: float, sign: float) -> None:
    """The exact value there, and the same direction at three points ever nearer."""
    end, logits = torch.tensor(point, dtype=DOUBLE), torch.tensor([0.2, -0.3, 0.1], dtype=DOUBLE)
    assert float(concrete_log_prob(end, logits, tau)) == sign
    near = [float(concrete_log_prob(end * (1 - e) + e / 3, logits, tau)) for e in (1e-3, 1e-6, 1e-9)]
    assert np.sign(np.diff(near)).tolist() == [math.copysign(1, sign)] * 2


@pytest.mark.parametrize(("point", "tau"), [([0.0, 0.4, 0.6], 0.5), ([0.0, 0.0, 1.0], 2.0)])
def test_boundary_has_a_finite_limit_at_its_own_temperature(point: list[float], tau: float) -> None:
    """Against the value 1e-11 inside; 1e-4 nats, since the approach is like a root of the distance."""
    end, logits = torch.tensor(point, dtype=DOUBLE), torch.tensor([0.2, -0.3, 0.1], dtype=DOUBLE)
    inside = concrete_log_prob(end * (1 - 1e-11) + 1e-11 / 3, logits, tau)
    assert torch.allclose(concrete_log_prob(end, logits, tau), inside, atol=1e-4)


def test_off_the_simplex_there_is_no_density() -> None:
    x = torch.tensor([[0.5, 0.7, -0.2], [0.5, 0.5, 0.5], [0.2, 0.3, 0.4]])
    assert (concrete_log_prob(x, torch.zeros(3), 1.0) == -torch.inf).all()


def test_a_category_that_cannot_be_drawn_leaves_the_law_of_the_others() -> None:
    logits = weights_to_logits([0.3, 0.0, 0.7]).double()
    a = torch.linspace(0.1, 0.9, 9, dtype=DOUBLE)
    face = torch.stack([a, torch.zeros(9, dtype=DOUBLE), 1 - a], -1)
    expected = concrete_log_prob(face[:, [0, 2]], logits[[0, 2]], 0.4)
    assert torch.allclose(concrete_log_prob(face, logits, 0.4), expected, atol=1e-12)
    assert float(concrete_log_prob(torch.tensor([0.3, 0.1, 0.6]), logits, 0.4)) == -math.inf
    assert float(concrete_log_prob(torch.tensor([0.0, 1.0]), weights_to_logits([0.0, 2.0]), 0.4)) == 0.0


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        concrete_log_prob(torch.tensor([0.5, 0.5]), torch.zeros(2), 0.0)
    with pytest.raises(ValueError, match="Logits have to be"):
        concrete_log_prob(torch.tensor([0.5, 0.5]), torch.full((2,), -torch.inf), 1.0)


@pytest.mark.parametrize("tau", [0.2, 1.0, 6.0])
def test_expectation_of_two_is_scipys_integral(tau: float) -> None:
    """K = 2: E σ((logit π + L)/τ) over a logistic L; 1e-8."""
    pi = np.array([0.8, 0.2])
    logit = math.log(pi[0] / pi[1])

    def integrand(s: float) -> float:
        return 1 / (1 + math.exp(-(logit + s) / tau)) * math.exp(-s) / (1 + math.exp(-s)) ** 2

    exact = integrate.quad(integrand, -40, 40, points=[-logit], limit=400, epsabs=1e-12)[0]
    assert expectation_curve(pi, [tau])[0, 0] == pytest.approx(exact, abs=1e-8)


@pytest.mark.parametrize("tau", [0.15, 0.7, 3.0])
def test_expectation_of_three_is_the_integral_of_the_density(tau: float) -> None:
    """K = 3: ∫ z p(z) dz by Gauss–Legendre, 400 × 400 nodes, in the log-ratios of z times τ; 1e-6."""
    pi = np.array([0.6, 0.3, 0.1])
    logits = torch.tensor(pi, dtype=DOUBLE).log()
    nodes, weights = (torch.tensor(part) for part in np.polynomial.legendre.leggauss(400))
    ratios = torch.cartesian_prod(30 * nodes, 30 * nodes) / tau
    x = torch.softmax(torch.cat([ratios, torch.zeros(len(ratios), 1, dtype=DOUBLE)], -1), -1)
    mass = torch.exp(concrete_log_prob(x, logits, tau) + x.log().sum(-1)) / tau**2
    mass = mass * (900 * torch.outer(weights, weights)).flatten()
    assert np.allclose(expectation_curve(pi, [tau])[0], (mass @ x).numpy(), atol=1e-6)


def test_expectation_runs_from_the_weights_to_uniform() -> None:
    curve = expectation_curve([6, 3, 0, 1], [0.0, 1e-4, 1.0, 1e6])
    assert np.allclose(curve.sum(1), 1)
    assert np.allclose(curve[0], [0.6, 0.3, 0, 0.1])
    assert np.allclose(curve[1], [0.6, 0.3, 0, 0.1], atol=1e-6)
    assert np.allclose(curve[3], [1 / 3, 1 / 3, 0, 1 / 3], atol=1e-5)
    assert expectation_curve([0, 5], [0.0, 2.0]).tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize(
    ("pi", "tau"), [([1, 1, 1, 1], 1.0), ([-1, 2], 1.0), ([0, 0], 1.0), ([1, 2], -1.0), ([1, math.nan], 1.0)]
)
def test_expectation_refuses_nonsense(pi: list[float], tau: float) -> None:
    with pytest.raises(ValueError, match=r"Weights have|up to three|Temperatures have"):
        expectation_curve(pi, [tau])


def _autograd_curvature(x: Tensor, logits: Tensor, tau: float) -> float:
    """Smallest eigenvalue of the Hessian of log p along the simplex in e_k = dx_k/x_k, all by autograd and SVD."""
    hessian = torch.autograd.functional.hessian(lambda free: _extended(free, logits, tau), x)
    scaled = x.unsqueeze(1) * hessian * x
    basis = torch.linalg.svd(x.unsqueeze(0))[2][1:].T
    return float(torch.linalg.eigvalsh(basis.T @ scaled @ basis)[0])


def _extended(x: Tensor, logits: Tensor, tau: float) -> Tensor:
    """log p written for any positive x, as torch writes it, up to a constant."""
    score = logits - tau * x.log()
    return (score - score.logsumexp(-1)).sum() - x.log().sum()


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.floats(0.05, 3), st.integers(0, 999))
def test_curvature_is_autograds_hessian(categories: int, tau: float, seed: int) -> None:
    """float64, 1e-8."""
    logits = torch.randn(categories, generator=seeded(seed), dtype=DOUBLE)
    x = torch.softmax(2 * torch.randn(categories, generator=seeded(seed + 1), dtype=DOUBLE), -1)
    found = float(scaled_curvature(x.log().unsqueeze(0), logits, tau))
    assert found == pytest.approx(_autograd_curvature(x, logits, tau), abs=1e-8)


@pytest.mark.parametrize("categories", [2, 3, 4, 5, 12])
def test_log_convex_exactly_up_to_its_border(categories: int) -> None:
    border = 1 / (categories - 1)
    logits = torch.randn(categories, generator=seeded(categories), dtype=DOUBLE)
    for tau in (0.3 * border, 0.9 * border, 0.999 * border):
        assert smallest(logits, tau) >= -1e-12
    for tau in (1.001 * border, 1.1 * border, 2 * border):
        assert smallest(logits, tau) < -1e-4


def test_above_the_border_only_points_next_to_an_edge_are_concave() -> None:
    """K = 3, τ = 0.51: every point with all coordinates above 0.05 is still convex."""
    logits = torch.zeros(3, dtype=DOUBLE)
    points = lattice(3, 200.0, inner=4_000)
    inner = points[(points.exp() > 0.05).all(-1)]
    assert len(inner) > 1_000
    assert float(scaled_curvature(inner, logits, 0.51).min()) > 0
    assert float(scaled_curvature(points, logits, 0.51).min()) < 0


@pytest.mark.parametrize("categories", [2, 3, 10])
def test_the_centre_turns_at_temperature_one(categories: int) -> None:
    assert centre_border(categories) == pytest.approx(1, abs=1e-8)
