"""Maximum likelihood: closed forms for linear fields, gradients by four ways, the probe's estimate on average."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from dgm_core.cnf.fields import Field, MLPField, PlanarField
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.likelihood import clip_norm_, negative_log_likelihood
from dgm_core.cnf.objectives import Batches, MaximumLikelihood
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.nn.solvers import Solver
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters

FINE = Solver(method="rk4", steps=64)


class LinearField(Field):
    """f(t, z) = A z: the flow of N(0, I) is N(0, e^A e^Aᵀ)."""

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.dim, self.matrix = len(matrix), nn.Parameter(matrix.clone())

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return z @ self.matrix.T

    def with_jacobian(self, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        return z @ self.matrix.T, self.matrix.expand(len(z), *self.matrix.shape)


def flat_gradient(loss: Tensor, flow: nn.Module) -> Tensor:
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(flow.parameters()))])


def small_flow(seed: int = 0, width: int = 16) -> ContinuousFlow:
    return ContinuousFlow(MLPField(width=width, depth=2, generator=torch.Generator().manual_seed(seed)).double())


def points(n: int, seed: int = 1) -> Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_value_and_gradient_of_a_linear_field_in_closed_form() -> None:
    matrix = torch.tensor([[-0.3, 0.8], [-0.5, 0.2]], dtype=torch.float64)
    flow, x = ContinuousFlow(LinearField(matrix)), points(50)
    loss = negative_log_likelihood(flow, x, solver=FINE)
    mover = torch.linalg.matrix_exp(flow.field.matrix)
    normal = torch.distributions.MultivariateNormal(torch.zeros(2, dtype=torch.float64), mover @ mover.T)
    closed = -normal.log_prob(x).mean()
    torch.testing.assert_close(loss, closed, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(flat_gradient(loss, flow), flat_gradient(closed, flow), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("method", ["euler", "midpoint", "rk4"])
def test_gradient_through_the_steps_is_the_slope_of_the_loss(method: str) -> None:
    """Central differences along a random direction, float64: relative difference ≤ 1e-6."""
    flow, x = small_flow(), points(40)
    solver = Solver(method=method, steps=3)
    flat = flatten_parameters(flow)
    gradient = flat_gradient(negative_log_likelihood(flow, x, solver=solver), flow)
    direction = torch.randn(flat.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    start, losses = flat.clone(), []
    for sign in (1, -1):
        flat.copy_(start + sign * 1e-5 * direction)
        losses.append(float(negative_log_likelihood(flow, x, solver=solver).detach()))
    slope = (losses[0] - losses[1]) / 2e-5
    assert slope == pytest.approx(float(gradient @ direction), rel=1e-6)


@pytest.mark.parametrize("trace", ["exact", "rademacher"])
def test_adjoint_gradient_is_backpropagations(trace: str) -> None:
    """dopri5 at 1e-9 in float64, the same probes: relative difference ≤ 1e-6."""
    flow, x = small_flow(), points(20)
    solver = Solver(method="dopri5", tolerance=1e-9)
    gradients = []
    for adjoint in (False, True):
        generator = torch.Generator().manual_seed(3)
        loss = negative_log_likelihood(flow, x, solver=solver, trace=trace, adjoint=adjoint, generator=generator)
        gradients.append(flat_gradient(loss, flow))
    assert float((gradients[0] - gradients[1]).norm() / gradients[0].norm()) < 1e-6


@pytest.mark.parametrize("trace", ["gaussian", "rademacher"])
def test_one_probe_gives_the_exact_gradient_on_average(trace: str) -> None:
    """Mean of 400 gradients along one direction within 4 standard errors of the exact one."""
    flow, x = small_flow(), points(64)
    solver, generator = Solver(steps=2), torch.Generator().manual_seed(4)
    exact = flat_gradient(negative_log_likelihood(flow, x, solver=solver), flow)
    direction = torch.randn(exact.shape, generator=generator, dtype=torch.float64)
    found = torch.stack([
        flat_gradient(negative_log_likelihood(flow, x, solver=solver, trace=trace, generator=generator), flow)
        @ direction
        for _ in range(400)
    ])  # fmt: skip
    error = float(found.std()) / math.sqrt(len(found))
    assert error > 0
    assert abs(float(found.mean() - exact @ direction)) < 4 * error


def test_planar_likelihood_by_autograds_determinant() -> None:
    flow, x = PlanarFlow(layers=5, generator=torch.Generator().manual_seed(0)).double(), points(10)

    def to_base(point: Tensor) -> Tensor:
        return flow.trajectory(point.unsqueeze(0), (1.0, 0.0))[-1, 0]

    total = 0.0
    for point in x:
        jacobian = torch.autograd.functional.jacobian(to_base, point)
        base = to_base(point).detach()
        total += float(-0.5 * base @ base - math.log(2 * math.pi) + torch.linalg.slogdet(jacobian).logabsdet)
    assert float(negative_log_likelihood(flow, x).detach()) == pytest.approx(-total / len(x), rel=1e-9)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20), st.floats(1e-2, 1e2))
def test_clipping_keeps_direction_and_small_gradients(values: list[float], limit: float) -> None:
    gradient = torch.tensor(values, dtype=torch.float64)
    before = gradient.clone()
    norm = float(clip_norm_(gradient, limit))
    assert norm == pytest.approx(float(before.norm()), rel=1e-12)
    assert float(gradient.norm()) <= limit * (1 + 1e-9)
    scale = min(1.0, limit / (norm + 1e-12))
    torch.testing.assert_close(gradient, before * scale)


@pytest.mark.parametrize(("model", "settings"), [
    ("mlp", {"solver": Solver(steps=4)}),
    ("mlp", {"solver": Solver(steps=4), "trace": "gaussian"}),
    ("planar-cnf", {"solver": Solver(steps=4), "adjoint": True}),
    ("planar", {}),
])  # fmt: skip
def test_a_few_steps_lower_the_likelihood_loss(model: str, settings: dict[str, object]) -> None:
    """Shifted, narrow Gaussian data; 60 steps take off at least 0.5 nats of some 2."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    data = torch.tensor([1.5, 1.0]) + 0.5 * torch.randn(4000, 2, generator=generator)
    flow = {
        "mlp": lambda: ContinuousFlow(MLPField(width=16, depth=2, generator=generator)),
        "planar-cnf": lambda: ContinuousFlow(PlanarField(units=16, generator=generator)),
        "planar": lambda: PlanarFlow(layers=8, generator=generator),
    }[model]()
    weights = flatten_parameters(flow)
    optimiser = AveragedAdam(weights, torch.zeros_like(weights))
    objective = MaximumLikelihood(flow, Batches(data, 128, generator), optimiser.gradient, **settings)
    before = float(negative_log_likelihood(flow, data[:1000]).detach())
    for _ in range(60):
        objective()
        optimiser.step(2e-2)
    assert float(negative_log_likelihood(flow, data[:1000]).detach()) < before - 0.5
    # 4 RK4 steps are 16 evaluations; the adjoint's backward solve adds its own; a planar flow has one for each layer.
    assert objective.nfe == 8 if model == "planar" else objective.nfe >= 16
