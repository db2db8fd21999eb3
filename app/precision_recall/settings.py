"""Make them disagree: the controls of the two sets, and people's own points."""

from __future__ import annotations

import streamlit as st

from app.bones.notes import notes
from app.controls import controls
from app.memory import Memory
from app.own_data import own_points
from app.precision_recall.flows import choose_flow
from dgm_core.errors import DataError
from dgm_core.precision_recall.clouds import CloudPair
from dgm_core.precision_recall.views import PairChecks

HIDDEN = ("k", "data", "fake_data", "source")


def settings() -> PairChecks:
    """Draw the controls; the last good sets stay where the new ones cannot be."""
    above, middle, below = (st.container() for _ in range(3))
    with middle:
        pair = controls(PairChecks, hide=HIDDEN)
    memory = Memory(PairChecks)
    if memory.current("fake") == "flow":
        with above:
            choose_flow(PairChecks, key="pr_flow")
    with below:
        if memory.current("fake") == "points":
            st.caption("Generated points of your own")
            own_points(PairChecks, "fake_data", name="fake")
        if memory.current("fake") != "flow" and memory.current("real") == "points":
            st.caption("Real points of your own")
            own_points(PairChecks, "data", name="real")
    for name in ("data", "fake_data", "source"):
        Memory(PairChecks).publish(name, getattr(pair, name))
    return _there(pair)


def _there(pair: PairChecks) -> PairChecks:
    """The sets, or the usual ones where their data are not on this machine, as with a link from another."""
    try:
        pair.law()
        if pair.fake == "points":
            CloudPair(fake="law", real="points", data=pair.fake_data).law()
    except DataError as error:
        notes([str(error)])
        return PairChecks()
    return pair


def without_k(pair: PairChecks) -> CloudPair:
    """The two sets alone, for what does not depend on k."""
    return CloudPair(**pair.model_dump(exclude={"k"}))
