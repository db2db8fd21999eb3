"""Tableaux against the order conditions, in exact fractions, and steps against torchdiffeq's."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
import torchdiffeq
from torch import Tensor
from torchdiffeq._impl.dopri5 import _DORMAND_PRINCE_SHAMPINE_TABLEAU as SHAMPINE

from dgm_core.neural_ode.steps import stages, walk
from dgm_core.neural_ode.tableaux import TABLEAUX, Tableau

Tree = tuple["Tree", ...]
"""A rooted tree: its root's branches."""


def trees(size: int) -> set[Tree]:
    """All rooted trees with ``size`` nodes: one more leaf at any node of each smaller tree."""
    if size == 1:
        return {()}
    return {tuple(sorted(grown)) for tree in trees(size - 1) for grown in _grown(tree)}


def _grown(tree: Tree) -> list[Tree]:
    found: list[Tree] = [(*tree, ())]
    for i, branch in enumerate(tree):
        found += [(*tree[:i], tuple(sorted(bigger)), *tree[i + 1 :]) for bigger in _grown(branch)]
    return found


def order_of(tree: Tree) -> int:
    return 1 + sum(order_of(branch) for branch in tree)


def density(tree: Tree) -> int:
    product = order_of(tree)
    for branch in tree:
        product *= density(branch)
    return product


def weight(tree: Tree, tableau: Tableau, b: tuple[Fraction, ...]) -> Fraction:
    """The elementary weight Φ(tree) of Butcher's theory."""

    def inner(node: Tree) -> list[Fraction]:
        values = [Fraction(1)] * tableau.stages
        for branch in node:
            below = inner(branch)
            summed = [sum((a * below[j] for j, a in enumerate(row)), Fraction(0)) for row in tableau.a]
            values = [value * factor for value, factor in zip(values, summed, strict=True)]
        return values

    return sum((x * y for x, y in zip(b, inner(tree), strict=True)), Fraction(0))


def holds(tableau: Tableau, b: tuple[Fraction, ...], order: int) -> bool:
    return all(weight(tree, tableau, b) == Fraction(1, density(tree)) for tree in trees(order))


def test_there_are_as_many_rooted_trees_as_cayley_counted() -> None:
    assert [len(trees(size)) for size in range(1, 7)] == [1, 1, 2, 4, 9, 20]


@pytest.mark.parametrize("tableau", TABLEAUX.values(), ids=TABLEAUX)
def test_every_order_condition_up_to_the_order_and_not_beyond(tableau: Tableau) -> None:
    assert all(holds(tableau, tableau.b, order) for order in range(1, tableau.order + 1))
    assert not holds(tableau, tableau.b, tableau.order + 1)


@pytest.mark.parametrize("name", ["adaptive_heun", "bosh3", "dopri5"])
def test_the_embedded_method_is_one_order_lower(name: str) -> None:
    tableau = TABLEAUX[name]
    assert all(holds(tableau, tableau.low, order) for order in range(1, tableau.order))
    assert not holds(tableau, tableau.low, tableau.order)


@pytest.mark.parametrize("tableau", TABLEAUX.values(), ids=TABLEAUX)
def test_the_stability_polynomial_begins_like_the_exponential(tableau: Tableau) -> None:
    factorial = Fraction(1)
    for k in range(tableau.order + 1):
        factorial *= max(k, 1)
        assert tableau.polynomial[k] == 1 / factorial


def test_the_last_stage_is_the_next_steps_first_where_it_is_said_so() -> None:
    for tableau in TABLEAUX.values():
        shared = (*tableau.a[-1], Fraction(0)) == tableau.b and tableau.c[-1] == 1
        assert shared == tableau.first_same_as_last


def pendulum(t: Tensor, z: Tensor) -> Tensor:
    return torch.stack([z[:, 1], -torch.sin(z[:, 0]) + 0.3 * torch.cos(2 * t)], dim=1)


@pytest.mark.parametrize("method", ["euler", "midpoint", "heun2", "heun3", "rk4"])
def test_walking_step_by_step_is_torchdiffeq_to_rounding(method: str) -> None:
    z0 = torch.randn(7, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    times = torch.tensor([0.0, 0.1, 0.35, 0.5, 1.2], dtype=torch.float64)
    ours = walk(pendulum, z0, times.tolist(), method)
    theirs = torchdiffeq.odeint(pendulum, z0, times, method=method)
    torch.testing.assert_close(ours, theirs, rtol=1e-14, atol=1e-14)


def test_dopri5_has_torchdiffeqs_coefficients() -> None:
    ours = TABLEAUX["dopri5"]
    assert [float(c) for c in ours.c[1:]] == pytest.approx(SHAMPINE.alpha.tolist(), abs=1e-15)
    for row, theirs in zip(ours.a[1:], SHAMPINE.beta, strict=True):
        assert [float(a) for a in row] == pytest.approx(theirs.tolist(), abs=1e-14)
    assert [float(b) for b in ours.b] == pytest.approx(SHAMPINE.c_sol.tolist(), abs=1e-15)


def test_stages_are_asked_where_they_say() -> None:
    z = torch.tensor([[0.3, -1.0]], dtype=torch.float64)
    step = stages(pendulum, z, 0.2, 0.5, "dopri5")
    for moment, place, slope in zip(step.times, step.places, step.slopes, strict=True):
        torch.testing.assert_close(pendulum(moment, place), slope, rtol=0, atol=0)
    assert step.error is not None
    assert 0 < float(step.error.abs().max()) < 1e-3
    torch.testing.assert_close(step.places[-1], step.state, rtol=1e-14, atol=1e-14)


def test_a_method_without_stages_is_named_with_those_that_have_them() -> None:
    with pytest.raises(ValueError, match="euler, midpoint"):
        stages(pendulum, torch.zeros(1, 2), 0.0, 0.1, "dopri8")
