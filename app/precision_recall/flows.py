"""Which trained flow: those that are shipped, and those that were trained here."""

from __future__ import annotations

import streamlit as st

from app.memory import Memory
from app.services import runner
from dgm_core import zoo
from dgm_core.experiment import Experiment

MOST = 30
"""Runs listed."""


def choose_flow(cls: type[Experiment], key: str, *, prefix: str = "") -> None:
    """A list of flows; the choice goes into the declaration's field ``source``.

    Args:
        cls: what declares the source.
        key: unique on the page.
        prefix: of the declaration's query parameters.
    """
    memory, names = Memory(cls, prefix), options()
    now = memory.values["source"]
    if now not in names:
        names[now] = now

    def take() -> None:
        Memory(cls, prefix).remember({"source": st.session_state[key]})

    st.session_state[key] = now  # a link or a prediction may have chosen as well
    st.selectbox("Flow", list(names), format_func=lambda name: names.get(name, name), key=key, on_change=take)


def options() -> dict[str, str]:
    """Sources and what people call them."""
    shipped = {f"zoo:{name}": f"{name.removeprefix('cnf-')} (shipped)" for name in zoo.names("cnf")}
    done = [run for run in runner().store.list() if run.experiment.topic == "cnf" and run.state == "done"]
    trained = [run for run in done if run.experiment.lane == "train"][:MOST]
    return {**shipped, **{f"run:{run.id}": _title(run.experiment, run.id) for run in trained}}


def _title(experiment: Experiment, name: str) -> str:
    values = experiment.model_dump()
    return f"{values.get('target', '')}, {values.get('model', '')}, trained here ({name[:6]})"
