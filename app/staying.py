"""From one shipped model, a change of target, model or objective alone leads to the shipped one that has it.

Each needs its own number of steps; nobody should have to know them to see a picture.
"""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from app.memory import Memory
from dgm_core import zoo
from dgm_core.experiment import Experiment


def take_next(cls: type[Experiment]) -> None:
    """Set the controls to the recipe that was found in the last run; call it before they are drawn."""
    if recipe := st.session_state.pop(_slot(cls, "next"), None):
        Memory(cls).remember(recipe.model_dump())


def stay_on_what_is_shipped(experiment: Experiment, leading: Collection[str]) -> None:
    """Go on to the shipped recipe that has the same leading fields, where only these were changed.

    Args:
        experiment: what the controls say now.
        leading: fields by which a recipe is found.
    """
    cls = type(experiment)
    # A short link, such as ?target=rings, means the shipped model; a copied one has the version and all values.
    short = cls() if "v" not in st.query_params else None
    before: Experiment | None = st.session_state.get(_slot(cls, "before"), short)
    st.session_state[_slot(cls, "before")] = experiment
    if before is None or before == experiment or zoo.find(before) is None or zoo.find(experiment) is not None:
        return
    now, then = experiment.model_dump(), before.model_dump()
    matters = {p.name for p in experiment.parameters() if p.matters(now) and p.matters(then)}
    changed = matters & set(experiment.differences(before))
    if not changed or not changed <= set(leading):
        return
    for recipe in map(zoo.experiment, zoo.names(experiment.topic)):
        if type(recipe) is cls and all(getattr(recipe, name) == now[name] for name in leading):
            st.session_state[_slot(cls, "before")] = st.session_state[_slot(cls, "next")] = recipe
            st.rerun()


def _slot(cls: type[Experiment], name: str) -> str:
    return f"dgm:{cls.topic}:{name}"
