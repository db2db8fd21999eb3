"""Butcher tableaux of the Runge-Kutta methods whose stages are shown, in exact fractions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

Row = tuple[Fraction, ...]


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method with S stages.

        kᵢ = f(t + cᵢ h, z + h Σⱼ<ᵢ aᵢⱼ kⱼ),   z(t + h) ≈ z + h Σᵢ bᵢ kᵢ

    Args:
        name: torchdiffeq's name of the method.
        title: in words.
        c: S moments within the step.
        a: S rows, row i with i entries.
        b: S weights of the step.
        order: its error after a fixed time shrinks like h to this power.
        low: S weights of the embedded method that the adaptive solver compares with; empty where there is none.
        first_same_as_last: whether the last stage is the next step's first.

    Example:
        >>> TABLEAUX["midpoint"].stages, TABLEAUX["midpoint"].evaluations
        (2, 2)
        >>> TABLEAUX["dopri5"].stages, TABLEAUX["dopri5"].evaluations
        (7, 6)
    """

    name: str
    title: str
    c: Row
    a: tuple[Row, ...]
    b: Row
    order: int
    low: Row = ()
    first_same_as_last: bool = False

    @property
    def stages(self) -> int:
        """S."""
        return len(self.c)

    @property
    def evaluations(self) -> int:
        """Evaluations of the field in one step, but the first step of one whose last stage is the next one's first."""
        return self.stages - self.first_same_as_last

    @cached_property
    def polynomial(self) -> Row:
        """Coefficients of the stability function R(w) = 1 + Σₖ wᵏ⁺¹ bᵀ Aᵏ 1, constant term first."""
        powers, column = [Fraction(1)], [Fraction(1)] * self.stages
        for _ in range(self.stages):
            powers.append(sum((b * x for b, x in zip(self.b, column, strict=True)), Fraction(0)))
            column = [sum((a * x for a, x in zip(row, column, strict=False)), Fraction(0)) for row in self.a]
        while powers[-1] == 0:
            powers.pop()
        return tuple(powers)


def _row(text: str) -> Row:
    return tuple(Fraction(part) for part in text.split())


def _tableau(
    name: str, title: str, rows: tuple[str, ...], b: str, order: int, low: str = "", fsal: bool = False
) -> Tableau:
    a = tuple(_row(row) for row in rows)
    return Tableau(name, title, tuple(sum(row, Fraction(0)) for row in a), a, _row(b), order, _row(low), fsal)


TABLEAUX: dict[str, Tableau] = {
    tableau.name: tableau
    for tableau in (
        _tableau("euler", "Euler", ("",), "1", 1),
        _tableau("midpoint", "Midpoint", ("", "1/2"), "0 1", 2),
        _tableau("heun2", "Heun", ("", "1"), "1/2 1/2", 2),
        _tableau("heun3", "Heun, third order", ("", "1/3", "0 2/3"), "1/4 0 3/4", 3),
        _tableau("rk4", "Runge-Kutta 4 (3/8 rule)", ("", "1/3", "-1/3 1", "1 -1 1"), "1/8 3/8 3/8 1/8", 4),
        _tableau("adaptive_heun", "Adaptive Heun", ("", "1"), "1/2 1/2", 2, low="1 0"),
        _tableau(
            "bosh3", "Bogacki-Shampine", ("", "1/2", "0 3/4", "2/9 1/3 4/9"), "2/9 1/3 4/9 0", 3,
            low="7/24 1/4 1/3 1/8", fsal=True,
        ),
        _tableau(
            "dopri5", "Dormand-Prince 5(4)",
            (
                "", "1/5", "3/40 9/40", "44/45 -56/15 32/9", "19372/6561 -25360/2187 64448/6561 -212/729",
                "9017/3168 -355/33 46732/5247 49/176 -5103/18656", "35/384 0 500/1113 125/192 -2187/6784 11/84",
            ),
            "35/384 0 500/1113 125/192 -2187/6784 11/84 0", 5,
            low="5179/57600 0 7571/16695 393/640 -92097/339200 187/2100 1/40", fsal=True,
        ),
    )
}  # fmt: skip
"""By torchdiffeq's names; its ``rk4`` is Kutta's 3/8 rule. Dormand & Prince 1980, Bogacki & Shampine 1989.

torchdiffeq estimates dopri5's error with Shampine's embedded weights, which differ from ``low`` here.
"""
