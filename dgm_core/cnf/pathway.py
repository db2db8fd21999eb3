"""One point's way through a flow: where it comes from and goes, how its density changes, how its neighbourhood bends.

Along a trajectory z(t) the log-density changes by −∫ tr ∂f/∂z dt, and a small disc around it becomes an ellipse whose
axes are those of J(t) = ∂z(t)/∂z(t₀), dJ/dt = (∂f/∂z) J: the disc's area grows by det J = exp ∫ tr.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.interpolate import interpn
from torch import Tensor

from dgm_core.cnf.film import AnyFlow
from dgm_core.cnf.flow import ContinuousFlow, standard_normal_log_prob
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.film import Film
from dgm_core.nn.solvers import State
from dgm_core.nn.solvers import step as rk_step

_LONGEST_STEP = 1 / 48


@dataclass(frozen=True)
class Pathway:
    """What a click on the film tells, at T times.

    Args:
        times: (T,), from 0 to 1.
        path: (T, 2), the trajectory through the point.
        log_prob: (T,) nats, log p_t along it.
        change: (T,) nats, −∫_0^t tr ∂f/∂z; log_prob is this plus the base's density where the path begins.
        from_film: (T,) nats, the film's log p_t read along the path, NaN off the picture; None where no film was given.
            It knows nothing of this path: the film's own flow map made it.
        jacobian: (T, 2, 2), ∂z(t)/∂z(0): it maps the unit circle around the base point to an ellipse around z(t).
        trace: (T,) nats per unit of time, tr ∂f/∂z along the path.
    """

    times: np.ndarray
    path: np.ndarray
    log_prob: np.ndarray
    change: np.ndarray
    from_film: np.ndarray | None
    jacobian: np.ndarray
    trace: np.ndarray


def pathway(
    flow: AnyFlow, x: Sequence[float], t: float, times: Sequence[float] | np.ndarray, film: Film | None = None
) -> Pathway:
    """Follow the point ``x`` (2,), seen at time ``t``, back to 0 and on to 1, in float64 on the CPU.

    Args:
        flow: continuous, or planar.
        x: the point.
        t: when it is there, from 0 to 1.
        times: where its way is asked for: T times, increasing, first 0, last 1.
        film: to compare with; its times need not be these.

    Raises:
        ValueError: when the times do not run from 0 to 1, or ``t`` is not between.
    """
    moments = [float(moment) for moment in times]
    if len(moments) < 2 or moments[0] != 0 or moments[-1] != 1 or not 0 <= t <= 1:
        raise ValueError(f"times must run from 0 to 1 with t = {t:g} between")
    double = copy.deepcopy(flow).to("cpu", torch.float64)
    point = torch.tensor([list(x)], dtype=torch.float64)
    with torch.no_grad():
        base = _to_base(double, point, t)
        path, change, jacobian = _moved(double, base, moments)
        log_prob = standard_normal_log_prob(base) + change
        trace = _traces(double, path, moments)
    where = path.numpy()
    return Pathway(
        np.array(moments), where, log_prob.numpy(), change.numpy(),
        read_film(film, np.array(moments), where) if film is not None else None, jacobian.numpy(), trace.numpy(),
    )  # fmt: skip


def read_film(film: Film, times: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The film's log p_t at points (T, 2), linear in time and bilinear between cells: (T,), NaN off the picture."""
    height, width = film.log_prob.shape[1:]
    xmin, xmax, ymin, ymax = film.extent
    column = (points[:, 0] - xmin) / (xmax - xmin) * width - 0.5
    row = (points[:, 1] - ymin) / (ymax - ymin) * height - 0.5
    frame = np.interp(times, film.times, np.arange(len(film.times)))
    inside = (column >= 0) & (column <= width - 1) & (row >= 0) & (row <= height - 1)
    positions = np.where(inside, [frame, row, column], 0.0).T
    cells = np.arange(len(film.times)), np.arange(height), np.arange(width)
    return np.where(inside, interpn(cells, film.log_prob, positions), np.nan)


def ellipse(jacobian: np.ndarray, centre: np.ndarray, radius: float = 0.2, points: int = 49) -> np.ndarray:
    """The closed curve into which J maps a circle: (points, 2).

    Args:
        jacobian: (2, 2).
        centre: (2,).
        radius: of the circle.

    Example:
        >>> curve = ellipse(np.diag([2.0, 0.5]), np.zeros(2), radius=1.0)
        >>> bool(np.allclose([curve[:, 0].max(), curve[:, 1].max()], [2.0, 0.5]))
        True
    """
    angle = np.linspace(0, 2 * np.pi, points)
    return centre + radius * np.stack([np.cos(angle), np.sin(angle)], 1) @ jacobian.T


