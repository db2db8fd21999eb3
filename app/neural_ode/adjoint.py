"""The adjoint: forwards, then the augmented system back; the gradient beside the other ways; what each costs."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import trained as store
from app.bones.notes import notes
from app.controls import apply_settings, controls
from app.figures.neural_ode import cost_lines, gradient_errors
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
from app.neural_ode.drawing import adjoint_view, mode_of
from app.neural_ode.made import made, packed
from app.neural_ode.take_home import name_of, npz, table_csv
from app.phase import PhaseView, phase_stage
from app.takeaway import rest_of_address
from app.trained import Trained
from dgm_core.neural_ode.adjoint_view import AdjointChecks, AdjointRun, GradientCost, GradientTable
from dgm_core.neural_ode.presets_stages import ADJOINT
from dgm_core.neural_ode.problems import PROBLEMS
from dgm_core.pack import unpack
from dgm_core.presets import Preset

PREFIX, AGAIN, HEIGHT = "a_", "dgm:neural_ode:again", 470
WAYS = {"adjoint": "Adjoint", "backprop": "Backpropagation", "finite": "Finite differences", "truth": "Truth"}
WORDS = (
    r"$\dot a_z = -a_z^\top \frac{\partial f}{\partial z}$, "
    r"$\dot a_\theta = -a_z^\top \frac{\partial f}{\partial \theta}$, "
    r"from $a_z(t_1) = \frac{\partial L}{\partial z(t_1)}$, $a_\theta(t_1) = 0$, solved back to $0$ together with $z$; "
    r"then $a_\theta(0) = \frac{dL}{d\theta}$. Here $L = \frac12 |z(t_1)|^2$."
)


def adjoint() -> None:
    """Draw the part."""
    above, panel = st.columns([13, 6], gap="large")
    with panel:
        chosen = controls(AdjointRun, prefix=PREFIX)
        st.caption(WORDS)
    with above:
        shown = made(chosen, "adjoint", _draw)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("The same gradient, other ways", anchor=False)
        made(GradientTable(**chosen.model_dump()), "gradients", _draw_table)
    with right:
        st.subheader("What it costs", anchor=False)
        _cost()
    st.header("Check", anchor="check")
    measured_checks(AdjointChecks(problem=chosen.problem), key="adjoint")
    st.header("Try", anchor="try")
    try_section(ADJOINT, _apply, key="try_adjoint")
    st.header("Take it home", anchor="home")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(chosen, rest_of_address(chosen), key="link_adjoint")
        if shown is not None:
            export_section(_exports(shown), key="export_adjoint")
    code_section(_code(chosen), key="code_adjoint")


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=store.BY_NAME)
def _view(shown: Trained) -> PhaseView | None:
    meta, arrays = unpack(packed(shown, "path") or b"")
    assert isinstance(shown.experiment, AdjointRun)
    return (
        None
        if meta["note"]
        else adjoint_view(arrays, PROBLEMS[shown.experiment.problem].window, shown.experiment.field())
    )


def _draw(shown: Trained) -> None:
    view, (meta, arrays) = _view(shown), unpack(packed(shown, "path") or b"")
    if view is None:
        notes(
            [f"The reconstruction of z(t) is lost: {meta['note']}. A smaller tolerance, or a shorter time, keeps it."]
        )
        return
    phase_stage(
        view, key="adjoint", height=HEIGHT, mode=mode_of(view), time_label="t", ends=("start", "back again"),
        alt="A solution forwards, then its reconstruction backwards with the adjoint as an arrow.",
        layers=("field", "flow", "lines", "arrows"), time=2.0, classroom=in_classroom(),
        names={"flow": "z(t), forwards", "lines": "z(t), reconstructed", "arrows": "a_z(t)"},
    )  # fmt: skip
    drift = float(np.abs(arrays["z"] - arrays["truth"]).max())
    st.caption(
        f"L = {meta['loss']:.4g} · {meta['nfe_forward']} evaluations forwards, {meta['nfe_backward']} of the augmented "
        f"field back · the reconstruction is off by up to {drift:.1e}. Arrows are scaled to the picture; the plots "
        "have the numbers."
    )


def _draw_table(shown: Trained) -> None:
    meta, arrays = unpack(packed(shown, "table") or b"")
    adaptive = bool(arrays["settings"][0] < 1)
    lines = {WAYS[how]: arrays[f"error:{how}"] for how in ("adjoint", "backprop", "finite")}
    chart(
        gradient_errors(arrays["settings"], lines, "tolerance" if adaptive else "steps", dark=is_dark(), scale=scale()),
        "gradient_errors",
    )  # fmt: skip
    st.markdown(_table(arrays, int(meta["dim"])))
    source = "in closed form" if meta["exact"] else "by backpropagation through dopri8, tolerance 10⁻¹²"
    st.caption(
        f"Truth: {source}. Errors are of the whole gradient, relative; finite differences at every third setting."
    )


def _table(arrays: dict[str, np.ndarray], dim: int) -> str:
    """The gradients at the declared setting as a Markdown table, at most six numbers each."""
    truth = arrays["gradient:truth"]
    names = [f"$\\partial L/\\partial z_{d + 1}(0)$" for d in range(dim)]
    names += [f"$\\partial L/\\partial \\theta_{k + 1}$" for k in range(len(truth) - dim)]
    shown = [(how, words) for how, words in WAYS.items() if f"gradient:{how}" in arrays]
    head = "| | " + " | ".join(words for _, words in shown) + " |\n|:--|" + "--:|" * len(shown) + "\n"
    rows = [
        f"| {name} | " + " | ".join(f"{arrays[f'gradient:{how}'][k]:.6g}" for how, _ in shown) + " |"
        for k, name in enumerate(names[:6])
    ]
    nfe = [f"{arrays[f'nfe:{how}'].sum():.0f}" if f"nfe:{how}" in arrays else "" for how, _ in shown]
    return (head + "\n".join(rows) + f"\n| evaluations | {' | '.join(nfe)} |").replace(" -", " −")


def _cost() -> None:
    """Measured in a worker, now; again on demand."""
    made(GradientCost(again=st.session_state.get(AGAIN, 0)), "cost", _draw_cost)
    st.button("Measure again", icon=":material/refresh:", key="measure_again", on_click=_again)


def _again() -> None:
    st.session_state[AGAIN] = (st.session_state.get(AGAIN, 0) + 1) % 100


def _draw_cost(shown: Trained) -> None:
    meta, arrays = unpack(packed(shown, "cost") or b"")
    steps = arrays["steps"]
    peaks = {WAYS[how]: arrays[f"peak:{how}"] / 1024 for how in ("adjoint", "backprop")}
    seconds = {WAYS[how]: 1000 * arrays[f"seconds:{how}"] for how in ("adjoint", "backprop")}
    look = {"dark": is_dark(), "scale": scale()}
    chart(cost_lines(steps, peaks, "memory (KiB)", **look), "cost_memory")  # type: ignore[arg-type]
    chart(cost_lines(steps, seconds, "time (ms)", **look), "cost_time")  # type: ignore[arg-type]
    # Bytes are whole numbers: what is below a thousandth of a KiB is the regression's rounding.
    slopes = {
        how: abs(round(float(np.polyfit(steps, arrays[f"peak:{how}"] / 1024, 1)[0]), 3))
        for how in ("adjoint", "backprop")
    }
    what = "bytes that autograd holds" if meta["measure"] == "saved" else "the allocator's peak"
    st.caption(
        f"Slope of the memory: {slopes['adjoint']:.3g} KiB a step by the adjoint, {slopes['backprop']:.3g} by "
        f"backpropagation ({what}, 512 points, RK4, {meta['device'].upper()})."
    )


def _apply(preset: Preset) -> None:
    apply_settings(AdjointRun, preset.settings, prefix=PREFIX)


def _exports(shown: Trained) -> list[Export]:
    _, arrays = unpack(packed(shown, "path") or b"")
    if not arrays:
        return []
    name, names = name_of(shown), ("z", "truth", "a_z", "a_theta")
    rows = np.column_stack([arrays["times"], *(arrays[n] for n in names)])
    head = ["t", *(f"{n}_{k + 1}" for n in names for k in range(arrays[n].shape[1]))]
    return [
        Export("Way back (CSV)", f"{name}.csv", "text/csv", lambda: table_csv(head, rows)),
        Export("Way back (NPZ)", f"{name}.npz", "application/octet-stream", lambda: npz(**arrays)),
    ]


def _code(chosen: AdjointRun) -> str:
    changed = chosen.differences(type(chosen)())
    fields = ", ".join(f"{name}={mine!r}" for name, (mine, _) in changed.items())
    return f"""from dgm_core.neural_ode.adjoint_view import AdjointRun
import plotly.express as px

run = AdjointRun({fields})
for how in ("adjoint", "backprop", "finite"):
    found = run.gradient(how)
    print(f"{{how:9}} dz0 {{found.dz0.tolist()}}  dtheta {{found.dtheta.tolist()}}")
path = run.gradient("adjoint", moments=101).path   # path.a_z: (T, N, D), from t1 back to 0
px.line(x=path.times, y=path.a_z[:, 0, 0]).write_html("adjoint.html")
"""
