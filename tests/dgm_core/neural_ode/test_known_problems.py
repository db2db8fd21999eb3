"""Fields, closed forms and conserved quantities against scipy and autograd; residual blocks against their limit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from dgm_core.neural_ode.orders import slope
from dgm_core.neural_ode.problems import PROBLEMS, conserved, reference, solution
from dgm_core.neural_ode.residual import residual
from dgm_core.neural_ode.vector_fields import VectorField


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_is_consistent(name: str) -> None:
    problem = PROBLEMS[name]
    field, z0 = problem.field(), problem.start(4, 0.1, seed=3)
    assert z0.shape == (4, problem.dim)
    assert z0[0].tolist() == list(problem.z0)
    assert field(torch.tensor(0.0), z0).shape == z0.shape
    assert problem.dial is None or problem.dial.low <= problem.dial.value <= problem.dial.high
    assert problem.window[0] < problem.window[1]
    assert problem.window[2] < problem.window[3]


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_first_solution_stays_in_its_window(name: str) -> None:
    problem = PROBLEMS[name]
    states = solution(problem.field(), problem.start(), torch.linspace(0, problem.span, 300, dtype=torch.float64))
    xmin, xmax, ymin, ymax = problem.window
    across = states[..., 1] if problem.dim > 1 else states[..., 0]
    assert bool(((across > ymin) & (across < ymax)).all())
    if problem.dim > 1:
        assert bool(((states[..., 0] > xmin) & (states[..., 0] < xmax)).all())


@pytest.mark.parametrize("name", ["linear", "harmonic", "spiral", "explosion"])
def test_closed_forms_are_what_scipy_integrates(name: str) -> None:
    problem = PROBLEMS[name]
    field, z0 = problem.field(), problem.start(3, 0.05)
    times = torch.linspace(0, 0.8 * problem.span, 5, dtype=torch.float64)
    exact = field.exact(z0, times)
    assert exact is not None
    torch.testing.assert_close(exact, reference(field, z0, times), rtol=1e-9, atol=1e-9)


def test_the_linear_flow_is_scipys_matrix_exponential() -> None:
    field, z0 = PROBLEMS["spiral"].field(0.4), PROBLEMS["spiral"].start(3, 0.5)
    found = field.exact(z0, torch.tensor([1.7], dtype=torch.float64))
    assert found is not None
    expected = z0.numpy() @ expm(1.7 * field.matrix.detach().numpy()).T  # type: ignore[operator]
    np.testing.assert_allclose(found[0].numpy(), expected, rtol=1e-12)


def test_the_reference_agrees_with_another_method_of_scipys() -> None:
    def lorenz(t: float, z: np.ndarray) -> list[float]:
        return [10 * (z[1] - z[0]), z[0] * (28 - z[2]) - z[1], z[0] * z[1] - 8 / 3 * z[2]]

    other = solve_ivp(lorenz, (0, 3), [1.0, 1.0, 20.0], method="LSODA", rtol=1e-11, atol=1e-11).y[:, -1]
    problem = PROBLEMS["lorenz"]
    ours = reference(problem.field(), problem.start(), torch.tensor([0.0, 3.0], dtype=torch.float64))[-1, 0]
    np.testing.assert_allclose(ours.numpy(), other, atol=1e-6)


@pytest.mark.parametrize("name", ["harmonic", "lotka-volterra", "vortex"])
def test_conserved_quantities_have_no_slope_along_the_field(name: str) -> None:
    """∇Q · f = 0 by autograd at points all over the window, not along a solution."""
    problem = PROBLEMS[name]
    field = problem.field(1.3)
    draws = torch.rand(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    xmin, xmax, ymin, ymax = problem.window
    z = (torch.tensor([xmin, ymin]) + (draws + 0.01) * torch.tensor([xmax - xmin, ymax - ymin])).requires_grad_(True)
    found = conserved(field, z)
    assert found
    for values in found.values():
        (gradient,) = torch.autograd.grad(values.sum(), z)
        assert float((gradient * field(torch.tensor(0.0), z)).detach().sum(-1).abs().max()) < 1e-10
        assert float(values.detach().std()) > 1e-3


@pytest.mark.parametrize("name", ["linear", "spiral", "van-der-pol", "lorenz", "explosion"])
def test_nothing_is_said_to_be_conserved_that_is_not(name: str) -> None:
    field: VectorField = PROBLEMS[name].field()
    assert conserved(field, PROBLEMS[name].start()) == {}


def test_a_reference_that_cannot_be_finished_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="broke off"):
        reference(PROBLEMS["explosion"].field(), torch.ones(1, 1), torch.tensor([0.0, 2.0]))


def test_the_explosion_is_infinite_from_its_moment_on() -> None:
    found = solution(
        PROBLEMS["explosion"].field(), torch.ones(1, 1, dtype=torch.float64), torch.tensor([0.0, 0.5, 1.5])
    )
    assert found.flatten().tolist() == pytest.approx([1.0, 2.0, math.inf])


@pytest.mark.parametrize("rate", [-1.0, 0.7])
def test_residual_blocks_of_a_linear_field_are_powers(rate: float) -> None:
    z0 = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    found = residual(PROBLEMS["linear"].field(rate), z0, 1.0, (1, 5, 32))
    for depth, line, error in zip(found.depths, found.lines, found.errors, strict=True):
        powers = (1 + rate / depth) ** np.arange(depth + 1)
        np.testing.assert_allclose(line[..., 0].numpy(), powers[:, None] * np.array([1.0, 2.0]), rtol=1e-12)
        expected = abs(powers[-1] - math.exp(rate)) * math.sqrt(2.5)
        assert error == pytest.approx(expected, rel=1e-9)


def test_residual_blocks_tend_to_the_flow_like_one_over_their_number() -> None:
    """Slope of log error on log L from 32 blocks on is −1 up to O(1/L): 0.06."""
    problem = PROBLEMS["vortex"]
    found = residual(problem.field(), problem.start(30, 0.4), 1.0)
    deep = [i for i, depth in enumerate(found.depths) if depth >= 32]
    line = slope([math.log(found.depths[i]) for i in deep], [math.log(found.errors[i]) for i in deep])
    assert line.value == pytest.approx(-1.0, abs=0.06)


@pytest.mark.parametrize(("span", "depths"), [(0.0, (1,)), (1.0, (0,))])
def test_no_blocks_or_no_span_is_refused(span: float, depths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="positive"):
        residual(PROBLEMS["spiral"].field(), PROBLEMS["spiral"].start(), span, depths)
