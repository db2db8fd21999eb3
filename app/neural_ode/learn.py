"""A neural ODE learns: the field behind noisy, irregular observations, live and beyond the data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from app import trained as store
from app.bones.notes import notes
from app.controls import apply_settings, controls
from app.figures.neural_ode import fit_errors, fit_over_time
from app.figures.training import nfe_curve
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
from app.memory import Memory
from app.neural_ode import fits
from app.neural_ode.drawing import mode_of
from app.neural_ode.own_series import own_series, remembered
from app.neural_ode.take_home import fit_code, fit_exports
from app.phase import phase_stage
from app.services import runner
from app.takeaway import rest_of_address
from app.trained import Trained, seen_by_view
from app.training_panel import POLL, active_run, training_panel
from dgm_core import zoo
from dgm_core.errors import DataError
from dgm_core.neural_ode.experiment import NeuralODE
from dgm_core.neural_ode.presets_learning import LEARN
from dgm_core.neural_ode.spiral import SYSTEMS
from dgm_core.neural_ode.views import LearningChecks
from dgm_core.presets import Preset

PREFIX, VIEW, FIRST, HEIGHT = "l_", "l_view", "neural_ode-cubic", 470
VIEWS = {"fit": "Fit", "training": "Its training"}


def learn() -> None:
    """Draw the part."""
    picture, panel = st.columns([3, 2], gap="large")
    with panel:
        chosen = _settings()
        _train(chosen)
    with picture:
        shown = _stage(chosen)
    _over_time(shown)
    st.header("Check", anchor="check")
    measured_checks(LearningChecks(**seen_by_view(shown)), key="learn")
    st.header("Try", anchor="try")
    try_section(LEARN, _apply, key="try_learn")
    st.header("Take it home", anchor="home")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(chosen, rest_of_address(chosen), key="link_learn")
        export_section(fit_exports(shown, fits.fit_of(shown)), key="export_learn")
    code_section(fit_code(shown), key="code_learn")


def _settings() -> NeuralODE:
    """The controls, and one's own series; the default where that is not on this machine."""
    remembered(PREFIX)
    above, below = st.container(), st.container()
    with above:
        chosen = controls(NeuralODE, prefix=PREFIX, hide=("data",))
    with below:
        if Memory(NeuralODE, PREFIX).current("system") == "own":
            own_series(PREFIX)
    Memory(NeuralODE, PREFIX).publish("data", chosen.data)
    try:
        chosen.fit_data()
    except DataError as error:
        notes([str(error)])
        return NeuralODE()
    return chosen


def _train(chosen: NeuralODE) -> None:
    """The panel and the curves: of a run, or of what is shipped."""
    training_panel(
        chosen, lambda snapshot: _curves(snapshot.metrics, snapshot.total, None), idle=_idle(chosen), on_change=_turn
    )
    trained = store.find(chosen)
    if active_run(chosen) is None and trained is not None:
        _curves(store.metrics(trained), chosen.steps, trained)


def _turn(started: bool) -> None:
    st.session_state[VIEW] = "training" if started else "fit"


def _idle(chosen: NeuralODE) -> str:
    name = zoo.find(chosen)
    return f"Trained beforehand and shipped as `{name}`." if name else "Not trained yet."


def _curves(metrics: Mapping[str, np.ndarray], total: int, trained: Trained | None) -> None:
    """Errors and evaluations as the training goes on; the charts keep their places while they grow."""
    kept = ~np.isnan(metrics["nfe"]) if "nfe" in metrics else np.zeros(0, bool)
    none = np.full(int(kept.sum()), np.nan)
    steps, nfe, inside, beyond = (
        metrics[name][kept] if name in metrics else none for name in ("step", "nfe", "inside", "beyond")
    )
    look = {"dark": is_dark(), "scale": scale()}
    chart(fit_errors(steps, inside, beyond, total=total, **look), "learn_errors")  # type: ignore[arg-type]
    chart(nfe_curve(steps, np.where(nfe > 0, nfe, np.nan), total=total, **look), "learn_nfe")  # type: ignore[arg-type]
    if kept.any():
        st.caption(fits.figures_line(metrics, fits.fit_of(trained) if trained is not None else None))


def _stage(chosen: NeuralODE) -> Trained:
    """The fit, or the film of its training; it follows a live run by itself."""
    run = active_run(chosen)
    live = run is not None and runner().watch(run).live
    trained = store.shown(chosen, run, FIRST)

    @st.fragment(run_every=2 * POLL if live else None)
    def picture() -> None:
        if switch("Show", VIEWS, key=VIEW, default="fit") == "training":
            _film(chosen, trained, run)
        else:
            _fit(chosen, trained)

    picture()
    return trained


def _fit(chosen: NeuralODE, trained: Trained) -> None:
    if trained.experiment != chosen:
        st.caption("These settings are not trained yet; this is the last model that is.")
    view = fits.view_of(trained)
    if view is None:
        st.caption("A series of more than three variables is shown over time, below.")
        return
    known = fits.declared(trained).system in SYSTEMS
    phase_stage(
        view, key="learn_fit", height=HEIGHT, knob_label="Curve", layers=("field", "flow", "lines", "points"),
        alt="Observations, the fitted curve" + (" and the true one." if known else "."),
        names={"flow": "Truth", "lines": "Curve", "points": "Observed"}, mode=mode_of(view),
        time=float(view.times[-1]), classroom=in_classroom(),
    )  # fmt: skip


def _film(chosen: NeuralODE, trained: Trained, run: str | None) -> None:
    snapshot = runner().watch(run) if run is not None else None
    view = fits.live_film(snapshot, chosen) if snapshot is not None else fits.finished_film(trained)
    if view is None:
        st.caption("The first picture comes with the first steps.")
        return
    going = snapshot is not None and snapshot.live
    phase_stage(
        view, key="learn_film", height=HEIGHT, time_label="step", ends=("untrained", "trained"), follow=going,
        alt="The fitted curve and its field after more and more training steps.", mode=mode_of(view),
        time=None if going else float(view.times[-1]), layers=("field", "lines", "points"),
        names={"lines": "Curve", "points": "Observed"}, classroom=in_classroom(),
    )  # fmt: skip


def _over_time(shown: Trained) -> None:
    fit = fits.fit_of(shown)
    if fit is None:
        return
    experiment = fits.declared(shown)
    names = [f"x{'₁₂₃₄₅₆₇₈'[d]}" for d in range(fit.curve.shape[1])]
    chart(
        fit_over_time(
            fit.times, fit.curve, fit.linear, fit.seen, fit.beyond, fit.last_seen, names,
            known=experiment.system in SYSTEMS, dark=is_dark(), scale=scale(),
        ),
        "learn_over_time",
    )  # fmt: skip
    st.caption("The grey part was not seen by the training. The linear field is fitted by least squares to the same.")


def _apply(preset: Preset) -> None:
    apply_settings(NeuralODE, preset.settings, prefix=PREFIX)
    st.session_state[VIEW] = "fit"
