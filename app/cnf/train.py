"""Training beside the stage: the panel, and the likelihood as it approaches the target's entropy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from app import trained as store
from app.cnf.figures_line import figures_line
from app.cnf.stage import show
from app.figures.training import training_curve
from app.furniture import chart, is_dark, scale
from app.training_panel import active_run, training_panel
from dgm_core import zoo
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.data.shelf import target_of
from dgm_core.runs import Snapshot


def train(flow: DensityFlow) -> None:
    """Draw the training panel and the curve: of a run, or of what is shipped."""
    training_panel(flow, lambda snapshot: _of_run(flow, snapshot), idle=_idle(flow), on_change=_turn)
    trained = store.find(flow)
    if active_run(flow) is None and trained is not None:
        _curve(flow, store.metrics(trained), flow.steps)
        st.caption(figures_line(store.metrics(trained)))


def _turn(started: bool) -> None:
    show("training" if started else "flow")


def _idle(flow: DensityFlow) -> str:
    name = zoo.find(flow)
    return f"Trained beforehand and shipped as `{name}`." if name else "Not trained yet."


def _of_run(flow: DensityFlow, snapshot: Snapshot) -> None:
    _curve(flow, snapshot.metrics, snapshot.total)
    st.caption(figures_line(snapshot.metrics))


def _curve(flow: DensityFlow, metrics: Mapping[str, np.ndarray] | None, total: int) -> None:
    """The NLL against the steps; the chart keeps its place while it grows."""
    measured = ~np.isnan(metrics["nll"]) if metrics and "nll" in metrics else np.zeros(0, bool)
    steps = metrics["step"][measured] if metrics and measured.any() else np.zeros(0)
    nll = metrics["nll"][measured] if metrics and measured.any() else np.zeros(0)
    entropy, error = entropy_of(flow)
    chart(training_curve(steps, nll, entropy, error, total=total, dark=is_dark(), scale=scale()), "nll")


@st.cache_data(show_spinner=False, max_entries=64)
def entropy_of(flow: DensityFlow) -> tuple[float | None, float | None]:
    """The target's entropy in nats with its standard error, None where it is not known."""
    target = target_of(flow.target, flow.word, flow.data)
    return target.entropy, (target.entropy_error or None)
