"""The settings of a flow: controls from the declaration, and people's own data."""

from __future__ import annotations

import streamlit as st

from app.bones.notes import notes
from app.controls import controls
from app.memory import Memory
from app.own_data import match_kind, own_image, own_points
from dgm_core import zoo
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.data.shelf import target_of
from dgm_core.errors import DataError

BEFORE, NEXT = "dgm:cnf:before", "dgm:cnf:next"


def settings() -> DensityFlow:
    """Draw the controls; returns the last good settings where the new ones make no flow."""
    # The controls can be set only before they are drawn.
    if recipe := st.session_state.pop(NEXT, None):
        Memory(DensityFlow).remember(recipe.model_dump())
    target = Memory(DensityFlow).current("target")
    if target in ("points", "image"):
        match_kind(DensityFlow, target)
    above, below = st.container(), st.container()
    with above:
        flow = controls(DensityFlow, hide=("data",))
    _stay_on_what_is_shipped(flow)
    _in_address(flow)
    with below:
        target = Memory(DensityFlow).current("target")
        if target == "points":
            own_points(DensityFlow)
        elif target == "image":
            own_image(DensityFlow)
    return _with_data(flow)


def _in_address(flow: DensityFlow) -> None:
    """The key of one's own data has no control, so it is written into the address here."""
    if flow.data and st.query_params.get("data") != flow.data:
        st.query_params["data"] = flow.data
    elif not flow.data and "data" in st.query_params:
        del st.query_params["data"]


def _stay_on_what_is_shipped(flow: DensityFlow) -> None:
    """From one shipped flow, another target, model or objective alone leads to the shipped flow that has it.

    Each needs its own number of steps; nobody should have to know them to see the picture.
    """
    # A short link, such as ?target=rings, means the shipped flow; a copied one has the version and all values.
    short = DensityFlow() if "v" not in st.query_params else None
    before: DensityFlow | None = st.session_state.get(BEFORE, short)
    st.session_state[BEFORE] = flow
    if before is None or before == flow or zoo.find(before) is None or zoo.find(flow) is not None:
        return
    now, then = flow.model_dump(), before.model_dump()
    matters = {p.name for p in flow.parameters() if p.matters(now) and p.matters(then)}
    changed = matters & set(flow.differences(before))
    if not changed or not changed <= {"target", "word", "model", "objective"}:
        return
    for recipe in map(zoo.experiment, zoo.names(flow.topic)):
        if all(getattr(recipe, name) == getattr(flow, name) for name in ("target", "word", "model", "objective")):
            st.session_state[BEFORE] = st.session_state[NEXT] = recipe
            st.rerun()


def _with_data(flow: DensityFlow) -> DensityFlow:
    """The flow, or the default one where its data are not on this machine, as with a link from another."""
    if flow.target not in ("points", "image"):
        return flow
    try:
        target_of(flow.target, data=flow.data)
    except DataError as error:
        notes([str(error)])
        return DensityFlow()
    return flow
