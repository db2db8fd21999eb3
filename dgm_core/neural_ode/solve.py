"""dz/dt = f(t, z) by a named solver, with everything it did on the way: steps taken, steps rejected, evaluations."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import torch
import torchdiffeq
from torch import Tensor

from dgm_core.neural_ode.steps import FieldFunction
from dgm_core.nn.solvers import SolverError

Method = Literal[
    "euler", "midpoint", "heun2", "heun3", "rk4", "dopri5", "dopri8", "adaptive_heun", "bosh3", "explicit_adams",
    "implicit_adams",
]  # fmt: skip
METHODS: tuple[Method, ...] = get_args(Method)
FIXED: tuple[Method, ...] = ("euler", "midpoint", "heun2", "heun3", "rk4", "explicit_adams", "implicit_adams")
ADAPTIVE: tuple[Method, ...] = ("dopri5", "dopri8", "adaptive_heun", "bosh3")
ADAMS: tuple[Method, ...] = ("explicit_adams", "implicit_adams")
TITLES: dict[str, str] = {
    "euler": "Euler", "midpoint": "Midpoint", "heun2": "Heun", "heun3": "Heun, third order", "rk4": "RK4",
    "dopri5": "dopri5", "dopri8": "dopri8", "adaptive_heun": "Adaptive Heun", "bosh3": "Bogacki-Shampine",
    "explicit_adams": "Adams, explicit", "implicit_adams": "Adams, implicit",
}  # fmt: skip

MAX_NFE = 200_000
"""A solve that asks the field more often than this has lost its way."""
LOWEST, HIGHEST = 1e-13, 1.0
"""Tolerances that mean something in float64."""
_ADAMS_MAX_ORDER = 4
"""torchdiffeq's default, 12, diverges already on a linear spiral."""
_SLIVER = 1e-9
"""A last step smaller than this share of a step is rounding, not a step."""


class BlowUpError(SolverError):
    """A solve that could not be finished, and when it broke off.

    Args:
        sentence: for the screen.
        time: the last t that was reached with finite values.
    """

    def __init__(self, sentence: str, time: float) -> None:
        super().__init__(sentence)
        self.time = time


@dataclass(frozen=True)
class Solution:
    """What a solver found and did.

    Args:
        times: (T,) as asked.
        states: (T, N, D) at those times; differentiable where the field or z0 is.
        steps: (S, 2) float64: start t and signed size h of each step that was taken.
        nfe: evaluations of the field.
        rejected: (R, 2) float64: start and size of each step that was tried and thrown away.
        kept: S states (N, D), one at the start of each step; none when they were not asked for.
    """

    times: Tensor
    states: Tensor
    steps: Tensor
    nfe: int
    rejected: Tensor
    kept: tuple[Tensor, ...] = ()

    @cached_property
    def path(self) -> Tensor | None:
        """(S, N, D) the state at the start of each step, detached; None when it was not asked for."""
        return torch.stack([state.detach() for state in self.kept]) if self.kept else None


def solve(
    field: FieldFunction, z0: Tensor, times: Tensor, method: str = "dopri5", step: float | None = None,
    rtol: float = 1e-6, atol: float = 1e-8, *, path: bool = True, interpolation: Literal["linear", "cubic"] = "linear",
) -> Solution:  # fmt: skip
    """Integrate dz/dt = f(t, z), z(times[0]) = z0, through all of ``times``; the arithmetic is torchdiffeq's.

    One step serves all N trajectories: an adaptive solver holds the root mean square of the error over all N·D numbers
    below the tolerance. A fixed-step method steps on times[0] + k·step and ends with a shorter step where the end is
    not on that grid (Adams: equal steps, none larger than ``step``), so that its NFE is stages × steps.
    An adaptive method's last step ends at the end; its states at times between two steps lie on torchdiffeq's quartic.

    Args:
        field: f(t, z): a scalar and (N, D) → (N, D).
        z0: (N, D).
        times: (T,) strictly increasing, or strictly decreasing to go back in time.
        method: one of `METHODS`.
        step: size of a fixed step; None steps from each time to the next.
        rtol: relative tolerance of an adaptive step.
        atol: absolute tolerance.
        path: whether the states at the starts of the steps are kept (their memory grows with the steps).
        interpolation: between the grid points of a fixed-step method; "cubic" costs an evaluation an output time.

    Raises:
        ValueError: when times, step or tolerances make no sense; one sentence.
        BlowUpError: when the solution leaves every bound, or the steps become too small or too many.

    Example:
        >>> decay = solve(lambda t, z: -z, torch.ones(1, 1, dtype=torch.float64), torch.tensor([0.0, 1.0]), "rk4", 0.1)
        >>> bool(abs(decay.states[-1, 0, 0] - math.exp(-1)) < 1e-6), len(decay.steps), decay.nfe
        (True, 10, 40)
    """
    _check(z0, times, method, step, rtol, atol)
    knots = None if method in ADAPTIVE else _knots(method, times, step)
    recorder: _Recorder = _Adaptive(field, path) if knots is None else _Fixed(field, path, knots)
    options = _options(method, times, knots, interpolation)
    moments = times.to(device=z0.device, dtype=torch.promote_types(times.dtype, z0.dtype))
    try:
        with _quiet() if method in ADAMS else nullcontext():
            states = torchdiffeq.odeint(recorder, z0, moments, rtol=rtol, atol=atol, method=method, options=options)
    except AssertionError as error:
        raise _sentence(str(error), recorder, times, method) from error
    if not torch.isfinite(states[-1]).all():
        raise _non_finite(states.detach(), recorder, times, method)
    sign = -1.0 if times[-1] < times[0] else 1.0
    steps, rejected = recorder.steps(sign), _table(recorder.rejected, sign)
    return Solution(times, states, steps, recorder.nfe, rejected, tuple(recorder.path))


