"""Gradients four ways against one another, torchdiffeq's adjoint, and autograd through a matrix exponential."""

from __future__ import annotations

import math

import pytest
import torch
import torchdiffeq
from torch import Tensor, nn

from dgm_core.neural_ode.adjoint import Augmented, reversal
from dgm_core.neural_ode.gradients import HOWS, gradients
from dgm_core.neural_ode.networks import FieldNetwork
from dgm_core.neural_ode.problems import PROBLEMS
from dgm_core.neural_ode.solve import BlowUpError
from dgm_core.neural_ode.vector_fields import LinearField, VectorField


def loss(z: Tensor) -> Tensor:
    return (z.square() * torch.linspace(0.5, 1.5, z.shape[-1], dtype=z.dtype)).sum() + torch.sin(z[0, 0])


def network() -> nn.Module:
    return FieldNetwork(2, 6, 1, timed=True, generator=torch.Generator().manual_seed(0)).double()


CASES: dict[str, tuple[nn.Module, Tensor, float]] = {
    "spiral": (PROBLEMS["spiral"].field(), PROBLEMS["spiral"].start(3, 0.3), 2.0),
    "lotka-volterra": (PROBLEMS["lotka-volterra"].field(), PROBLEMS["lotka-volterra"].start(2, 0.1), 3.0),
    "van-der-pol": (PROBLEMS["van-der-pol"].field(), PROBLEMS["van-der-pol"].start(2, 0.1), 1.5),
    "lorenz": (PROBLEMS["lorenz"].field(), PROBLEMS["lorenz"].start(), 0.3),
    "network": (network(), torch.randn(4, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64), 1.0),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("how", ["backprop", "finite"])
def test_all_ways_agree_at_a_tight_tolerance(name: str, how: str) -> None:
    """Solves at 1e-10; the flows amplify errors at most a thousandfold; differences are good to 1e-6 of the largest."""
    field, z0, span = CASES[name]
    settings = {"span": (0.0, span), "rtol": 1e-10, "atol": 1e-12}
    adjoint = gradients(field, z0, loss, how="adjoint", **settings)  # type: ignore[arg-type]
    other = gradients(field, z0, loss, how=how, **settings)  # type: ignore[arg-type]
    size = float(adjoint.dz0.abs().max() + adjoint.dtheta.abs().max())
    assert adjoint.loss == pytest.approx(other.loss, rel=1e-9)
    torch.testing.assert_close(adjoint.dz0, other.dz0, rtol=0, atol=1e-6 * size)
    torch.testing.assert_close(adjoint.dtheta, other.dtheta, rtol=0, atol=1e-6 * size)


@pytest.mark.parametrize("method", ["euler", "midpoint", "heun3", "rk4"])
@pytest.mark.parametrize("name", CASES)
def test_with_fixed_steps_the_adjoint_is_torchdiffeqs_to_rounding(name: str, method: str) -> None:
    field, z0, span = CASES[name]
    ours = gradients(field, z0, loss, method, span=(0.0, span), step=span / 20)
    start = z0.clone().requires_grad_(True)
    parameters = tuple(field.parameters())
    end = torchdiffeq.odeint_adjoint(
        field, start, torch.tensor([0.0, span], dtype=torch.float64), method=method,
        options={"step_size": span / 20}, adjoint_params=parameters,
    )[-1]  # fmt: skip
    dz0, *dtheta = torch.autograd.grad(loss(end), [start, *parameters], allow_unused=True, materialize_grads=True)
    torch.testing.assert_close(ours.dz0, dz0, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(ours.dtheta, torch.cat([part.reshape(-1) for part in dtheta]), rtol=1e-9, atol=1e-11)


def test_backpropagation_is_autograd_through_the_steps_written_out() -> None:
    """Two Euler steps by hand."""
    field, z0, _ = CASES["lotka-volterra"]
    start = z0.clone().requires_grad_(True)
    z = start
    for t in (0.0, 0.25):
        z = z + 0.25 * field(torch.tensor(t), z)
    (expected,) = torch.autograd.grad(loss(z), start)
    found = gradients(field, z0, loss, "euler", "backprop", span=(0.0, 0.5), step=0.25)
    torch.testing.assert_close(found.dz0, expected, rtol=1e-13, atol=1e-13)
    assert (found.nfe_forward, found.nfe_backward) == (2, 2)


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_the_closed_form_is_autograd_through_the_matrix_exponential(dim: int) -> None:
    generator = torch.Generator().manual_seed(dim)
    matrix = torch.randn(dim, dim, generator=generator, dtype=torch.float64)
    z0 = torch.randn(5, dim, generator=generator, dtype=torch.float64)
    found = gradients(LinearField(matrix.tolist()), z0, loss, how="exact", span=(0.0, 0.7))
    matrix.requires_grad_(True)
    start = z0.clone().requires_grad_(True)
    value = loss(start @ torch.linalg.matrix_exp(0.7 * matrix).T)
    dz0, dmatrix = torch.autograd.grad(value, [start, matrix])
    assert found.loss == pytest.approx(float(value.detach()), rel=1e-12)
    torch.testing.assert_close(found.dz0, dz0, rtol=1e-10, atol=1e-11)
    torch.testing.assert_close(found.dtheta.view(dim, dim), dmatrix, rtol=1e-10, atol=1e-11)


def test_the_augmented_right_hand_side_is_the_jacobian_by_hand() -> None:
    """Lotka-Volterra's ∂f/∂z and ∂f/∂θ written out, at one point."""
    field = PROBLEMS["lotka-volterra"].field()
    alpha, beta, gamma, delta = field.rates.tolist()  # type: ignore[operator, union-attr]
    x, y, a, b = 1.3, 0.7, 0.4, -1.1
    z = torch.tensor([[x, y]], dtype=torch.float64)
    f, slope_z, slope_theta = Augmented(field, z.shape).slopes(torch.tensor(0.0), z, torch.tensor([[a, b]]).double())
    assert f[0].tolist() == pytest.approx([alpha * x - beta * x * y, delta * x * y - gamma * y])
    by_hand = [-(a * (alpha - beta * y) + b * delta * y), -(a * -beta * x + b * (delta * x - gamma))]
    assert slope_z[0].tolist() == pytest.approx(by_hand)
    assert slope_theta.tolist() == pytest.approx([-a * x, a * x * y, b * y, -b * x * y])


def test_the_backward_path_of_a_linear_field_is_exponentials() -> None:
    """z(t) = exp(tA) z0 and a_z(t) = exp((T − t)Aᵀ) a₁ at every moment kept."""
    field, z0, span = CASES["spiral"]
    assert isinstance(field, LinearField)
    path = gradients(field, z0, loss, span=(0.0, span), rtol=1e-11, atol=1e-13, moments=9).path
    assert path is not None
    matrix = field.matrix.detach()
    for i, t in enumerate(path.times):
        left = torch.linalg.matrix_exp((span - t) * matrix)
        torch.testing.assert_close(path.z[i], z0 @ torch.linalg.matrix_exp(t * matrix).T, rtol=0, atol=1e-7)
        torch.testing.assert_close(path.a_z[i], path.a_z[0] @ left, rtol=0, atol=1e-7)
        torch.testing.assert_close(path.slope_z[i], -path.a_z[i] @ matrix, rtol=1e-12, atol=1e-12)
    assert float(path.a_theta[0].abs().max()) == 0.0


def test_backwards_on_lorenz_the_reconstruction_drifts_and_the_gradient_with_it() -> None:
    """Lorenz contracts volumes by e^13.7 a unit of time, so backwards errors grow; backpropagation does not care."""
    problem = PROBLEMS["lorenz"]
    settings = {"span": (0.0, 1.5), "rtol": 1e-5, "atol": 1e-7}
    adjoint = gradients(problem.field(), problem.start(), loss, moments=21, **settings)  # type: ignore[arg-type]
    backprop = gradients(problem.field(), problem.start(), loss, how="backprop", **settings)  # type: ignore[arg-type]
    assert adjoint.path is not None
    drift = adjoint.path.drift
    assert drift is not None
    assert float(drift[0]) < 1e-9 < 1.0 < float(drift[-1])
    exact = gradients(problem.field(), problem.start(), loss, how="backprop", span=(0.0, 1.5), rtol=1e-11, atol=1e-13)
    size = float(exact.dz0.abs().max())
    assert float((backprop.dz0 - exact.dz0).abs().max()) < 0.01 * size
    assert float((adjoint.dz0 - exact.dz0).abs().max()) > 0.05 * size


def test_there_and_back_is_as_good_as_the_tolerance() -> None:
    field, z0, _ = CASES["spiral"]
    found = reversal(field, z0, (0.0, 5.0), [1e-4, 1e-6, 1e-8])
    for tolerance, error in zip(found.tolerances, found.errors, strict=True):
        assert 0 < error < 100 * tolerance
    assert found.nfe[0] < found.nfe[1] < found.nfe[2]


def test_what_breaks_off_backwards_says_so() -> None:
    class Sink(VectorField):
        def __init__(self) -> None:
            super().__init__()
            self.rate = nn.Parameter(torch.tensor(3.0, dtype=torch.float64))

        def forward(self, t: Tensor, z: Tensor) -> Tensor:
            return -self.rate * z**3

    z0 = torch.full((1, 1), 50.0, dtype=torch.float64)
    with pytest.raises(BlowUpError, match="backwards in time"):
        gradients(Sink(), z0, torch.sum, span=(0.0, 10.0), rtol=1e-2, atol=1e-2)


def test_ways_that_cannot_be_gone_are_refused() -> None:
    field, z0, _ = CASES["lotka-volterra"]
    with pytest.raises(ValueError, match="closed form"):
        gradients(field, z0, loss, how="exact")
    with pytest.raises(ValueError, match="finite differences are too many"):
        gradients(field, z0.repeat(300, 1), loss, how="finite")
    with pytest.raises(ValueError, match="no gradient by 'magic'"):
        gradients(field, z0, loss, how="magic")  # type: ignore[arg-type]


def test_a_field_without_parameters_has_an_empty_gradient_for_them() -> None:
    class Still(VectorField):
        def forward(self, t: Tensor, z: Tensor) -> Tensor:
            return -z

    z0 = torch.ones(2, 1, dtype=torch.float64)
    for how in ("adjoint", "backprop", "finite"):
        found = gradients(Still(), z0, torch.sum, how=how, rtol=1e-9, atol=1e-11)  # type: ignore[arg-type]
        assert found.dtheta.shape == (0,)
        assert found.dz0.flatten().tolist() == pytest.approx([math.exp(-1)] * 2, rel=1e-6)
    assert len(HOWS) == 4
