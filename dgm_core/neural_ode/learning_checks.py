"""What theory fixes about a trained model of this topic, beside what this one gives, measured now."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from scipy.integrate import solve_ivp

from dgm_core.checks import Check
from dgm_core.neural_ode.classifiers import Classifier, ODEClassifier, jacobians, trace_integral
from dgm_core.neural_ode.deciding import adaptive
from dgm_core.neural_ode.labelled import Labelled
from dgm_core.neural_ode.networks import unroll
from dgm_core.neural_ode.rings import follow
from dgm_core.neural_ode.series import UNITS, FitData
from dgm_core.neural_ode.shooting import FittedODE, Shooting
from dgm_core.nn.solvers import Solver

POINTS = 64
FINE = (64, 128, 256, 512)
"""RK4 steps where the exact flow is meant: the first after which twice as many change nothing beyond `SETTLED`."""
SETTLED = 2e-5
_UNIQUENESS = "uniqueness of solutions (Picard–Lindelöf)"


@torch.no_grad()
def classifier_checks(model: Classifier, data: Labelled) -> list[Check]:
    """Of an ODE net what its flow cannot do; of a residual net, which is bound by none of it, nothing.

    Args:
        model: trained.
        data: held-out points.
    """
    if not isinstance(model, ODEClassifier):
        return []
    x = data.first(POINTS).x.double()
    exact = _exact(model, x)
    determinant = torch.linalg.det(jacobians(exact, x)[-1])
    logarithm, integral = determinant.abs().log(), trace_integral(exact, x, exact.steps)
    careful, _ = adaptive(exact, x, Solver(method="dopri5", tolerance=1e-7))
    return [
        Check("points where det ∂z(1)/∂z(0) ≤ 0", float((determinant <= 0).sum()), 0.0, 0.0, "tolerance",
              source=_UNIQUENESS, note="A flow never folds its space over."),
        Check("log det ∂z(1)/∂z(0) − ∫ tr ∂f/∂z dt, largest", float((logarithm - integral).abs().max()), 0.0, 1e-3,
              "at most", "nats", source="Liouville's formula; lecture 13, continuous normalizing flows"),
        Check("back to the start, largest distance", _round_trip(exact, x), 0.0, 1e-4, "at most",
              source=_UNIQUENESS, note=f"{exact.steps} RK4 steps there and back."),
        *_ring_checks(exact),
        Check("P by the training's steps against dopri5, mean distance",
              float((careful.sigmoid() - model(x.float()).sigmoid()).abs().mean()), 0.0, 0.01, "at most",
              note="Few coarse steps would be a residual net rather than a flow."),
    ]  # fmt: skip


def _exact(model: ODEClassifier, x: torch.Tensor) -> ODEClassifier:
    """A copy in float64 whose steps are as good as the exact flow."""
    exact = copy.deepcopy(model).double()
    exact.method = "rk4"
    end = unroll(exact.field, exact.lift(x), (0.0, 1.0), FINE[0])[0][-1]
    for steps in FINE:
        exact.steps = steps
        coarse, end = end, unroll(exact.field, exact.lift(x), (0.0, 1.0), 2 * steps)[0][-1]
        if float((end - coarse).abs().max()) < SETTLED:
            break
    return exact


def _round_trip(model: ODEClassifier, x: torch.Tensor) -> float:
    start = model.lift(x)
    end = unroll(model.field, start, (0.0, 1.0), model.steps)[0][-1]
    return float((unroll(model.field, end, (1.0, 0.0), model.steps)[0][-1] - start).norm(dim=1).max())


def _ring_checks(model: ODEClassifier) -> list[Check]:
    """In the plane a ring stays around its centre, so that no straight line parts the two."""
    if model.dim != 2:
        return []
    ring = follow(model)
    lead = model.read(ring.centre[-1]) - model.read(ring.images[-1]).max()
    return [
        Check("a ring's image winds about its centre's, least", float(ring.winding.min()), 1.0, 1e-6, "tolerance",
              source=_UNIQUENESS, note="Added dimensions and residual blocks bring it to 0."),
        Check("logit of the centre above the ring's best", float(lead), 0.0, 0.0, "at most",
              source="no straight line parts a point from a curve around it",
              note="So somewhere on the ring the answer is the centre's."),
    ]  # fmt: skip


def fit_checks(model: FittedODE, data: FitData, noise: float | None) -> list[Check]:
    """Whether the fit is one solution, well solved, and as far from the observations as their noise.

    Args:
        model: trained.
        data: what it was fitted to.
        noise: standard deviation of the noise as a share of each variable's own, where it is known.
    """
    with torch.no_grad():
        misfit, gap = (math.sqrt(float(part)) for part in Shooting(model, data.seen).parts())
    count = int(data.seen.observed.sum())
    found = [
        Check("the long solution against an eighth-order one, largest distance", _solver_error(model), 0.0, 1e-2,
              "at most", "standard deviations", note="scipy's DOP853 at 10⁻¹⁰ on the same field."),
        Check("gaps between segments, root mean square", gap, 0.0, 1e-2, "at most", "standard deviations",
              note="Closed, the segments are one solution."),
    ]  # fmt: skip
    if noise:
        # √(mean square) of M Gaussian residuals has standard error σ/√(2M); of σ the observed spread is a share.
        expected = noise * _spread_share(noise)
        found.append(
            Check("misfit against the noise", misfit, expected, expected / math.sqrt(2 * count), "standard error",
                  "standard deviations", note=f"{count} values; far below it would be fitting the noise.")
        )  # fmt: skip
    return found


def _spread_share(noise: float) -> float:
    """The curve's own spread as a share of the observations', which noise widens by √(1 + σ²)."""
    return 1 / math.sqrt(1 + noise**2)


def _solver_error(model: FittedODE) -> float:
    """The largest distance over the time that was seen, in units of the fit."""
    field = copy.deepcopy(model.field).double()

    def slope(t: float, z: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return field(t, torch.from_numpy(z).unsqueeze(0))[0].numpy()

    s = np.linspace(0.0, UNITS, 5 * UNITS + 1)
    start = model.starts[0].detach().double().cpu().numpy()
    exact = solve_ivp(slope, (0.0, UNITS), start, method="DOP853", rtol=1e-10, atol=1e-10, t_eval=s).y.T
    ours = model.states(model.scale.start + s * model.scale.unit)
    return float(np.abs(ours - exact).max())
