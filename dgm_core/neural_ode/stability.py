"""Where a solver's numbers die away on z′ = λz: its stability function, region and borders."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy.optimize import brentq

from dgm_core.film import Extent, lattice
from dgm_core.neural_ode.tableaux import TABLEAUX

# Generating polynomials ρ, σ of the multistep rules Σ ρⱼ z_{n+j} = h Σ σⱼ f_{n+j}, highest power first.
ADAMS: dict[str, tuple[tuple[Fraction, ...], tuple[Fraction, ...]]] = {
    "explicit_adams": (
        (Fraction(1), Fraction(-1), Fraction(0), Fraction(0)),
        (Fraction(0), Fraction(23, 12), Fraction(-16, 12), Fraction(5, 12)),
    ),
    "implicit_adams": (
        (Fraction(1), Fraction(-1), Fraction(0), Fraction(0)),
        (Fraction(9, 24), Fraction(19, 24), Fraction(-5, 24), Fraction(1, 24)),
    ),
}
"""As used here: three-step Adams-Bashforth, and three-step Adams-Moulton with its equation solved exactly."""
KNOWN: tuple[str, ...] = ("euler", "midpoint", "heun2", "heun3", "rk4", "bosh3", "dopri5", *ADAMS)


def stability_function(method: str, w: np.ndarray) -> np.ndarray:
    """R(w) of a Runge-Kutta method: one step on z′ = λz multiplies z by R(λh); w complex, any shape.

    Raises:
        ValueError: when the method has no tableau here.

    References:
        Hairer & Wanner, Solving Ordinary Differential Equations II, section IV.2.

    Example:
        >>> stability_function("euler", np.array([-2.0, 0.0])).tolist()
        [-1.0, 1.0]
    """
    if method not in TABLEAUX:
        raise ValueError(f"{method} has no stability function here; choose one of {', '.join(TABLEAUX)}")
    return np.polyval([float(c) for c in reversed(TABLEAUX[method].polynomial)], w)


def amplification(method: str, w: np.ndarray) -> np.ndarray:
    """By how much |z| grows a step in the long run: |R(w)|, or an Adams rule's largest root; the shape of ``w``.

    The region of stability is where this is at most 1.

    Raises:
        ValueError: when the method is none of `KNOWN`.
    """
    if method not in ADAMS:
        return np.abs(stability_function(method, w))
    rho, sigma = (np.array([float(c) for c in row]) for row in ADAMS[method])
    flat = np.asarray(w, complex).ravel()
    rows = rho - flat[:, None] * sigma
    companion = np.zeros((len(flat), 3, 3), complex)
    companion[:, 1, 0] = companion[:, 2, 1] = 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        companion[:, 0] = -rows[:, 1:] / rows[:, :1]
    companion = np.nan_to_num(companion, nan=1e9, posinf=1e9, neginf=-1e9)
    return np.abs(np.linalg.eigvals(companion)).max(axis=1).reshape(np.shape(w))


def region(method: str, extent: Extent = (-5.0, 2.0, -4.0, 4.0), height: int = 161, width: int = 141) -> np.ndarray:
    """`amplification` on a grid of the plane of λh: (height, width), first row at the bottom.

    Args:
        method: of `KNOWN`.
        extent: Re from, to, Im from, to.
        height: rows.
        width: columns.
    """
    points = lattice(extent, height, width)
    return amplification(method, points[..., 0] + 1j * points[..., 1])


def border(method: str) -> float:
    """The stable stretch of the negative real axis: the largest |λ|h at which a real decay still dies away.

    Example:
        >>> round(border("euler"), 6), round(border("rk4"), 3)
        (2.0, 2.785)
    """

    def beyond(x: float) -> float:
        return float(amplification(method, np.array([-x + 0j]))[0]) - 1

    x = 0.5
    while beyond(x + 0.01) <= 0:
        x += 0.01
    return float(brentq(beyond, x, x + 0.01, xtol=1e-12)) if beyond(x) < 0 else x


def imaginary_border(method: str) -> float:
    """The stable stretch of the imaginary axis, 0 where there is none: how fast an undamped oscillation may be.

    Example:
        >>> imaginary_border("euler"), round(imaginary_border("rk4"), 3)
        (0.0, 2.828)
    """

    def beyond(y: float) -> float:
        # Near the origin |R| differs from 1 by less than rounding.
        return float(amplification(method, np.array([1j * y]))[0]) - 1 - 1e-11

    ys = np.arange(1, 600) * 1e-2
    first = int(np.argmax(amplification(method, 1j * ys) > 1 + 1e-11))
    # What leaves so near the origin left it from the start, by less than the margin above.
    return float(brentq(beyond, ys[first - 1], ys[first], xtol=1e-12)) if ys[first] > 0.1 else 0.0
