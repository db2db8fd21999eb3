"""Named problems: a field with its parameters, where it starts, how long, and what is known about its solution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor, nn

from dgm_core.film import Extent
from dgm_core.neural_ode.vector_fields import (
    ExplosionField,
    LinearField,
    LorenzField,
    LotkaVolterraField,
    Quantity,
    VanDerPolField,
    VectorField,
    VortexField,
)

REFERENCE_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Dial:
    """The one number of a problem that the page turns.

    Args:
        symbol: in LaTeX.
        title: in words.
        low: its least value.
        high: its greatest.
        value: where it starts.
    """

    symbol: str
    title: str
    low: float
    high: float
    value: float


@dataclass(frozen=True)
class Problem:
    """dz/dt = f(t, z; θ), z(0) = z0.

    Args:
        name: short; it goes into links.
        title: in words.
        formula: in LaTeX.
        make: dial value → the field, float64, its θ as parameters.
        z0: where it starts by default, D numbers.
        span: how long it runs by default.
        window: the picture of the first two coordinates; for D = 1, of t and z.
        dial: what can be turned; None where nothing can.
        note: one sentence: what the problem shows.
    """

    name: str
    title: str
    formula: str
    make: Callable[[float], VectorField]
    z0: tuple[float, ...]
    span: float
    window: Extent
    dial: Dial | None = None
    note: str = ""

    @property
    def dim(self) -> int:
        """D."""
        return len(self.z0)

    def field(self, dial: float | None = None) -> VectorField:
        """The field at a dial value (the default one for None)."""
        return self.make(dial if dial is not None else self.dial.value if self.dial else 0.0)

    def start(self, n: int = 1, spread: float = 0.0, seed: int = 0) -> Tensor:
        """N starting points about ``z0``: (N, D) float64; the first is ``z0`` itself.

        Args:
            n: N.
            spread: standard deviation of the Gaussian cloud.
            seed: of the cloud.
        """
        generator = torch.Generator().manual_seed(seed)
        cloud = spread * torch.randn(n, self.dim, generator=generator, dtype=torch.float64)
        cloud[0] = 0.0
        return torch.tensor(self.z0, dtype=torch.float64) + cloud


def solution(vector_field: VectorField, z0: Tensor, times: Tensor) -> Tensor:
    """The true states: in closed form where there is one, else by `reference`.

    Args:
        vector_field: of `PROBLEMS`, with its parameters.
        z0: (N, D) float64 at times[0].
        times: (T,) monotone.

    Returns:
        (T, N, D) float64; infinite from the moment at which a closed form explodes.
    """
    exact = vector_field.exact(z0, times - times[0])
    return reference(vector_field, z0, times) if exact is None else exact


def reference(vector_field: nn.Module, z0: Tensor, times: Tensor, tolerance: float = REFERENCE_TOLERANCE) -> Tensor:
    """States by scipy's eighth-order DOP853 at a relative tolerance of 1e-12: (T, N, D) float64.

    For Lorenz, whose errors grow about e^0.9t-fold, this leaves about 1e-5 at t = 20.

    Raises:
        ValueError: when scipy cannot finish.
    """
    shape = z0.shape
    moments = times.double().numpy()

    def slope(t: float, z: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            found: Tensor = vector_field(torch.tensor(t, dtype=torch.float64), torch.from_numpy(z.reshape(shape)))
        return found.numpy().ravel()

    span = (float(moments[0]), float(moments[-1]))
    found = solve_ivp(slope, span, z0.double().numpy().ravel(), "DOP853", moments, rtol=tolerance, atol=tolerance)
    if not found.success:
        raise ValueError(f"the reference solution broke off: {found.message}")
    return torch.from_numpy(np.ascontiguousarray(found.y.T)).reshape(-1, *shape)


def conserved(vector_field: VectorField, states: Tensor) -> Mapping[str, Tensor]:
    """What the exact flow keeps, along ``states`` (…, D): each quantity's name to its values (…)."""
    return {quantity.name: quantity.of(states) for quantity in vector_field.quantities()}


def quantities(vector_field: VectorField) -> tuple[Quantity, ...]:
    """Names and formulae of what the exact flow keeps."""
    return vector_field.quantities()


def _rotation(decay: float, speed: float) -> VectorField:
    return LinearField([[-decay, speed], [-speed, -decay]])


PROBLEMS: dict[str, Problem] = {
    problem.name: problem
    for problem in (
        Problem(
            "linear", "Decay", r"\dot z = \lambda z", lambda rate: LinearField([[rate]]), (1.0,), 4.0,
            (0.0, 4.0, -1.5, 1.5), Dial(r"\lambda", "Rate", -50.0, 1.0, -2.0),
            "Every explicit method explodes once |λ|h is past its border, though the solution dies away.",
        ),
        Problem(
            "harmonic", "Harmonic oscillator", r"\dot x = \omega y,\ \dot y = -\omega x",
            lambda omega: _rotation(0.0, omega), (1.0, 0.0), 2 * math.pi, (-2.0, 2.0, -2.0, 2.0),
            Dial(r"\omega", "Frequency", 0.25, 8.0, 1.0), "The energy stays; no explicit method keeps it exactly.",
        ),
        Problem(
            "spiral", "Spiral", r"\dot x = -\gamma x + 2y,\ \dot y = -2x - \gamma y",
            lambda gamma: _rotation(gamma, 2.0), (2.0, 0.0), 10.0, (-2.4, 2.4, -2.4, 2.4),
            Dial(r"\gamma", "Damping", 0.0, 1.0, 0.1),
            "Linear, with a closed form for the gradient as well.",
        ),
        Problem(
            "lotka-volterra", "Predator and prey", r"\dot x = \tfrac23 x - \tfrac43 xy,\ \dot y = \delta xy - y",
            LotkaVolterraField, (1.6, 0.8), 14.0, (0.0, 3.0, 0.0, 1.6), Dial(r"\delta", "Gain", 0.5, 2.0, 1.0),
            "Every orbit closes: a quantity is conserved that is not a sum of squares.",
        ),
        Problem(
            "van-der-pol", "van der Pol", r"\dot x = y,\ \dot y = \mu (1 - x^2) y - x", VanDerPolField, (2.0, 0.0),
            20.0, (-2.6, 2.6, -4.0, 4.0), Dial(r"\mu", "Stiffness", 0.0, 50.0, 2.0),
            "Slow crawls and sudden jumps; the larger μ, the stiffer.",
        ),
        Problem(
            "lorenz", "Lorenz", r"\dot x = 10(y-x),\ \dot y = x(\rho-z)-y,\ \dot z = xy-\tfrac83 z", LorenzField,
            (1.0, 1.0, 20.0), 10.0, (-22.0, 22.0, -28.0, 28.0), Dial(r"\rho", "Heat", 0.0, 40.0, 28.0),
            "Chaos: any error grows e-fold about every 1.1 units of time.",
        ),
        Problem(
            "vortex", "Two vortices", r"\dot z = s\,J\sum_i \pm e^{-|z-c_i|^2}(z-c_i)", VortexField,
            (0.3, 0.5), 3.0, (-2.4, 2.4, -2.0, 2.0), Dial("s", "Strength", 0.5, 6.0, 3.0),
            "Smooth and bounded: residual layers against the flow that they approximate.",
        ),
        Problem(
            "explosion", "Explosion", r"\dot z = z^2", lambda _: ExplosionField(), (1.0,), 0.9, (0.0, 1.2, 0.0, 12.0),
            None, "Leaves every bound at t = 1/z(0).",
        ),
    )
}  # fmt: skip
"""By name, in the page's order."""