def fixed_grid(start: float, end: float, step: float) -> Tensor:
    """The times start ± k·step before ``end``, then ``end``: float64 (S + 1,).

    Example:
        >>> fixed_grid(0.0, 1.0, 0.4).tolist()
        [0.0, 0.4, 0.8, 1.0]
    """
    count = max(1, math.ceil(abs(end - start) / step - _SLIVER))
    knots = start + torch.arange(count + 1, dtype=torch.float64) * math.copysign(step, end - start)
    knots[-1] = end
    return knots


def formula(method: str, steps: int, rejected: int = 0) -> int:
    """Evaluations of the field that ``steps`` steps cost; adaptive solvers start with two, to choose their first step.

    Raises:
        KeyError: for the implicit Adams method, whose corrector stops when it has converged.

    Example:
        >>> formula("rk4", 10), formula("dopri5", 10, rejected=1), formula("explicit_adams", 10)
        (40, 68, 16)
    """
    if method == "explicit_adams":
        return steps + 3 * min(steps, _ADAMS_MAX_ORDER - 2)
    evaluations = _EVALUATIONS[method]
    return evaluations * steps if method in FIXED else 2 + evaluations * (steps + rejected)


_EVALUATIONS = {
    "euler": 1, "midpoint": 2, "heun2": 2, "heun3": 3, "rk4": 4, "dopri5": 6, "dopri8": 13, "adaptive_heun": 1,
    "bosh3": 3,
}  # fmt: skip


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Functional iteration did not converge")
        yield


class _Recorder:
    """The field, counted; torchdiffeq tells it of every step, as tensors that are read only when all is over."""

    last: tuple[Tensor, Tensor] | None = None
    """Start and size of the last step that was begun, or taken."""

    def __init__(self, field: FieldFunction, keep: bool) -> None:
        self.field, self.keep, self.nfe = field, keep, 0
        self.rejected: list[tuple[Tensor, Tensor]] = []
        self.path: list[Tensor] = []

    def steps(self, sign: float) -> Tensor:
        """Start and signed size of the steps that were taken, (S, 2) float64 on the CPU."""
        raise NotImplementedError

    def __call__(self, t: Tensor, z: Tensor) -> Tensor:
        self.nfe += 1
        if self.nfe > MAX_NFE:
            raise AssertionError("max_num_steps")
        return self.field(t, z)


class _Fixed(_Recorder):
    """Its steps are known beforehand."""

    def __init__(self, field: FieldFunction, keep: bool, knots: Tensor) -> None:
        super().__init__(field, keep)
        self.knots = knots

    def callback_step(self, t: Tensor, z: Tensor, h: Tensor) -> None:
        self.last = (t, h)
        if self.keep:
            self.path.append(z)

    def steps(self, sign: float) -> Tensor:
        return torch.stack([self.knots[:-1], self.knots.diff()], dim=1)


class _Adaptive(_Recorder):
    def __init__(self, field: FieldFunction, keep: bool) -> None:
        super().__init__(field, keep)
        self.taken: list[tuple[Tensor, Tensor]] = []

    def steps(self, sign: float) -> Tensor:
        return _table(self.taken, sign)

    def callback_accept_step(self, t: Tensor, z: Tensor, h: Tensor) -> None:
        self.last = (t, h)
        self.taken.append(self.last)
        if self.keep:
            self.path.append(z)

    def callback_reject_step(self, t: Tensor, z: Tensor, h: Tensor) -> None:
        self.rejected.append((t, h))


