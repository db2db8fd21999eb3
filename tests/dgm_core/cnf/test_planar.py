"""The discrete planar flow against slogdet, autograd, its own inverse, and the numerical mass of its density."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dgm_core.cnf.flow import standard_normal_log_prob
from dgm_core.cnf.planar import PlanarFlow, unshift


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def flow(layers: int = 6, seed: int = 0, strength: float = 4.0) -> PlanarFlow:
    """float64, with layers strong enough that some need the constraint."""
    made = PlanarFlow(layers=layers, generator=torch.Generator().manual_seed(seed)).double()
    with torch.no_grad():
        made.u.mul_(strength)
    return made


def points(n: int = 12, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 9999), start=st.floats(0, 1), end=st.floats(0, 1))
def test_log_determinant_is_slogdet(seed: int, start: float, end: float) -> None:
    """Between any two times, whole layers or parts: closed form, autograd's Jacobian and slogdet agree to 1e-8."""
    model, x = flow(seed=seed), points(4, seed)
    moved, change = model._move(x, start, end)
    closed = model.jacobian(x, start, end)
    for n in range(len(x)):
        by_autograd = torch.autograd.functional.jacobian(lambda y: model._move(y[None], start, end)[0][0], x[n])
        assert torch.allclose(closed[n], by_autograd, rtol=1e-8, atol=1e-8)
    assert torch.allclose(change, -torch.linalg.slogdet(closed).logabsdet, atol=1e-8)
    assert moved.shape == x.shape


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 9999), times=st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_there_and_back(seed: int, times: list[float]) -> None:
    """Any way through times is undone by the way back, to 1e-8 in float64 where layers nearly fold."""
    model, x = flow(seed=seed), points(8, seed)
    there = model.solve_with_log_prob(x, times)
    back = model.solve_with_log_prob(there.points[-1], times[::-1])
    assert torch.allclose(back.points[-1], x, atol=1e-7)
    assert torch.allclose(back.delta[-1], -there.delta[-1], atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(
    strength=st.floats(-1, 20, exclude_min=True),
    offset=st.floats(-5, 5),
    values=st.lists(st.floats(-20, 20), min_size=1),
)
# From a = s Newton's method goes round and round here: 13 was left over.
@example(strength=7.125, offset=0.0, values=[5.625])
def test_the_monotone_equation_is_solved(strength: float, offset: float, values: list[float]) -> None:
    """What is left over is below 1e-12 of the numbers in it, also where the left side is nearly flat."""
    s, c, b = (torch.tensor(v, dtype=torch.float64) for v in (values, strength, offset))
    a = unshift(s, c, b)
    assert float((a + c * torch.tanh(a + b) - s).abs().max()) < 1e-12 * (1 + 20 + abs(strength))


@pytest.mark.parametrize("offset", [-5.0, -0.3, 0.0, 2.0])
@pytest.mark.parametrize("strength", [-1 + 1e-12, -1 + 1e-6, -0.999, -0.5, 0.0, 0.3, 2.0, 7.125, 20.0, 1e3])
def test_the_monotone_equation_on_a_grid(strength: float, offset: float) -> None:
    """Rounding alone is left over, far out, in the bend and at the flattest point."""
    c, b = torch.tensor(strength, dtype=torch.float64), torch.tensor(offset, dtype=torch.float64)
    s = torch.cat([torch.linspace(-25, 25, 2001), -b + torch.linspace(-1e-3, 1e-3, 201)]).double()
    a = unshift(s, c, b)
    assert float((a + c * torch.tanh(a + b) - s).abs().max()) < 1e-15 * (1 + 25 + abs(strength))


def test_every_layer_is_invertible() -> None:
    """wᵀû > −1, although wᵀu is far below for some layers."""
    model = flow(layers=200, strength=20.0)
    assert float((model.w * model.u).sum(1).detach().min()) < -5
    assert float((model.w * model.pushes()).sum(1).detach().min()) > -1


def test_the_density_is_that_of_the_layers_written_out() -> None:
    """log p by a loop over the paper's formulas (eq. 10–13), 1e-12."""
    model, x = flow(), points()
    z, total = x, torch.zeros(len(x), dtype=torch.float64)
    for w, b, push in zip(model.w, model.b, model.pushes(), strict=True):
        psi = (1 - torch.tanh(z @ w + b) ** 2)[:, None] * w
        total = total + (1 + psi @ push).abs().log()
        z = z + torch.tanh(z @ w + b)[:, None] * push
    assert torch.allclose(model.log_prob(x), standard_normal_log_prob(z) + total, atol=1e-12)


@pytest.mark.parametrize("t", [0.0, 0.25, 0.6, 1.0])
def test_the_mass_is_one_at_every_time(t: float) -> None:
    """Midpoint rule on 400² cells over [−20, 20]², 2e-3."""
    axis = torch.linspace(-20, 20, 401, dtype=torch.float64)[:-1] + 0.05
    with torch.no_grad():
        mass = flow(layers=4, strength=2.0).log_prob(torch.cartesian_prod(axis, axis), t=t).exp().sum() * 0.01
    assert float(mass) == pytest.approx(1.0, abs=2e-3)


def test_velocity_and_trace_are_rates_of_change() -> None:
    """Central differences over 1e-5 within a layer, 1e-5."""
    model, x, t, h = flow(), points(), 0.4, 1e-5
    start = model.trajectory(x, (t, t - h))[-1]
    solution = model.solve_with_log_prob(start, (t - h, t + h))
    velocity, trace = model.with_trace(t, x)
    assert torch.allclose((solution.points[-1] - start) / (2 * h), velocity, atol=1e-5)
    assert torch.allclose(-solution.delta[-1] / (2 * h), trace, atol=1e-5)


def test_the_gradient_is_right() -> None:
    """gradcheck in x and the weights, at the data and half way, where a layer has to be undone."""
    model, x = flow(layers=3, strength=1.0), points(2).requires_grad_(True)
    weights = tuple(w.detach().clone().requires_grad_(True) for w in model.parameters())

    def log_prob(x: torch.Tensor, u: torch.Tensor, w: torch.Tensor, b: torch.Tensor, t: float) -> torch.Tensor:
        return torch.func.functional_call(model, {"u": u, "w": w, "b": b}, (x,), {"t": t})

    model.forward = lambda x, t: PlanarFlow.log_prob(model, x, t=t)  # type: ignore[method-assign]
    for t in (1.0, 0.5):
        assert torch.autograd.gradcheck(lambda *args, t=t: log_prob(*args, t), (x, *weights))


def test_times_off_the_flow_are_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        flow().trajectory(points(), (0.0, 1.2))
