"""The settings of a flow: controls from the declaration, and people's own data."""

from __future__ import annotations

import streamlit as st

from app.bones.notes import notes
from app.controls import controls
from app.memory import Memory
from app.own_data import match_kind, own_image, own_points
from app.staying import stay_on_what_is_shipped, take_next
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.data.shelf import target_of
from dgm_core.errors import DataError


def settings() -> DensityFlow:
    """Draw the controls; returns the last good settings where the new ones make no flow."""
    # The controls can be set only before they are drawn.
    take_next(DensityFlow)
    target = Memory(DensityFlow).current("target")
    if target in ("points", "image"):
        match_kind(DensityFlow, target)
    above, below = st.container(), st.container()
    with above:
        flow = controls(DensityFlow, hide=("data",))
    stay_on_what_is_shipped(flow, ("target", "word", "model", "objective"))
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
