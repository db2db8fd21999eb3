"""What the page's predictions say about blocks, solvers and gradients, measured; counts must agree to the last."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dgm_core.neural_ode.adjoint_view import AdjointRun, flat
from dgm_core.neural_ode.checks import squared_distance
from dgm_core.neural_ode.memory import cost
from dgm_core.neural_ode.presets_stages import ADJOINT, RESIDUAL, SOLVERS
from dgm_core.neural_ode.problems import PROBLEMS, solution
from dgm_core.neural_ode.residual_view import ResidualDepths
from dgm_core.neural_ode.scene import Scene, Trace
from dgm_core.neural_ode.solve import solve
from dgm_core.neural_ode.solver_view import TOLERANCES, SolverRun
from dgm_core.neural_ode.steps import walk
from dgm_core.pack import unpack
from dgm_core.presets import Preset


def named(presets: tuple[Preset, ...], name: str) -> Preset:
    return next(preset for preset in presets if preset.name == name)


def solved(name: str, **changes: object) -> Trace:
    settings = {**named(SOLVERS, name).settings, **changes}
    knob = int(settings.pop("knob"))  # type: ignore[call-overload]
    return SolverRun(**settings).scene().traces[knob]  # type: ignore[arg-type]


def blocks(name: str) -> tuple[Scene, int]:
    settings = dict(named(RESIDUAL, name).settings)
    depth = settings.pop("depth")
    return ResidualDepths(**settings).scene(), depth


def test_names_are_unique_and_reveals_are_sentences() -> None:
    everything = (*RESIDUAL, *SOLVERS, *ADJOINT)
    assert len(everything) >= 6
    assert len({preset.name for preset in everything}) == len(everything)
    assert all(preset.question.endswith("?") and preset.reveal.endswith(".") for preset in everything)


def test_twice_the_blocks_halve_the_error() -> None:
    scene, depth = blocks("twice")
    ratio = scene.traces[2 * depth - 1].error / scene.traces[depth - 1].error
    assert ratio == pytest.approx(0.5, abs=0.01)


def test_blocks_leave_the_circle_outwards_by_the_factor_that_is_told() -> None:
    scene, depth = blocks("outward")
    squares = (scene.traces[depth - 1].states.astype(float) ** 2).sum(-1)
    np.testing.assert_allclose(squares[1:] / squares[:-1], 1 + (6.0 / depth) ** 2, rtol=1e-5)


def test_few_blocks_let_lines_cross_and_many_do_not() -> None:
    field, start = PROBLEMS["vortex"].field(), PROBLEMS["vortex"].start(24, 0.8)
    crossings = []
    for depth in (3, 96):
        with torch.no_grad():
            lines = walk(field, start, [2.0 * l / depth for l in range(depth + 1)], "euler").numpy()
        crossings.append(sum(_cross(lines[:, i], lines[:, j]) for i in range(24) for j in range(i)))
    assert crossings[0] > 10 * max(1, crossings[1])


def _cross(a: np.ndarray, b: np.ndarray) -> int:
    """How many segments of one broken line cut segments of another."""

    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> np.ndarray:
        return (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])

    p, q, r, s = a[:-1, None], a[1:, None], b[None, :-1], b[None, 1:]
    return int(((side(p, q, r) * side(p, q, s) < 0) & (side(r, s, p) * side(r, s, q) < 0)).sum())


def test_at_the_border_the_numbers_alternate() -> None:
    trace = solved("border")
    assert trace.label == "16 steps"
    np.testing.assert_allclose(trace.states[:, 0, 0], [(-1.0) ** k for k in range(17)], rtol=1e-6)


def test_stiffness_costs_the_evaluations_that_are_told() -> None:
    problem, counted = PROBLEMS["van-der-pol"], []
    assert TOLERANCES[named(SOLVERS, "stiff").settings["knob"]] == 3e-5
    for stiffness in (20.0, 2.0):
        times = torch.tensor([0.0, problem.span], dtype=torch.float64)
        with torch.no_grad():
            counted.append(solve(problem.field(stiffness), problem.start(), times, "dopri5", None, 3e-5, 3e-5).nfe)
    assert counted == pytest.approx([1898, 770], rel=0.02)


def test_steps_are_rejected_where_the_orbit_bends() -> None:
    """The turn of the path's direction over a unit of time, where steps were rejected and on the whole."""
    settings = dict(named(SOLVERS, "rejected").settings)
    trace = solved("rejected")
    field, problem = SolverRun(**{k: v for k, v in settings.items() if k != "knob"}).field(), PROBLEMS["lotka-volterra"]
    states = solution(field, problem.start(), torch.linspace(0, problem.span, 1001, dtype=torch.float64))[:, 0].numpy()
    way = np.diff(states, axis=0)
    turning = np.abs(np.diff(np.unwrap(np.arctan2(way[:, 1], way[:, 0])))) / np.linalg.norm(way[1:], axis=1)
    tried = np.clip((trace.rejected_times / problem.span * 1000).astype(int), 0, 998)
    assert len(tried) > 0
    assert np.mean(turning[tried]) > np.median(turning)


@pytest.mark.parametrize(("tolerance", "told", "within"), [(1e-5, 3.6, 0.06), (1e-7, 0.002, 0.0005)])
def test_chaos_is_as_far_off_as_is_told(tolerance: float, told: float, within: float) -> None:
    problem = PROBLEMS["lorenz"]
    field, start, times = problem.field(), problem.start(), torch.tensor([0.0, problem.span], dtype=torch.float64)
    with torch.no_grad():
        end = solve(field, start, times, "dopri5", None, tolerance, tolerance, path=False).states[-1]
    assert float((end - solution(field, start, times)[-1]).norm()) == pytest.approx(told, abs=within)


def test_the_trace_that_chaos_shows_is_the_one_that_is_told() -> None:
    assert TOLERANCES[named(SOLVERS, "chaos").settings["knob"]] == 1e-5


def test_memory_is_what_is_told() -> None:
    field, start = PROBLEMS["vortex"].field(), PROBLEMS["vortex"].start(512, 0.5)
    adjoint, backprop = (cost(field, start, squared_distance, how, (8, 128)) for how in ("adjoint", "backprop"))  # type: ignore[arg-type]
    assert adjoint.peak[0] == adjoint.peak[1] == pytest.approx(48 * 2**10, rel=0.05)
    assert backprop.peak == pytest.approx((1.5 * 2**20, 24 * 2**20), rel=0.05)


def test_the_way_back_of_van_der_pol_explodes_where_it_is_told() -> None:
    view = AdjointRun(**named(ADJOINT, "drift").settings)
    note = unpack(view.path())[0]["note"]
    assert "backwards in time" in note
    assert float(note.split("t = ")[1].split(";")[0]) == pytest.approx(4.0, abs=0.1)
    truth = flat(view.truth())
    error = np.linalg.norm(flat(view.gradient("backprop")) - truth) / np.linalg.norm(truth)
    assert 0.15 < error <= 0.225


def test_eulers_adjoint_and_backpropagation_differ_and_meet() -> None:
    view = AdjointRun(**named(ADJOINT, "euler").settings)
    apart = [
        np.linalg.norm(flat(view.gradient("adjoint", n)) - flat(view.gradient("backprop", n))) for n in (32, 128, 512)
    ]
    assert apart[0] > 4 * apart[1] > 12 * apart[2] > 0
    assert math.isfinite(apart[0])
