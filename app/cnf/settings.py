"""The settings of a flow: controls from the declaration, and people's own data."""

from __future__ import annotations

import streamlit as st

from app.bones.notes import notes
from app.controls import controls
from app.memory import Memory
own_image = own_points = print  # TEMP
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.errors import DataError
from dgm_core.data.shelf import get


def settings() -> DensityFlow:
    """Draw the controls; returns the last good settings where the new ones make no flow."""
    above, below = st.container(), st.container()
    with above:
        flow = controls(DensityFlow, hide=("data",))
    with below:
        target = Memory(DensityFlow).current("target")
        if target == "points":
            own_points(DensityFlow)
        elif target == "image":
            own_image(DensityFlow)
    return _with_data(flow)


def _with_data(flow: DensityFlow) -> DensityFlow:
    """The flow, or the default one where its data are not on this machine, as with a link from another."""
    if flow.target not in ("points", "image"):
        return flow
    try:
        get(flow.data)
    except DataError as error:
        notes([str(error)])
        return DensityFlow()
    return flow
