"""E[z] of the relaxed draw as the temperature moves, by quadrature.

Given that category k wins, z_j is proportional to (1 + R_j/π_j)^{−1/τ} for j ≠ k and to 1 for k itself, where
R_j = E_j/E_k are ratios of exponentials, of density (K−1)! (1 + Σ R_j)^{−K}. In s_j = log R_j the integrand is analytic
and falls off exponentially both ways, so that the trapezoidal rule converges geometrically.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_REACH = 24.0
"""log R runs from −24 to 24; what lies beyond has probability 1e-10."""
_STEP = 0.5
"""Of the trapezoidal rule: the integrand is analytic for |Im s| < π/2, hence an error of exp(−π²/0.5) = 3e-9."""


def expectation_curve(pi: Sequence[float] | np.ndarray, taus: Sequence[float] | np.ndarray) -> np.ndarray:
    """E[z](τ) of up to three categories that can be drawn: π at τ = 0, uniform as τ grows.

    Args:
        pi: (K,) weights, not negative; at most three of them positive. They need not sum to 1.
        taus: (T,), from 0.

    Returns:
        (T, K) float64, rows on the simplex; within 1e-8.

    Raises:
        ValueError: for negative, all-zero or too many weights, or a negative temperature.

    Example:
        >>> expectation_curve([0.6, 0.3, 0.1], [0.0, 1.0, 5.0])[:, 0].round(3).tolist()
        [0.6, 0.523, 0.388]
    """
    weights, temperatures = np.asarray(pi, dtype=np.float64), np.asarray(taus, dtype=np.float64)
    drawable = weights > 0
    if (weights < 0).any() or not drawable.any() or not np.isfinite(weights).all():
        raise ValueError("Weights have to be finite, 0 or more, and not all 0.")
    if drawable.sum() > 3:
        raise ValueError("The quadrature is for up to three categories.")
    if (temperatures < 0).any() or not np.isfinite(temperatures).all():
        raise ValueError("Temperatures have to be finite and 0 or more.")
    own = weights[drawable] / weights.sum()
    curve = np.zeros((len(temperatures), len(weights)))
    curve[:, drawable] = [own if tau == 0 else _expectation(own, tau) for tau in temperatures]
    return curve


def _expectation(pi: np.ndarray, tau: float) -> np.ndarray:
    """E[z] at one τ > 0: the mean over winners of E[z | winner]."""
    mean = np.zeros(len(pi))
    for winner, chance in enumerate(pi):
        others = [k for k in range(len(pi)) if k != winner]
        given = _given_winner(pi[others], tau)
        mean[others] += chance * given
        mean[winner] += chance * (1 - given.sum())
    return mean


def _given_winner(pi: np.ndarray, tau: float) -> np.ndarray:
    """E[z_j | k wins] for the others j, whose probabilities are ``pi``: (n,), n = 0, 1 or 2."""
    if len(pi) == 0:
        return np.zeros(0)
    nodes = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    s = np.stack(np.meshgrid(*[nodes] * len(pi), indexing="ij"))
    axes = (-1,) + (1,) * len(pi)
    ratio = np.exp(s)
    # (K−1)! Π_j R_j (1 + Σ R_j)^{−K} ds
    density = len(pi) * np.exp(s.sum(0)) * (1 + ratio.sum(0)) ** -(len(pi) + 1.0) * _STEP ** len(pi)
    with np.errstate(over="ignore"):  # where π is next to nothing the ratio is infinite and the power 0
        power = np.exp(-np.log1p(ratio / pi.reshape(axes)) / tau)
    z = power / (1 + power.sum(0))
    return (z * density).reshape(len(pi), -1).sum(1) / density.sum()
