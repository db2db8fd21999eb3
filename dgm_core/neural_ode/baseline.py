"""The same fit with the simplest field: z′ = A z + b, by least squares on the observations themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from dgm_core.neural_ode.series import FINE, FitData, Scale, joined

MOST = 400
"""Observed moments that the fit looks at; of a longer series every so many."""
_FAR = 1e6
"""A solution is cut off here, so that one that explodes is a bad fit and no overflow."""


@dataclass(frozen=True)
class LinearFit:
    """A linear field and an initial state, in units of the fit.

    Args:
        matrix: A, (n, n).
        offset: b, (n,).
        start: z(0), (n,); its first D dimensions are observed.
        scale: of the series.
    """

    matrix: np.ndarray
    offset: np.ndarray
    start: np.ndarray
    scale: Scale

    def predict(self, times: np.ndarray) -> np.ndarray:
        """Its solution in the series' own units, (T,) → (T, D)."""
        states = linear_flow(self.matrix, self.offset, self.start, self.scale.moments(times))
        return self.scale.back(states[:, : len(self.scale.size)])


def linear_flow(matrix: np.ndarray, offset: np.ndarray, start: np.ndarray, s: np.ndarray) -> np.ndarray:
    """The solution of z′ = A z + b from z(0): exp(s [[A, b], [0, 0]]) applied to (z(0), 1).

    Args:
        matrix: A, (n, n), with independent eigenvectors once b is appended.
        offset: b, (n,).
        start: z(0), (n,).
        s: (T,).

    Returns:
        (T, n) float64, cut off at ±10⁶.

    Example:
        >>> linear_flow(np.array([[-1.0]]), np.zeros(1), np.ones(1), np.array([0.0, 1.0])).round(4).tolist()
        [[1.0], [0.3679]]
    """
    n = len(start)
    whole = np.zeros((n + 1, n + 1))
    whole[:n, :n], whole[:n, n] = matrix, offset
    rates, vectors = np.linalg.eig(whole)
    # Least squares also where two eigenvectors nearly coincide.
    parts = np.linalg.lstsq(vectors, np.append(start, 1.0).astype(complex), rcond=None)[0]
    with np.errstate(over="ignore", invalid="ignore"):
        states = (np.exp(np.clip(np.outer(s, rates).real, -700, 50) + 1j * np.outer(s, rates).imag) * parts) @ vectors.T
    return np.clip(np.nan_to_num(states.real[:, :n], posinf=_FAR, neginf=-_FAR), -_FAR, _FAR)


def linear_fit(data: FitData, hidden: int = 0) -> LinearFit:
    """The least-squares fit, from a start that is a regression of the smoothed curve's slopes on the curve.

    Args:
        data: what is seen; only its observed values count.
        hidden: dimensions that are not observed, as many as the neural field has.
    """
    scale, curve = data.scale, joined(data, hidden)
    n, observed = curve.shape[1], len(scale.size)
    every = max(1, -(-len(data.seen.times) // MOST))
    s, values = scale.moments(data.seen.times[::every]), scale.values(data.seen.values[::every])
    present = np.isfinite(values)

    def unfold(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return flat[: n * n].reshape(n, n), flat[n * n : n * n + n], flat[n * n + n :]

    def misfit(flat: np.ndarray) -> np.ndarray:
        return (linear_flow(*unfold(flat), s)[:, :observed] - values)[present]

    slopes = np.gradient(curve, 1 / FINE, axis=0)
    known = np.linalg.lstsq(np.column_stack([curve, np.ones(len(curve))]), slopes, rcond=None)[0]
    first = np.concatenate([known[:n].T.ravel(), known[n], curve[0]])
    found = least_squares(misfit, first, max_nfev=60 if n < 6 else 15)
    return LinearFit(*unfold(found.x), scale)
