"""Named solvers of dy/dt = f(t, y): one declaration, one function, every evaluation counted.

The names and the arithmetic are torchdiffeq's (its ``rk4`` is Kutta's 3/8 rule). Euler, midpoint and RK4 are written
out here, since they then run without flattening the state and reach a time between two grid points by one shorter step.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, get_args

import torch
import torchdiffeq
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from dgm_core.experiment import TrainingFailedError

State = tuple[Tensor, ...]
Dynamics = Callable[[Tensor, State], State]
Method = Literal["euler", "midpoint", "rk4", "dopri5", "dopri8", "adaptive_heun", "explicit_adams", "implicit_adams"]

METHODS: tuple[Method, ...] = get_args(Method)
FIXED: tuple[Method, ...] = ("euler", "midpoint", "rk4")
ADAMS: tuple[Method, ...] = ("explicit_adams", "implicit_adams")
ADAPTIVE: tuple[Method, ...] = ("dopri5", "dopri8", "adaptive_heun")

MAX_STEPS = 20_000
"""An adaptive solver that needs more steps between two times than this has lost its way."""
_ADAMS_MAX_ORDER = 4
"""torchdiffeq's default, 12, diverges already on a linear spiral; 4 converges with order 3 or better."""


class SolverError(TrainingFailedError):
    """A solve that cannot be finished; its message is one plain sentence for the screen."""


class Solver(BaseModel):
    """Which method, how fine.

    Args:
        method: a name from `METHODS`.
        steps: steps in a unit of time; of the fixed-step and the Adams methods.
        tolerance: relative and absolute, for one step; of the adaptive methods (and of the implicit corrector).

    Example:
        >>> Solver(method="euler", steps=4).fixed
        True
        >>> Solver().label
        'RK4, 16 steps'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: Method = "rk4"
    steps: int = Field(default=16, ge=1, le=10_000)
    tolerance: float = Field(default=1e-5, ge=1e-12, le=1.0)

    @property
    def fixed(self) -> bool:
        """Whether the steps are known beforehand and each is taken alone (Euler, midpoint, RK4)."""
        return self.method in FIXED

    @property
    def adaptive(self) -> bool:
        """Whether the solver chooses its steps from the tolerance."""
        return self.method in ADAPTIVE

    @property
    def label(self) -> str:
        """The solver in words for a legend."""
        names = {"rk4": "RK4", "euler": "Euler", "adaptive_heun": "adaptive Heun"}
        name = names.get(self.method, self.method.replace("_", " "))
        return f"{name}, tolerance {self.tolerance:g}" if self.adaptive else f"{name}, {self.steps} steps"


class Counted:
    """Dynamics that count how often they are evaluated (NFE), also by the adjoint's backward solve."""

    def __init__(self, dynamics: Dynamics) -> None:
        self.dynamics, self.nfe = dynamics, 0

    def __call__(self, t: Tensor, state: State) -> State:
        self.nfe += 1
        return self.dynamics(t, state)


def solve(
    dynamics: Counted,
    state: State,
    times: Sequence[float],
    solver: Solver,
    adjoint: Sequence[nn.Parameter] | None = None,
) -> State:
    """Integrate dy/dt = f(t, y) from ``times[0]`` through all of ``times``.

    A fixed-step method steps on the grid times[0] ± k/steps; a time between two grid points is reached by one shorter
    step from the grid point before it, so that what is found at one time does not depend on which others are asked for.

    Args:
        dynamics: f, counted; its ``nfe`` grows.
        state: y at times[0], tensors with a common first dimension N.
        times: T times, strictly increasing or strictly decreasing.
        solver: the method and how fine.
        adjoint: None differentiates through the steps; parameters switch to the adjoint method (Chen et al. 2018,
            section 2), whose gradient reaches these parameters and the state, with memory that does not grow with NFE.

    Returns:
        Tensors (T, N, …), the first entry being the state itself.

    Raises:
        ValueError: when the times are not strictly monotone.
        SolverError: when the step size underflows or the values stop being numbers.

    Example:
        >>> decay = Counted(lambda t, y: (-y[0],))
        >>> y = solve(decay, (torch.ones(1, dtype=torch.float64),), [0.0, 1.0], Solver(steps=20))[0]
        >>> bool(abs(y[-1, 0] - math.exp(-1)) < 1e-7), decay.nfe
        (True, 80)
    """
    steps = [b - a for a, b in pairwise(times)]
    if not (all(step > 0 for step in steps) or all(step < 0 for step in steps)):
        raise ValueError("times must be strictly increasing or strictly decreasing")
    if not steps:
        return tuple(part.unsqueeze(0) for part in state)
    if solver.fixed and adjoint is None:
        return _fixed(dynamics, state, times, solver)
    return _torchdiffeq(dynamics, state, times, solver, adjoint)


