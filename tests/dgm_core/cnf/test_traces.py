"""Traces against autograd's Jacobian, and the law of Hutchinson's estimate."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_fields import LinearField, lively, spiral

from dgm_core.cnf import traces
from dgm_core.cnf.fields import PlanarField
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.nn.solvers import Solver


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def planar() -> PlanarField:
    return PlanarField(units=7, generator=torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize("make", [lively, planar, spiral])
@pytest.mark.parametrize("one_time", [True, False])
def test_closed_form_is_autograds_jacobian(make: type, one_time: bool) -> None:
    """float64, 1e-12; with one time for all points and with one for each."""
    field, generator = make(), torch.Generator().manual_seed(0)
    z = torch.randn(6, 2, dtype=torch.float64, generator=generator)
    t = torch.rand(6, 1, dtype=torch.float64, generator=generator)
    t = t[0, 0] if one_time else t
    velocity, jacobian = field.with_jacobian(t, z)
    for n in range(len(z)):
        own = t if one_time else t[n : n + 1]
        expected = torch.autograd.functional.jacobian(lambda y, own=own: field(own, y[None])[0], z[n])
        assert torch.allclose(jacobian[n], expected, atol=1e-12)
    assert torch.allclose(velocity, field(t, z), atol=1e-13)
    assert torch.allclose(field.with_trace(t, z)[1], jacobian.diagonal(dim1=1, dim2=2).sum(1), atol=1e-12)
    assert torch.allclose(traces.autograd(field, t, z)[1], field.with_trace(t, z)[1], atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.sampled_from(["gaussian", "rademacher"]), st.integers(0, 999)
)
def test_probes_have_the_mean_and_variance_of_theory(entries: list[float], noise: traces.Noise, seed: int) -> None:
    """20,000 probes of a 2 × 2 matrix: 5 standard errors, taken from the probes' moments, and 1e-9 for rounding."""
    matrix, n = torch.tensor(entries, dtype=torch.float64).view(2, 2), 20_000
    field = LinearField(matrix.tolist(), [0.0, 0.0])
    z = torch.zeros(n, 2, dtype=torch.float64)
    probes = traces.draw(noise, z, torch.Generator().manual_seed(seed))
    values = traces.hutchinson(field, torch.tensor(0.0), z, probes)[1].detach()
    trace, squares = float(matrix.trace()), (values - matrix.trace()).square()
    assert abs(float(values.mean()) - trace) <= 5 * float(values.std()) / math.sqrt(n) + 1e-9
    allowed = 5 * float(squares.std()) / math.sqrt(n) + 1e-9
    assert abs(float(squares.mean()) - float(traces.probe_variance(matrix, noise))) <= allowed


def test_rademacher_is_exact_for_a_diagonal_matrix() -> None:
    field = LinearField([[2.0, 0.0], [0.0, -5.0]], [0.0, 0.0])
    z = torch.zeros(50, 2, dtype=torch.float64)
    values = traces.hutchinson(field, torch.tensor(0.0), z, traces.draw("rademacher", z))[1]
    assert torch.allclose(values, torch.full_like(values, -3.0))


def test_an_estimate_in_fifty_dimensions_has_its_variance() -> None:
    """D = 50, random A, 40,000 probes: 5 standard errors."""
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(50, 50, dtype=torch.float64, generator=generator)
    for noise in ("gaussian", "rademacher"):
        probes = traces.draw(noise, torch.zeros(40_000, 50, dtype=torch.float64), generator)
        squares = (torch.einsum("nd,de,ne->n", probes, matrix, probes) - matrix.trace()).square()
        expected = float(traces.probe_variance(matrix, noise))
        assert float(squares.mean()) == pytest.approx(expected, abs=5 * float(squares.std()) / 200)


def test_probes_stay_the_same_during_a_solve() -> None:
    """With fixed probes the estimate is a smooth function of t: halving RK4's step changes it by 16 times less."""
    flow = ContinuousFlow(lively())
    x = torch.randn(10, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def value(steps: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(5)
        return flow.log_prob(x, solver=Solver(steps=steps), trace="gaussian", generator=generator).detach()

    exact = value(320)
    assert float((value(40) - exact).abs().max()) < float((value(20) - exact).abs().max()) / 8


def test_the_estimated_log_density_is_unbiased() -> None:
    """One point, 4,000 probes: the mean is log p within 5 standard errors."""
    flow, n = ContinuousFlow(lively(), Solver(steps=12)), 4_000
    x = torch.tensor([[0.4, -0.7]], dtype=torch.float64)
    values = flow.log_prob(x.expand(n, 2).contiguous(), trace="rademacher", generator=torch.Generator().manual_seed(0))
    exact = float(flow.log_prob(x).detach())
    assert float(values.detach().mean()) == pytest.approx(exact, abs=5 * float(values.detach().std()) / math.sqrt(n))
