"""Stability functions against single solves, and borders against known numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dgm_core.neural_ode.problems import PROBLEMS
from dgm_core.neural_ode.solve import ADAMS, solve
from dgm_core.neural_ode.stability import KNOWN, amplification, border, imaginary_border, region, stability_function
from dgm_core.neural_ode.vector_fields import LinearField

FIXED = ("euler", "midpoint", "heun2", "heun3", "rk4")


@pytest.mark.parametrize("method", FIXED)
@pytest.mark.parametrize("w", [-0.3, -1.9, 0.4, 0.2 + 1.1j, -1.5 + 2.0j])
def test_one_solver_step_multiplies_by_the_stability_function(method: str, w: complex) -> None:
    """λ = a + bi acts on the plane as [[a, −b], [b, a]]; one step of size 1 from 1 + 0i gives R(λ)."""
    a, b = complex(w).real, complex(w).imag
    with torch.no_grad():
        start = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
        end = solve(LinearField([[a, -b], [b, a]]), start, torch.tensor([0.0, 1.0]), method, 1.0).states[-1, 0]
    assert complex(*end.tolist()) == pytest.approx(complex(stability_function(method, np.array(w))), abs=1e-13)


@pytest.mark.parametrize(
    ("method", "real", "imaginary"),
    [
        ("euler", 2.0, 0.0), ("midpoint", 2.0, 0.0), ("heun2", 2.0, 0.0), ("heun3", 2.5127, math.sqrt(3)),
        ("bosh3", 2.5127, math.sqrt(3)), ("rk4", 2.7853, 2 * math.sqrt(2)), ("dopri5", 3.3066, 0.997),
        ("explicit_adams", 6 / 11, 0.7236), ("implicit_adams", 3.0, 0.0),
    ],
)  # fmt: skip
def test_borders_are_those_of_the_textbooks(method: str, real: float, imaginary: float) -> None:
    assert border(method) == pytest.approx(real, abs=1e-4)
    assert imaginary_border(method) == pytest.approx(imaginary, abs=2e-3)


@pytest.mark.parametrize("method", FIXED)
@pytest.mark.parametrize(("share", "dies"), [(0.98, True), (1.02, False)])
def test_a_decay_dies_away_inside_the_border_and_grows_outside(method: str, share: float, dies: bool) -> None:
    step = 0.05
    field = PROBLEMS["linear"].field(-share * border(method) / step)
    with torch.no_grad():
        end = solve(field, torch.ones(1, 1, dtype=torch.float64), torch.tensor([0.0, 300 * step]), method, step).states[
            -1
        ]
    assert (float(end.abs()) < 1.0) == dies


@pytest.mark.parametrize("method", ADAMS)
def test_the_largest_root_of_an_adams_rule_is_its_long_run_growth(method: str) -> None:
    """torchdiffeq's Adams on z′ = −z with |λ|h = 0.3 shrinks a step by the root, once its first steps are forgotten."""
    times = torch.arange(0, 60, dtype=torch.float64) * 0.3
    with torch.no_grad():
        found = solve(LinearField([[-1.0]]), torch.ones(1, 1, dtype=torch.float64), times, method, 0.3, 1e-13, 1e-13)
    ratio = float(found.states[40, 0, 0] / found.states[39, 0, 0])
    # Five evaluations a step leave the implicit equation solved to (0.3 · 9/24)⁴ of a step's correction.
    assert ratio == pytest.approx(float(amplification(method, np.array([-0.3]))[0]), abs=1e-4)


@pytest.mark.parametrize("method", KNOWN)
def test_a_region_holds_points_just_left_of_the_origin_and_lies_symmetric(method: str) -> None:
    grown = region(method, (-4.0, 1.0, -3.0, 3.0), 60, 50)
    assert grown.shape == (60, 50)
    np.testing.assert_allclose(grown, grown[::-1], rtol=1e-9)
    assert (
        float(amplification(method, np.array([-0.1 + 0j]))[0])
        < 1
        < float(amplification(method, np.array([0.1 + 0j]))[0])
    )


def test_a_method_without_a_tableau_is_named() -> None:
    with pytest.raises(ValueError, match="dopri8"):
        stability_function("dopri8", np.array([0.0]))