def grid(start: float, end: float, steps: int) -> list[float]:
    """The times start ± k/steps before ``end``, then ``end``; a sliver below 1e-6 of a step is left out.

    Example:
        >>> grid(1.0, 0.3, 4)
        [1.0, 0.75, 0.5, 0.3]
    """
    count = max(1, math.ceil(abs(end - start) * steps - 1e-6))
    sign = 1 if end > start else -1
    return [start + sign * k / steps for k in range(count)] + [end]


def step(dynamics: Dynamics, method: Method, t: float, dt: float, state: State) -> State:
    """One step of Euler, midpoint, or Kutta's 3/8 rule from ``t`` to ``t + dt``."""

    def f(time: float, at: State) -> State:
        return dynamics(torch.as_tensor(time, dtype=state[0].dtype, device=state[0].device), at)

    def plus(*terms: tuple[float, State]) -> State:
        return tuple(sum((k[i] * (dt * weight) for weight, k in terms), start=part) for i, part in enumerate(state))

    k1 = f(t, state)
    if method == "euler":
        return plus((1.0, k1))
    if method == "midpoint":
        return plus((1.0, f(t + dt / 2, plus((0.5, k1)))))
    k2 = f(t + dt / 3, plus((1 / 3, k1)))
    k3 = f(t + dt * 2 / 3, plus((-1 / 3, k1), (1.0, k2)))
    k4 = f(t + dt, plus((1.0, k1), (-1.0, k2), (1.0, k3)))
    return plus((1 / 8, k1), (3 / 8, k2), (3 / 8, k3), (1 / 8, k4))


def _fixed(dynamics: Dynamics, state: State, times: Sequence[float], solver: Solver) -> State:
    knots = grid(times[0], times[-1], solver.steps)
    frames, here = [state], 0
    sign = 1 if times[-1] > times[0] else -1
    for time in times[1:]:
        while here + 1 < len(knots) and sign * (knots[here + 1] - time) <= 1e-9:
            state = step(dynamics, solver.method, knots[here], knots[here + 1] - knots[here], state)
            here += 1
        left = time - knots[here]
        frames.append(state if abs(left) <= 1e-9 else step(dynamics, solver.method, knots[here], left, state))
    return tuple(torch.stack(parts) for parts in zip(*frames, strict=True))


def _options(solver: Solver, times: Sequence[float]) -> dict[str, float | int | str]:
    if solver.adaptive:
        return {"max_num_steps": MAX_STEPS}
    span = abs(times[-1] - times[0])
    options: dict[str, float | int | str] = {"interp": "cubic"}
    # Adams' coefficients hold for equal steps only, so the last step must not be a shorter one.
    options["step_size"] = span / max(1, math.ceil(span * solver.steps - 1e-6))
    if solver.method in ADAMS:
        options["max_order"] = _ADAMS_MAX_ORDER
    return options


def _torchdiffeq(
    dynamics: Counted, state: State, times: Sequence[float], solver: Solver, adjoint: Sequence[nn.Parameter] | None
) -> State:
    moments = torch.tensor(times, dtype=state[0].dtype, device=state[0].device)
    arguments = {
        "rtol": solver.tolerance, "atol": solver.tolerance, "method": solver.method, "options": _options(solver, times)
    }  # fmt: skip
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Functional iteration did not converge")
            if adjoint is None:
                return torchdiffeq.odeint(dynamics, state, moments, **arguments)
            return torchdiffeq.odeint_adjoint(dynamics, state, moments, adjoint_params=tuple(adjoint), **arguments)
    except AssertionError as error:
        raise SolverError(_sentence(str(error), solver)) from error


def _sentence(found: str, solver: Solver) -> str:
    if "underflow" in found:
        return f"{solver.label}: the step size underflowed; the field is too steep for this tolerance"
    if "max_num_steps" in found:
        return f"{solver.label}: more than {MAX_STEPS:,} steps were needed; the field is too steep for this tolerance"
    if "non-finite" in found:
        return f"{solver.label}: the values became infinite or NaN"
    raise AssertionError(found)
