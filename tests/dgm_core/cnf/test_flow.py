"""The continuous flow against a Gaussian closed form, scipy's solver in float64, zuko's free-form flow, and itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import zuko
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_fields import lively, spiral
from scipy.integrate import solve_ivp

from dgm_core.cnf.fast import FastField
from dgm_core.cnf.fields import Field, MLPField, PlanarField
from dgm_core.cnf.flow import ContinuousFlow, standard_normal_log_prob
from dgm_core.nn.solvers import METHODS, Solver

FINE = Solver(method="rk4", steps=100)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def points(n: int = 20, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(n, 2, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def planar_field() -> PlanarField:
    return PlanarField(units=12, generator=torch.Generator().manual_seed(3)).double()


def scipy_solution(field: Field, x: torch.Tensor, t: float) -> tuple[np.ndarray, np.ndarray]:
    """Base points and ∫_0^t tr by DOP853 at 1e-11; the trace by autograd, point by point."""

    def backwards(time: float, state: np.ndarray) -> np.ndarray:
        z = torch.tensor(state[:2], dtype=torch.float64)
        now = torch.tensor(time, dtype=torch.float64)
        jacobian = torch.autograd.functional.jacobian(lambda y: field(now, y[None])[0], z)
        return np.append(field(now, z[None])[0].detach().numpy(), float(jacobian.trace()))

    ends = [
        solve_ivp(backwards, (t, 0.0), np.append(p.numpy(), 0.0), method="DOP853", rtol=1e-11, atol=1e-11).y[:, -1]
        for p in x
    ]
    return np.array(ends)[:, :2], -np.array(ends)[:, 2]


@pytest.mark.parametrize("t", [0.0, 0.3, 1.0])
def test_a_linear_field_gives_the_gaussian(t: float) -> None:
    """Matrix exponential and scipy's multivariate normal; RK4 with 100 steps, 1e-8 nats."""
    flow, x = ContinuousFlow(spiral(), FINE), points()
    got = flow.log_prob(x, t=t).detach().numpy()
    assert np.abs(got - flow.field.log_prob(t, x.numpy())).max() < 1e-7


@pytest.mark.parametrize("make", [lively, planar_field])
def test_scipy_finds_the_same_trajectory_and_density(make: type) -> None:
    """Trajectories within 1e-6, log-densities within 1e-5 nats of DOP853 at 1e-11."""
    flow, x = ContinuousFlow(make(), FINE), points(4)
    base, integral = scipy_solution(flow.field, x, 0.8)
    solution = flow.solve_with_log_prob(x, (0.8, 0.0))
    assert np.abs(solution.points[-1].detach().numpy() - base).max() < 1e-6
    expected = standard_normal_log_prob(torch.tensor(base)).numpy() - integral
    assert np.abs(flow.log_prob(x, t=0.8).detach().numpy() - expected).max() < 1e-5