def _to_base(flow: AnyFlow, point: Tensor, t: float) -> Tensor:
    if t == 0:
        return point
    if isinstance(flow, PlanarFlow):
        return flow.trajectory(point, (t, 0.0))[-1]
    return list(_steps(flow, point, _finer([t, 0.0])[0]))[-1]


def _moved(flow: AnyFlow, base: Tensor, moments: list[float]) -> tuple[Tensor, Tensor, Tensor]:
    """Points (T, 2), change of log-density (T,) and ∂z(t)/∂z(0) (T, 2, 2) of the base point (1, 2)."""
    return _along_layers(flow, base, moments) if isinstance(flow, PlanarFlow) else _along_field(flow, base, moments)


def _along_field(flow: ContinuousFlow, base: Tensor, moments: list[float]) -> tuple[Tensor, Tensor, Tensor]:
    """The trajectory step by step; then ∂f/∂z at all its points in one call, from which J and ∫ tr follow."""
    knots, shown = _finer(moments)
    path = torch.cat([base, *_steps(flow, base, knots)])
    times = torch.tensor(knots, dtype=base.dtype).unsqueeze(1)
    h, velocity = times.diff(dim=0), flow.field(times, path)
    # The cubic through both ends and their velocities, at the middle.
    middle = (path[1:] + path[:-1]) / 2 + h / 8 * (velocity[:-1] - velocity[1:])
    slope = flow.field.with_jacobian(times, path)[1]
    slope_between = flow.field.with_jacobian((times[1:] + times[:-1]) / 2, middle)[1]
    jacobian = [torch.eye(flow.dim, dtype=base.dtype)]
    for step, first, half, last in zip(h, slope, slope_between, slope[1:], strict=False):
        jacobian.append(_linear_step(jacobian[-1], step, first, half, last))
    trace, trace_between = (part.diagonal(dim1=-2, dim2=-1).sum(-1) for part in (slope, slope_between))
    simpson = h[:, 0] / 6 * (trace[:-1] + 4 * trace_between + trace[1:])
    change = -torch.cat([simpson.new_zeros(1), simpson.cumsum(0)])
    return path[shown], change[shown], torch.stack(jacobian)[shown]


def _finer(moments: list[float]) -> tuple[list[float], list[int]]:
    """Times in steps of at most `_LONGEST_STEP` with the moments among them, and where those stand."""
    knots, shown = [moments[0]], [0]
    for start, end in pairwise(moments):
        count = max(1, math.ceil(abs(end - start) / _LONGEST_STEP - 1e-9))
        knots += [start + (end - start) * k / count for k in range(1, count)] + [end]
        shown.append(len(knots) - 1)
    return knots, shown


def _steps(flow: ContinuousFlow, point: Tensor, knots: list[float]) -> Iterator[Tensor]:
    """RK4 from knot to knot."""
    state: State = (point,)
    for start, end in pairwise(knots):
        state = rk_step(lambda t, y: (flow.field(t, y[0]),), "rk4", start, end - start, state)
        yield state[0]


def _linear_step(jacobian: Tensor, h: Tensor, first: Tensor, half: Tensor, last: Tensor) -> Tensor:
    """One step of the classical fourth-order rule for dJ/dt = A(t) J, A given at both ends and in the middle."""
    k1 = first @ jacobian
    k2 = half @ (jacobian + h / 2 * k1)
    k3 = half @ (jacobian + h / 2 * k2)
    k4 = last @ (jacobian + h * k3)
    return jacobian + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def _along_layers(flow: PlanarFlow, base: Tensor, moments: list[float]) -> tuple[Tensor, Tensor, Tensor]:
    """The same for a planar flow, exactly."""
    solution = flow.solve_with_log_prob(base, moments)
    jacobian = [torch.eye(flow.dim, dtype=base.dtype)]
    for point, (start, end) in zip(solution.points, pairwise(moments), strict=False):
        jacobian.append(flow.jacobian(point, start, end)[0] @ jacobian[-1])
    return solution.points[:, 0], solution.delta[:, 0], torch.stack(jacobian)


def _traces(flow: AnyFlow, points: Tensor, moments: list[float]) -> Tensor:
    if isinstance(flow, PlanarFlow):
        each = [flow.with_trace(t, point.unsqueeze(0))[1] for t, point in zip(moments, points, strict=True)]
        return torch.cat(each)
    return flow.field.with_trace(torch.tensor(moments, dtype=points.dtype).unsqueeze(1), points)[1]