def _table(steps: list[tuple[Tensor, Tensor]], sign: float) -> Tensor:
    if not steps:
        return torch.zeros(0, 2, dtype=torch.float64)
    starts, sizes = zip(*steps, strict=True)
    with torch.no_grad():
        return torch.stack([torch.stack(starts).double(), sign * torch.stack(sizes).double()], dim=1).cpu()


def _knots(method: str, times: Tensor, step: float | None) -> Tensor:
    """Where a fixed-step method's steps begin and end: float64 (S + 1,) on the CPU."""
    start, end = float(times[0]), float(times[-1])
    if method in ADAMS:
        count = len(times) - 1 if step is None else max(1, math.ceil(abs(end - start) / step - _SLIVER))
        step = abs(end - start) / count
    return times.detach().double().cpu() if step is None else fixed_grid(start, end, step)


def _options(method: str, times: Tensor, knots: Tensor | None, interpolation: str) -> dict[str, Any]:
    if knots is None:
        # Without this the last step runs past the end, and the end is read off a quartic: dopri8 is then of order 5.
        return {"step_t": times[-1:].detach()}
    options: dict[str, Any] = {"interp": interpolation}
    if method in ADAMS:
        options["max_order"] = _ADAMS_MAX_ORDER
    return {**options, "grid_constructor": lambda f, y, t: knots.to(t)}


def _check(z0: Tensor, times: Tensor, method: str, step: float | None, rtol: float, atol: float) -> None:
    if method not in METHODS:
        raise ValueError(f"there is no solver named {method!r}; choose one of {', '.join(METHODS)}")
    if z0.ndim != 2 or not torch.isfinite(z0).all():
        raise ValueError("z0 must be N finite points in D dimensions: a tensor (N, D)")
    gaps = times.diff()
    if times.ndim != 1 or len(times) < 2 or not torch.isfinite(times).all():
        raise ValueError("times must be at least two finite numbers")
    if not (bool((gaps > 0).all()) or bool((gaps < 0).all())):
        raise ValueError("times must be strictly increasing, or strictly decreasing")
    if step is not None and not (math.isfinite(step) and step > 0):
        raise ValueError("a step must be a positive number")
    if step is not None and method in FIXED and float((times[-1] - times[0]).abs()) / step > MAX_NFE:
        raise ValueError(f"a step of {step:g} takes more than {MAX_NFE:,} steps; choose a larger one")
    for name, value in (("relative", rtol), ("absolute", atol)):
        if method in ADAPTIVE and not LOWEST <= value <= HIGHEST:
            raise ValueError(f"the {name} tolerance must be between {LOWEST:g} and {HIGHEST:g}, not {value:g}")


def _last_time(recorder: _Recorder, times: Tensor) -> float:
    if recorder.last is None:
        return float(times[0])
    t, h = recorder.last
    return float(t.detach()) + math.copysign(float(h.detach()), float(times[-1] - times[0]))


def _sentence(found: str, recorder: _Recorder, times: Tensor, method: str) -> BlowUpError:
    time = _last_time(recorder, times)
    if "underflow" in found:
        return BlowUpError(
            f"{TITLES[method]}: no step is small enough at t = {time:.4g}; the solution explodes there, or the field "
            "is too steep for this tolerance", time,
        )  # fmt: skip
    if "max_num_steps" in found:
        return BlowUpError(f"{TITLES[method]}: {MAX_NFE:,} evaluations led no further than t = {time:.4g}", time)
    if "non-finite" in found:
        return BlowUpError(f"{TITLES[method]}: the solution left every bound near t = {time:.4g}", time)
    raise AssertionError(found)


def _non_finite(states: Tensor, recorder: _Recorder, times: Tensor, method: str) -> BlowUpError:
    """The last moment with finite values, from the path where it was kept, else from the states asked for."""
    starts = recorder.steps(1.0)[:, 0].tolist()
    kept = [t for t, z in zip(starts, recorder.path, strict=False) if torch.isfinite(z).all()]
    seen = [float(t) for t, z in zip(times, states, strict=True) if torch.isfinite(z).all()]
    time = (kept or seen or [float(times[0])])[-1]
    return BlowUpError(f"{TITLES[method]}: the solution left every bound after t = {time:.4g}", time)
