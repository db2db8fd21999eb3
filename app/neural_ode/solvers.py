"""Solvers: their steps, taken and rejected, with the stages of each; what accuracy costs; where they are stable."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import trained as store
from app.bones.notes import notes
from app.controls import apply_settings, controls
from app.figures.neural_ode import step_sizes, work_precision
from app.furniture import (
    Export,
    chart,
    code_section,
    copy_link,
    export_section,
    in_classroom,
    is_dark,
    measured_checks,
    scale,
    try_section,
)
from app.neural_ode.drawing import efforts_plot, mode_of, scene_view
from app.neural_ode.made import made, packed
from app.neural_ode.stability import stability_stage
from app.neural_ode.take_home import name_of, npz, table_csv
from app.phase import PhaseView, phase_stage
from app.takeaway import rest_of_address
from app.trained import Trained
from dgm_core.neural_ode.orders import ORDERS
from dgm_core.neural_ode.presets_stages import SOLVERS
from dgm_core.neural_ode.scene import Scene
from dgm_core.neural_ode.solve import TITLES
from dgm_core.neural_ode.solver_view import SolverChecks, SolverRun, SolverWork
from dgm_core.neural_ode.tableaux import TABLEAUX
from dgm_core.pack import unpack
from dgm_core.presets import Preset

PREFIX, KNOB, HEIGHT, FIRST = "s_", "dgm:neural_ode:knob", 470, 4


def solvers() -> None:
    """Draw the part."""
    above, panel = st.columns([13, 6], gap="large")
    with panel:
        chosen = controls(SolverRun, prefix=PREFIX)
    with above:
        shown = made(chosen, "solver", _draw)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("What accuracy costs", anchor=False)
        _work(chosen)
    with right:
        st.subheader("Where a method is stable", anchor=False)
        _stability(chosen)
    st.header("Check", anchor="check")
    measured_checks(SolverChecks(**chosen.model_dump()), key="solvers")
    st.header("Try", anchor="try")
    try_section(SOLVERS, _apply, key="try_solvers")
    st.header("Take it home", anchor="home")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(chosen, rest_of_address(chosen), key="link_solvers")
        if shown is not None:
            export_section(_exports(shown), key="export_solvers")
    code_section(_code(chosen), key="code_solvers")


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=store.BY_NAME)
def _scene(shown: Trained) -> Scene:
    return Scene.from_bytes(packed(shown, "scene") or b"")


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=store.BY_NAME)
def _view(shown: Trained) -> PhaseView:
    scene = _scene(shown)
    nfe = np.array([trace.nfe for trace in scene.traces])
    kept = np.maximum.accumulate(nfe)
    return scene_view(scene, [efforts_plot(scene, "Error at t₁ against evaluations", kept, "NFE")])


def _draw(shown: Trained) -> None:
    scene = _scene(shown)
    if not scene.traces:
        notes(scene.notes)
        return
    knob = min(st.session_state.get(KNOB, FIRST), len(scene.traces) - 1)
    view = _view(shown)
    event = phase_stage(
        view, key="solver", height=HEIGHT, knob=knob, knob_label="Effort", stepwise=True, report_knob=True,
        alt="A solver's steps over the true solution.", time=float(scene.times[-1]), classroom=in_classroom(),
        layers=("field", "flow", "lines", "marks"), mode=mode_of(view),
        names={"flow": "True solution", "lines": "Solver", "marks": "Steps ● ✕"}, ends=("start", "end"),
    )  # fmt: skip
    trace = scene.traces[event.variant if event.variant is not None else knob]
    sizes = np.diff(trace.times)
    chart(
        step_sizes(
            trace.times[:-1], sizes, trace.rejected_times, len(trace.rejected_times), float(scene.times[-1]),
            dark=is_dark(), scale=scale(),
        ),
        "step_sizes",
    )  # fmt: skip
    st.caption(
        f"{trace.label}: {len(sizes)} steps taken, {len(trace.rejected_times)} rejected (✕), {trace.nfe} evaluations. "
        "Below 'Stages kᵢ' shows the slopes of the step at hand; ← → go step by step."
    )
    notes(scene.notes[:2])


def _work(chosen: SolverRun) -> None:
    shared = chosen.model_dump(include={"problem", "rate", "stiffness"})
    made(SolverWork(**shared), "work", lambda shown: _draw_work(shown, chosen.method))


def _draw_work(shown: Trained, method: str) -> None:
    meta, arrays = unpack(packed(shown, "work") or b"")
    lines = {TITLES[name]: (arrays[f"nfe:{name}"], arrays[f"error:{name}"], ORDERS[name]) for name in ORDERS}
    chart(work_precision(lines, TITLES[method], meta["size"], dark=is_dark(), scale=scale()), "work")
    st.caption(
        "Error at t₁ against evaluations of the field. In the legend the order that theory gives, and the slope fitted "
        "where the error is below a hundredth of the solution's size."
    )


def _stability(chosen: SolverRun) -> None:
    shown = chosen.method if chosen.method in TABLEAUX else "rk4"
    if shown != chosen.method:
        st.caption(f"{TITLES[chosen.method]} has no stability polynomial here; {TITLES[shown]} is shown.")
    stability_stage(
        [float(c) for c in TABLEAUX[shown].polynomial], title=TITLES[shown], key="stability", height=300,
        classroom=in_classroom(),
    )  # fmt: skip


def _apply(preset: Preset) -> None:
    settings = dict(preset.settings)
    st.session_state[KNOB] = int(settings.pop("knob", FIRST))
    apply_settings(SolverRun, settings, prefix=PREFIX)


def _exports(shown: Trained) -> list[Export]:
    scene, name = _scene(shown), name_of(shown)
    rows = np.array([[t.nfe, len(t.times) - 1, len(t.rejected_times), t.error] for t in scene.traces])
    head = ["nfe", "steps", "rejected", "error"]
    return [
        Export("Errors (CSV)", f"{name}-errors.csv", "text/csv", lambda: table_csv(head, rows)),
        Export("Steps (NPZ)", f"{name}.npz", "application/octet-stream",
               lambda: npz(times=scene.times, flow=scene.flow, **_steps(scene))),
    ]  # fmt: skip


def _steps(scene: Scene) -> dict[str, np.ndarray]:
    named = {f"times_{k}": trace.times for k, trace in enumerate(scene.traces)}
    return named | {f"states_{k}": trace.states for k, trace in enumerate(scene.traces)}


def _code(chosen: SolverRun) -> str:
    changed = chosen.differences(type(chosen)())
    fields = ", ".join(f"{name}={mine!r}" for name, (mine, _) in changed.items())
    return f"""from dgm_core.neural_ode.solver_view import SolverRun
import plotly.express as px

scene = SolverRun({fields}).scene()   # scene.flow: (T, N, D) the truth, scene.traces: from coarse to fine
for trace in scene.traces:
    print(f"{{trace.label:9}} {{trace.nfe:6}} evaluations {{len(trace.rejected_times):2}} rejected {{trace.error:.2e}}")
px.line(x=scene.times, y=scene.flow[:, 0, 0]).write_html("solution.html")
"""
