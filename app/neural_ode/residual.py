"""Residual = Euler: L blocks with shared weights over the flow that they tend to."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import trained as store
from app.controls import apply_settings, controls
from app.furniture import Export, code_section, copy_link, export_section, in_classroom, measured_checks, try_section
from app.neural_ode.drawing import efforts_plot, scene_view
from app.neural_ode.made import made, packed
from app.neural_ode.take_home import name_of, npz, table_csv
from app.phase import PhaseView, phase_stage
from app.takeaway import rest_of_address
from app.trained import Trained
from dgm_core.neural_ode.presets_stages import RESIDUAL
from dgm_core.neural_ode.residual_view import ResidualDepths
from dgm_core.neural_ode.scene import Scene
from dgm_core.presets import Preset

PREFIX, DEPTH, HEIGHT = "r_", "dgm:neural_ode:depth", 500
FIRST = 3
"""L = 4."""
WORDS = (
    "One field $f$, the same in every block: $z_{l+1} = z_l + \\tfrac{t_1}{L} f(z_l)$ is Euler's method, $L$ steps. "
    "Twice the blocks, half the error: the broken lines have a limit, $\\dot z = f(z)$. Its paths never cross; "
    "those of few blocks may."
)


def residual() -> None:
    """Draw the part."""
    above, panel = st.columns([13, 6], gap="large")
    with panel:
        chosen = controls(ResidualDepths, prefix=PREFIX)
        st.caption(WORDS)
    with above:
        shown = made(chosen, "residual", _draw)
    st.header("Check", anchor="check")
    measured_checks(chosen, key="residual")
    st.header("Try", anchor="try")
    try_section(RESIDUAL, _apply, key="try_residual")
    st.header("Take it home", anchor="home")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(chosen, rest_of_address(chosen), key="link_residual")
        if shown is not None:
            export_section(_exports(shown), key="export_residual")
    code_section(_code(chosen), key="code_residual")


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=store.BY_NAME)
def _scene(shown: Trained) -> Scene:
    return Scene.from_bytes(packed(shown, "scene") or b"")


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=store.BY_NAME)
def _view(shown: Trained) -> PhaseView:
    scene = _scene(shown)
    depths = np.array([trace.nfe for trace in scene.traces])
    return scene_view(scene, [efforts_plot(scene, "Error at t₁ against depth", depths, "L")])


def _draw(shown: Trained) -> None:
    phase_stage(
        _view(shown), key="residual", height=HEIGHT, knob_label="Depth L", knob=st.session_state.get(DEPTH, FIRST),
        alt="Points carried by residual blocks as broken lines, over the exact flow of the same field.",
        time=float(_scene(shown).times[-1]), classroom=in_classroom(), stepwise=True,
        layers=("field", "flow", "lines", "marks"), names={"lines": "Residual blocks", "marks": "After each block"},
        ends=("input", "output"),
    )  # fmt: skip


def _apply(preset: Preset) -> None:
    settings = dict(preset.settings)
    st.session_state[DEPTH] = int(settings.pop("depth", FIRST + 1)) - 1
    apply_settings(ResidualDepths, settings, prefix=PREFIX)


def _exports(shown: Trained) -> list[Export]:
    scene, name = _scene(shown), name_of(shown)
    rows = np.array([[trace.nfe, trace.error] for trace in scene.traces])
    return [
        Export("Errors (CSV)", f"{name}-depths.csv", "text/csv", lambda: table_csv(["L", "error"], rows)),
        Export("Flow (NPZ)", f"{name}.npz", "application/octet-stream",
               lambda: npz(times=scene.times, flow=scene.flow, **{f"L{t.nfe}": t.states for t in scene.traces})),
    ]  # fmt: skip


def _code(chosen: ResidualDepths) -> str:
    changed = chosen.differences(type(chosen)())
    fields = ", ".join(f"{name}={mine!r}" for name, (mine, _) in changed.items())
    return f"""from dgm_core.neural_ode.residual_view import ResidualDepths
import plotly.express as px

scene = ResidualDepths({fields}).scene()   # scene.flow: (T, N, 2), scene.traces[L - 1].states: (L + 1, N, 2)
for trace in scene.traces[::9]:
    print(f"{{trace.label:8}} error {{trace.error:.4f}}")
px.line(x=scene.flow[:, 0, 0], y=scene.flow[:, 0, 1]).write_html("flow.html")
"""
