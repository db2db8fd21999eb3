"""The check table: every line passes, and a line whose claim is broken does not."""

from __future__ import annotations

import pytest

from dgm_core.neural_ode import checks as table
from dgm_core.neural_ode.checks import adjoint_along_the_path, checks, gradients_agree
from dgm_core.neural_ode.problems import PROBLEMS


def test_every_line_passes() -> None:
    found = checks()
    assert [check.name for check in found if not check.passed] == []
    assert len({check.name for check in found}) == len(found) >= 18


def test_every_problem_that_is_compared_is_known() -> None:
    assert set(table.COMPARED) <= set(PROBLEMS)
    assert all(0 < span <= PROBLEMS[name].span for name, span in table.COMPARED.items())


def test_the_ways_agree_on_chaos_too_while_it_is_young() -> None:
    problem, span = PROBLEMS["lorenz"], table.COMPARED["lorenz"]
    found = [
        *gradients_agree(problem.field(), problem.start(), span),
        *adjoint_along_the_path(problem.field(), problem.start(), span),
    ]
    assert [check.name for check in found if not check.passed] == []


def test_a_loose_tolerance_breaks_the_agreement() -> None:
    problem = PROBLEMS["lotka-volterra"]
    found = gradients_agree(problem.field(), problem.start(2, 0.1), 3.0, rtol=1e-3)
    assert not any(check.passed for check in found)


def test_a_wrong_order_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table.ORDERS, "heun3", 4)
    broken = [check.name for check in table.orders() if not check.passed]
    assert broken == ["order of Heun, third order"]


def test_an_adjoint_of_another_loss_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The path is computed for ½|z|², the comparison for |z|²."""
    problem = PROBLEMS["lotka-volterra"]
    monkeypatch.setattr(table, "loss_gradient", lambda loss, z: (0.0, 2 * z.detach()))
    found = adjoint_along_the_path(problem.field(), problem.start(1), 2.0)
    assert not any(check.passed for check in found)
