"""The page neural_ode: every part runs, presets hold what they say, views draw what the core has computed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from app.figures.neural_ode import fitted_slope
from app.neural_ode.drawing import adjoint_view, scene_view, square
from app.neural_ode.take_home import npz, table_csv
from app.neural_ode.thumbnail import residual_thumbnail
from dgm_core import zoo
from dgm_core.neural_ode.adjoint_view import AdjointRun, GradientTable
from dgm_core.neural_ode.classification import FlowClassifier
from dgm_core.neural_ode.experiment import NeuralODE
from dgm_core.neural_ode.presets_learning import LEARN, NETS
from dgm_core.neural_ode.presets_stages import ADJOINT, RESIDUAL, SOLVERS
from dgm_core.neural_ode.problems import PROBLEMS
from dgm_core.neural_ode.residual_view import ResidualDepths
from dgm_core.neural_ode.scene import Scene
from dgm_core.neural_ode.solver_view import SolverRun, power, solver_checks
from dgm_core.pack import unpack

MAIN = Path(__file__).resolve().parents[2] / "app" / "main.py"


def opened(query: dict[str, str]) -> Any:
    app = AppTest.from_file(str(MAIN), default_timeout=60).run()
    for name, text in query.items():
        app.query_params[name] = text
    return app.switch_page("../pages/neural_ode.py").run()


@pytest.mark.parametrize("part", ["residual", "nets", "solvers", "adjoint", "learn"])
def test_every_part_opens(part: str) -> None:
    app = opened({"part": part})
    assert not app.exception, [element.message for element in app.exception]
    assert len([header for header in app.header if header.value in ("Check", "Try", "Take it home")]) == 3


@pytest.mark.parametrize(
    "query",
    [
        {"part": "solvers", "s_problem": "nowhere", "s_method": "magic", "s_points": "1e9"},
        {"part": "residual", "r_span": "-3", "r_points": "many"},
        {"part": "adjoint", "a_tolerance": "0", "a_steps": "1e30"},
        {"part": "learn", "l_system": "own", "l_data": "f" * 64},
        {"part": "nowhere"},
    ],
)
def test_whatever_the_address_says_the_page_opens(query: dict[str, str]) -> None:
    app = opened(query)
    assert not app.exception, [element.message for element in app.exception]


@pytest.mark.parametrize("preset", [*RESIDUAL, *SOLVERS, *ADJOINT, *LEARN, *NETS], ids=lambda preset: preset.name)
def test_presets_are_valid_settings(preset: Any) -> None:
    cls = next(
        found for presets, found in (
            (RESIDUAL, ResidualDepths), (SOLVERS, SolverRun), (ADJOINT, AdjointRun), (LEARN, NeuralODE),
            (NETS, FlowClassifier),
        ) if preset in presets
    )  # fmt: skip
    own = ("depth", "knob", "n_task", "n_a", "n_b")
    cls(**{name: value for name, value in preset.settings.items() if name not in own})


@pytest.mark.parametrize("preset", LEARN, ids=lambda preset: preset.name)
def test_presets_of_learning_are_shipped(preset: Any) -> None:
    assert zoo.find(NeuralODE(**preset.settings)) is not None


def test_figures_named_by_presets_are_those_recorded() -> None:
    """To the digits that are written."""
    last = {name: {k: v[~np.isnan(v)][-1] for k, v in zoo.metrics(f"neural_ode-{name}").items()} for name in (
        "spiral", "cubic", "cubic-one-segment", "lotka-volterra", "circles", "circles-added",
    )}  # fmt: skip
    assert last["spiral"]["beyond"] == pytest.approx(0.087, abs=5e-4)
    assert last["spiral"]["linear_beyond"] == pytest.approx(0.015, abs=5e-4)
    assert last["cubic"]["beyond"] == pytest.approx(0.39, abs=5e-3)
    assert last["cubic"]["linear_beyond"] == pytest.approx(2.16, abs=6e-3)
    assert last["cubic-one-segment"]["beyond"] == pytest.approx(0.87, abs=6e-3)
    assert last["lotka-volterra"]["beyond"] == pytest.approx(0.036, abs=6e-4)
    assert last["circles"]["accuracy"] == pytest.approx(0.999, abs=6e-4)
    assert last["circles-added"]["accuracy"] == 1.0


def test_blocks_go_outward_as_the_preset_says() -> None:
    """|z|² grows by 1 + (t₁/L)² a block on the harmonic oscillator (1e-5: single precision)."""
    scene = ResidualDepths(problem="harmonic", span=6.0, points=4).scene()
    trace = scene.traces[11]
    grown = (trace.states[-1].astype(float) ** 2).sum(-1) / (trace.states[0].astype(float) ** 2).sum(-1)
    np.testing.assert_allclose(grown, (1 + (6 / 12) ** 2) ** 12, rtol=1e-5)


def test_a_residual_block_is_one_step_and_the_bytes_keep_it() -> None:
    view = ResidualDepths(points=3)
    scene = Scene.from_bytes(view.scene().to_bytes())
    start = view.start()
    with torch.no_grad():
        moved = start + PROBLEMS["vortex"].field()(torch.tensor(0.0), start)
    np.testing.assert_allclose(scene.traces[0].states[-1], moved.numpy(), rtol=1e-5, atol=1e-6)
    assert [trace.nfe for trace in scene.traces] == list(range(1, 65))
    assert all(check.passed for check in view.checks(scene))


def test_euler_on_its_border_alternates() -> None:
    """λh = −2: R = −1, so 16 steps leave |z| = 1 (1e-12 in the core; here 1e-6, single precision)."""
    scene = SolverRun(problem="linear", rate=-8.0, method="euler").scene()
    trace = next(t for t in scene.traces if t.label == "16 steps")
    np.testing.assert_allclose(trace.states[:, 0, 0], (-1.0) ** np.arange(17), atol=1e-6)
    np.testing.assert_allclose(trace.stage_moves[:, 0, 0], -2 * trace.states[:-1, 0, 0], atol=1e-5)


def test_solver_checks_hold_on_the_spiral() -> None:
    run = SolverRun(problem="spiral", method="heun3")
    found = solver_checks(run.method, run.scene())
    assert [check.name for check in found] == ["NFE counted − NFE by formula, largest", "order, by regression"]
    assert all(check.passed for check in found)


def test_a_scene_is_drawn_with_its_stages() -> None:
    scene = SolverRun(problem="vortex", method="midpoint").scene()
    view = scene_view(scene)
    assert view.variants[0].stages == 2
    assert view.field is not None
    assert len(view.variants) == len(scene.traces)


def test_what_explodes_is_said_in_a_sentence() -> None:
    scene = SolverRun(problem="lorenz", method="rk4").scene()
    assert scene.notes
    assert "t = " in scene.notes[0]


def test_the_film_of_a_gradient_goes_there_and_back() -> None:
    run = AdjointRun(problem="spiral", tolerance=1e-8)
    meta, arrays = unpack(run.path())
    view = adjoint_view(arrays, PROBLEMS["spiral"].window, run.field())
    assert meta["note"] == ""
    assert view.shown_times is not None
    assert view.flow is not None
    assert view.shown_times[[0, -1]].tolist() == [0.0, 0.0]
    assert view.shown_times.max() == run.span
    np.testing.assert_allclose(view.flow[0], view.flow[-1])
    np.testing.assert_allclose(view.variants[0].states[-1, 0], [2.0, 0.0], atol=1e-5)


def test_the_adjoint_of_a_spiral_is_its_closed_form() -> None:
    """L = ½|z(t₁)|² with z = e^{tA} z₀, AᵀA-normal: ∂L/∂z₀ = e^{−2γt₁} z₀ (1e-6 at tolerance 1e-8)."""
    _, arrays = unpack(AdjointRun(problem="spiral", tolerance=1e-8).path())
    expected = np.exp(-2 * 0.1 * 4.0) * np.array([2.0, 0.0])
    np.testing.assert_allclose(arrays["a_z"][-1], expected, atol=1e-6)


def test_errors_of_gradients_fall_with_the_steps() -> None:
    meta, arrays = unpack(GradientTable(problem="spiral", method="rk4").table())
    assert meta["exact"]
    for how in ("adjoint", "backprop"):
        errors = arrays[f"error:{how}"]
        assert errors[0] > 100 * errors[-1] > 0


def test_a_lost_reconstruction_says_when() -> None:
    meta, arrays = unpack(AdjointRun(problem="van-der-pol", tolerance=1e-3).path())
    assert not arrays
    assert "backwards in time" in meta["note"]


@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_fitted_slope_is_the_order(order: int) -> None:
    n = 2.0 ** np.arange(3, 11)
    assert fitted_slope(n, 0.5 * n**-order, 1.0).startswith(f"{order}.00")
    assert fitted_slope(n[:2], n[:2] ** -4.0, 1.0) == "–"


def test_tolerances_are_written_as_powers() -> None:
    assert [power(10.0**-k) for k in (1, 10)] == ["10⁻¹", "10⁻¹⁰"]


def test_what_is_taken_home_can_be_read() -> None:
    assert np.load(io.BytesIO(npz(a=np.arange(3))))["a"].tolist() == [0, 1, 2]
    assert table_csv(["a", "b"], np.array([[1.0, np.nan]])) == b"a,b\r\n1,\r\n"
    assert residual_thumbnail()[:4] == b"\x89PNG"


def test_a_square_window_keeps_its_middle() -> None:
    x0, x1, y0, y1 = square((0.0, 1.0, 0.0, 3.0))
    assert (x0 + x1, y0 + y1, x1 - x0, y1 - y0) == (1.0, 3.0, 3.0, 3.0)
