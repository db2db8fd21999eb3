"""Neural ODEs: solves against bare torchdiffeq, orders, and what gradients cost by the adjoint and by backpropagation.

Everything on one thread, so that the figures are those of one visitor among several.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
import torchdiffeq
from torch import Tensor

from benchmarks.measure import Row, timed
from dgm_core.neural_ode.checks import checks, difference, squared_distance
from dgm_core.neural_ode.gradients import HOWS, gradients
from dgm_core.neural_ode.memory import cost
from dgm_core.neural_ode.networks import FieldNetwork
from dgm_core.neural_ode.orders import ORDERS, order, work
from dgm_core.neural_ode.problems import PROBLEMS, solution
from dgm_core.neural_ode.residual import residual
from dgm_core.neural_ode.solve import ADAMS, ADAPTIVE, METHODS, solve
from dgm_core.neural_ode.stability import region
from dgm_core.nn.threads import alone

TRAJECTORIES, OUTPUTS, STEPS = 500, 100, 100
TOLERANCE = 1e-4
GOAL_MS, GOAL_OVERHEAD = 100, 0.05


def solver_rows(*, quick: bool) -> list[Row]:
    """500 trajectories of predator and prey at 100 output times, ours and torchdiffeq's runs taking turns."""
    problem = PROBLEMS["lotka-volterra"]
    field, z0 = problem.field(), problem.start(TRAJECTORIES, 0.1)
    times = torch.linspace(0, problem.span, OUTPUTS, dtype=torch.float64)
    exact = solution(field, z0, times)[-1]
    rows: list[Row] = []
    for method in METHODS:
        ours, theirs, overhead, found = _turns(field, z0, times, method, 5 if quick else 25)
        error = float((found - exact).square().sum(-1).mean().sqrt())
        rows.append({
            "solver": method, "ours ms": 1e3 * ours, "torchdiffeq ms": 1e3 * theirs, "overhead": overhead,
            "error": error, f"below {GOAL_MS} ms": str(1e3 * ours < GOAL_MS),
        })  # fmt: skip
    return rows


def _turns(
    field: Callable[[Tensor, Tensor], Tensor], z0: Tensor, times: Tensor, method: str, repeats: int
) -> tuple[float, float, float, Tensor]:
    """The thread's shortest seconds in ours and in torchdiffeq's, the median of all turns' overheads, our last states.

    Time in which another process had the core does not count, and the shortest was disturbed least by what it left.
    """
    step = float(times[-1]) / STEPS
    options: dict[str, object] = {"step_t": times[-1:]} if method in ADAPTIVE else {"step_size": step}
    if method in ADAMS:
        options["max_order"] = 4

    def ours() -> Tensor:
        return solve(field, z0, times, method, step, TOLERANCE, TOLERANCE).states[-1]

    def theirs() -> Tensor:
        found: Tensor = torchdiffeq.odeint(
            field, z0, times, method=method, rtol=TOLERANCE, atol=TOLERANCE, options=dict(options)
        )
        return found[-1]

    seconds: dict[Callable[[], Tensor], list[float]] = {ours: [], theirs: []}
    with torch.no_grad():
        end = ours()
        for turn in range(repeats):
            for way in (ours, theirs) if turn % 2 else (theirs, ours):
                start = time.thread_time()
                way()
                seconds[way].append(time.thread_time() - start)
    overhead = statistics.median(a / b - 1 for a, b in zip(seconds[ours], seconds[theirs], strict=True))
    return min(seconds[ours]), min(seconds[theirs]), overhead, end


def order_rows() -> list[Row]:
    """Slope of log error on log steps and on log evaluations, predator and prey over five units of time."""
    problem = PROBLEMS["lotka-volterra"]
    field, z0 = problem.field(), problem.start(3, 0.05)
    truth = solution(field, z0, torch.tensor([0.0, 5.0], dtype=torch.float64))[-1]
    rows: list[Row] = []
    for method, theory in ORDERS.items():
        settings = [512, 1024, 2048, 4096] if method == "euler" else None
        found = work(field, z0, truth, 5.0, method, settings)
        by_steps, by_nfe = order(found), order(found, "nfe")
        rows.append({
            "solver": method, "theory": float(theory), "by steps": by_steps.value, "±": by_steps.error,
            "by NFE": by_nfe.value, "± ": by_nfe.error, "points": by_steps.count,
        })  # fmt: skip
    return rows


def gradient_rows() -> list[Row]:
    """∂L/∂z0 and ∂L/∂θ four ways on the spiral, t₁ = 4, dopri5; errors against the closed form."""
    problem = PROBLEMS["spiral"]
    field, z0 = problem.field(), problem.start()
    exact = gradients(field, z0, squared_distance, how="exact", span=(0.0, 4.0))
    rows: list[Row] = []
    for tolerance in (1e-3, 1e-5, 1e-7, 1e-9):
        for how in HOWS:
            seconds, found = timed(
                lambda how=how, tolerance=tolerance: gradients(  # type: ignore[misc]
                    field, z0, squared_distance, how=how, span=(0.0, 4.0), rtol=tolerance, atol=tolerance / 100
                )
            )
            rows.append({
                "way": how, "tolerance": f"{tolerance:g}", "ms": 1e3 * seconds,
                "relative error": difference(found, exact),
                "NFE forward": found.nfe_forward, "NFE backward": found.nfe_backward,
            })  # fmt: skip
    return rows


def memory_rows(*, quick: bool) -> list[Row]:
    """A network of two layers of 64, 1,000 points, RK4: bytes held against the number of steps, and the slope."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    field = FieldNetwork(2, 64, 2, generator=torch.Generator().manual_seed(0)).double().to(device)
    z0 = torch.randn(1_000, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(device)
    steps = (8, 16, 32) if quick else (8, 16, 32, 64, 128)
    rows: list[Row] = []
    for how in ("adjoint", "backprop"):
        found = cost(field, z0, squared_distance, how, steps)
        line = found.bytes_a_step
        rows.append({
            "way": how, "measured by": found.measure, "steps": list(found.steps),
            "MB": [size / 1e6 for size in found.peak], "bytes a step": line.value, "±": line.error,
            "ms a step": 1e3 * found.seconds_a_step.value,
        })  # fmt: skip
    return rows


def page_rows() -> list[Row]:
    """What the page asks for when a control moves."""
    field, cloud = PROBLEMS["vortex"].field(), PROBLEMS["vortex"].start(200, 0.5)
    works: list[tuple[str, Callable[[], object]]] = [
        ("residual blocks, 9 depths up to 256, 200 points", lambda: residual(field, cloud, 1.0)),
        ("stability region of RK4, 161 × 141", lambda: region("rk4")),
        ("stability region of Adams, 161 × 141", lambda: region("explicit_adams")),
        ("the Check table", checks),
    ]
    return [{"work": title, "ms": 1e3 * timed(job, 3)[0]} for title, job in works]


def tables(*, quick: bool) -> dict[str, list[Row]]:
    """All tables by title."""
    title = f"{TRAJECTORIES} trajectories, {OUTPUTS} output times (goals: {GOAL_MS} ms, overhead {GOAL_OVERHEAD:.0%})"
    with alone():
        return {
            f"{title}; {STEPS} steps, or tolerance {TOLERANCE:g}": solver_rows(quick=quick),
            "Order by regression": order_rows(),
            "Gradients on the spiral, four units of time": gradient_rows(),
            "Memory and time of a gradient": memory_rows(quick=quick),
            "What the page asks for": page_rows(),
        }
