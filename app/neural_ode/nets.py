"""Trained nets side by side: a flow, a flow with one more dimension, residual blocks, on one task."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import trained as store
from app.controls import apply_settings, controls
from app.figures.training import training_curve
from app.furniture import (
    chart,
    code_section,
    copy_link,
    export_section,
    in_classroom,
    is_dark,
    measured_checks,
    scale,
    switch,
    try_section,
)
from app.neural_ode import passages
from app.neural_ode.take_home import classifier_code, classifier_exports
from app.phase import phase_stage
from app.services import runner
from app.takeaway import rest_of_address
from app.trained import Trained, seen_by_view
from app.training_panel import POLL, active_run, start_button, training_panel
from dgm_core import zoo
from dgm_core.neural_ode.classification import FlowClassifier
from dgm_core.neural_ode.presets_learning import NETS
from dgm_core.neural_ode.views import LearningChecks
from dgm_core.presets import Preset

PREFIX, TASK, SIDES = "c_", "n_task", {"a": ("n_a", "ode"), "b": ("n_b", "resnet")}
TASKS = {"circles": "Disc in a ring", "moons": "Two moons", "spirals": "Two spirals"}
MODELS = {"ode": "ODE net", "added": "ODE net, one dimension more", "resnet": "ResNet"}
DECLARED: dict[str, dict[str, Any]] = {"ode": {}, "added": {"added": 1}, "resnet": {"model": "resnet"}}
FIRST = "neural_ode-circles"
HEIGHT = 400


def nets() -> None:
    """Draw the part."""
    task = switch("Task", TASKS, key=TASK, default="circles") or "circles"
    left, right = st.columns(2, gap="large")
    with left:
        shown = _side("a", task)
    with right:
        _side("b", task)
    st.caption(
        "Points are moved, then cut by one straight line. The wash is the class of whatever is at a place at that "
        "time: at t = 0 the decision surface, at t = 1 two half planes. Paths of one ODE never cross, so a ring stays "
        "a ring around what it surrounds; blocks may jump, and one more dimension lets the disc be lifted out."
    )
    st.header("Train one", anchor="train")
    chosen = _train()
    st.header("Check", anchor="check")
    if shown is not None:
        measured_checks(LearningChecks(**seen_by_view(shown)), key="nets")
    st.header("Try", anchor="try")
    try_section(NETS, _apply, key="try_nets")
    st.header("Take it home", anchor="home")
    if shown is not None:
        _take_home(shown, chosen)


def _side(side: str, task: str) -> Trained | None:
    """One model of the task, where it is trained; else the button that trains it."""
    key, default = SIDES[side]
    name = switch(f"Model {side.upper()}", MODELS, key=key, default=default) or default
    experiment = FlowClassifier(task=task, **DECLARED[name])
    trained = store.find(experiment)
    view = passages.view_of(trained) if trained is not None else None
    if trained is None or view is None:
        st.caption("Not trained yet.")
        start_button(experiment, f"Train the {MODELS[name]}", lambda _: None, key=f"train_{side}")
        return None
    phase_stage(
        view, key=f"nets_{side}", height=HEIGHT, sync="nets", mode="space" if view.dimensions == 3 else "plane",
        alt=f"{MODELS[name]} on {TASKS[task].lower()}: hidden states of two classes on their way.",
        names={"flow": "Paths", "lines": "Paths", "marks": "After each block"}, layers=("surface", "flow", "lines"),
        classroom=in_classroom(), ends=("input", "read-out"), time=1.0,
    )  # fmt: skip
    st.caption(passages.figures_line(store.metrics(trained), passages.passage_of(trained)))
    return trained


def _train() -> FlowClassifier:
    """Settings, training live, and its film."""
    picture, panel = st.columns([3, 2], gap="large")
    with panel:
        chosen = controls(FlowClassifier, prefix=PREFIX)
        training_panel(
            chosen, lambda snapshot: _curve(snapshot.metrics, snapshot.total), idle=_idle(chosen), on_change=_nothing
        )
    with picture:
        _film(chosen)
    return chosen


def _nothing(started: bool) -> None:
    """The film stands where it stands, whether a training begins or ends."""


def _idle(chosen: FlowClassifier) -> str:
    name = zoo.find(chosen)
    return f"Trained beforehand and shipped as `{name}`." if name else "Not trained yet."


def _curve(metrics: Any, total: int) -> None:
    if "held_out_loss" not in metrics:
        return
    kept = metrics["held_out_loss"] == metrics["held_out_loss"]
    steps, loss = metrics["step"][kept], metrics["held_out_loss"][kept]
    chart(training_curve(steps, loss, total=total, dark=is_dark(), scale=scale()), "nets_loss")
    st.caption(passages.figures_line(metrics, None))


def _film(chosen: FlowClassifier) -> None:
    run = active_run(chosen)
    live = run is not None and runner().watch(run).live
    trained = store.shown(chosen, run, FIRST)

    @st.fragment(run_every=2 * POLL if live else None)
    def picture() -> None:
        snapshot = runner().watch(run) if run is not None else None
        view = passages.live_film(snapshot) if snapshot is not None else passages.finished_film(trained)
        if view is None:
            st.caption("The first picture comes with the first steps.")
            return
        if run is None and trained.experiment != chosen:
            st.caption("These settings are not trained yet; this is the last model that is.")
        going = snapshot is not None and snapshot.live
        phase_stage(
            view, key="nets_film", height=HEIGHT, time_label="step", ends=("untrained", "trained"), follow=going,
            alt="The decision surface and the paths of held-out points after more and more training steps.",
            time=None if going else float(view.times[-1]), layers=("surface", "lines"), names={"lines": "Paths"},
            classroom=in_classroom(),
        )  # fmt: skip

    picture()


def _apply(preset: Preset) -> None:
    settings = dict(preset.settings)
    for name in (TASK, *(key for key, _ in SIDES.values())):
        if name in settings:
            st.session_state[name] = settings.pop(name)
    if settings:
        apply_settings(FlowClassifier, settings, prefix=PREFIX)


def _take_home(shown: Trained, chosen: FlowClassifier) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(chosen, rest_of_address(chosen), key="link_nets")
        export_section(classifier_exports(shown), key="export_nets")
    code_section(classifier_code(shown), key="code_nets")