def test_zuko_finds_the_same_density_with_the_same_weights() -> None:
    """zuko's free-form flow at its tolerance 1e-8 (its trace is held 100 times looser): 1e-4 nats."""
    flow, x = ContinuousFlow(lively(), FINE), points(8)
    transform = zuko.transforms.FreeFormJacobianTransform(
        lambda t, z: flow.field(t, z),
        t0=torch.tensor(1.0).double(),
        t1=torch.tensor(0.0).double(),
        atol=1e-8,
        rtol=1e-8,
    )
    base, log_det = transform.call_and_ladj(x)
    expected = (standard_normal_log_prob(base) + log_det).detach()
    assert torch.allclose(flow.log_prob(x).detach(), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_every_solver_agrees(method: str) -> None:
    """64 steps or tolerance 1e-7 against RK4 with 200: within 2e-4 nats, Euler within 0.5."""
    flow, x = ContinuousFlow(lively()), points()
    with torch.no_grad():
        expected = flow.log_prob(x, solver=Solver(method="rk4", steps=200))
        got = flow.log_prob(x, solver=Solver(method=method, steps=64, tolerance=1e-6))
    allowed = {"euler": 0.5, "midpoint": 5e-3, "explicit_adams": 5e-3, "dopri8": 5e-3}.get(method, 1e-3)
    assert float((got - expected).abs().max()) < allowed
    assert flow.nfe > 0


@pytest.mark.parametrize("make", [lively, planar_field, spiral])
def test_the_fast_evaluation_is_the_field(make: type) -> None:
    """Rounding of float64 (1e-12), in blocks that do not divide the number of points."""
    field, z = make(), points(500)
    fast = FastField(field, rows=64)
    for t in (0.0, 0.37, 1.0):
        velocity, trace = field.with_trace(torch.tensor(t, dtype=torch.float64), z)
        got_velocity, got_trace = fast.with_trace(t, z)
        assert torch.allclose(got_velocity, velocity, atol=1e-12)
        assert torch.allclose(got_trace, trace, atol=1e-11)
        assert torch.allclose(fast.velocity(t, z), velocity, atol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_fast_evaluation_at_every_depth(depth: int) -> None:
    field, z = lively(width=9, depth=depth, seed=depth), points(70)
    velocity, trace = field.with_trace(torch.tensor(0.6, dtype=torch.float64), z)
    got = FastField(field).with_trace(0.6, z)
    assert torch.allclose(got[0], velocity, atol=1e-12)
    assert torch.allclose(got[1], trace, atol=1e-11)


def test_evaluation_with_and_without_gradient_agree() -> None:
    """float32, both ways through the same steps: 2e-5 nats of rounding."""
    flow = ContinuousFlow(MLPField(width=32, generator=torch.Generator().manual_seed(0)))
    x = points(300, dtype=torch.float32)
    with torch.no_grad():
        fast = flow.log_prob(x)
    assert torch.allclose(fast, flow.log_prob(x).detach(), rtol=0, atol=2e-5)


@settings(max_examples=10, deadline=None)
@given(t=st.floats(0.05, 1.0), seed=st.integers(0, 10_000))
def test_there_and_back(t: float, seed: int) -> None:
    """F⁻¹ undoes F within the error of RK4 with 100 steps (1e-6), and the changes of log-density cancel."""
    flow, z = ContinuousFlow(lively(), FINE), points(16, seed)
    there = flow.solve_with_log_prob(z, (0.0, t))
    back = flow.solve_with_log_prob(there.points[-1], (t, 0.0))
    assert torch.allclose(back.points[-1], z, rtol=0, atol=1e-6)
    assert torch.allclose(there.delta[-1], -back.delta[-1], rtol=0, atol=1e-5)


def test_the_gradient_in_x_is_that_of_a_gaussian() -> None:
    """∇ log N(x; m, C) = −C⁻¹(x − m), by backpropagation and by the adjoint, 1e-6."""
    flow, x = ContinuousFlow(spiral(), FINE), points(6).requires_grad_(True)
    linear, mean = flow.field.propagator(1.0)
    expected = -(x.detach().numpy() - mean) @ np.linalg.inv(linear @ linear.T)
    for adjoint in (False, True):
        gradient = torch.autograd.grad(flow.log_prob(x, adjoint=adjoint).sum(), x)[0]
        assert np.abs(gradient.numpy() - expected).max() < 1e-6


def test_the_gradient_in_the_weights_by_both_methods() -> None:
    """Backpropagation against the adjoint, RK4 with 100 steps: relative 1e-5; the adjoint's evaluations are counted."""
    flow, x = ContinuousFlow(lively(), FINE), points(10)
    gradients = []
    for adjoint in (False, True):
        loss = flow.log_prob(x, adjoint=adjoint).mean()
        forward = flow.nfe
        gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(flow.parameters()))]))
    assert float((gradients[0] - gradients[1]).norm() / gradients[0].norm()) < 1e-5
    assert flow.nfe >= 2 * forward


def test_samples_have_the_flows_moments() -> None:
    """20,000 samples of a linear flow: mean and covariance within 5 standard errors (about 0.1)."""
    flow, n = ContinuousFlow(spiral(), FINE), 20_000
    linear, mean = flow.field.propagator(1.0)
    x = flow.sample(n, torch.Generator().manual_seed(0)).numpy()
    covariance = linear @ linear.T
    assert np.abs((x.mean(0) - mean) / np.sqrt(covariance.diagonal() / n)).max() < 5
    spread = np.sqrt((covariance**2 + np.outer(covariance.diagonal(), covariance.diagonal())) / n)
    assert np.abs((np.cov(x.T) - covariance) / spread).max() < 5


def test_equal_generators_give_equal_samples() -> None:
    flow = ContinuousFlow(lively())
    first, again, other = (flow.sample(4, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_log_prob_integrates_to_one() -> None:
    """Midpoint rule on 160² cells over [−8, 8]², a smooth density: 1e-4."""
    flow = ContinuousFlow(MLPField(width=16, generator=torch.Generator().manual_seed(0)).double())
    axis = torch.linspace(-8, 8, 161, dtype=torch.float64)[:-1] + 0.05
    with torch.no_grad():
        total = flow.log_prob(torch.cartesian_prod(axis, axis), solver=Solver(steps=24)).exp().sum() * 0.01
    assert float(total) == pytest.approx(1.0, abs=1e-4)


def test_base_density_is_standard_normal() -> None:
    assert float(standard_normal_log_prob(torch.zeros(1, 2))) == pytest.approx(-math.log(2 * math.pi))


def test_state_dict_holds_the_field_alone() -> None:
    flow = ContinuousFlow(lively())
    flow.log_prob(points(2))
    assert all(name.startswith("field.") for name in flow.state_dict())
