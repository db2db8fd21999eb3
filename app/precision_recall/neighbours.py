"""The k of the stage: it rests in the browser, and stands in the address."""

from __future__ import annotations

import streamlit as st

from app.memory import Memory
from dgm_core.precision_recall.views import PairChecks

TOLD, GIVEN = "dgm:precision_recall:told", "dgm:precision_recall:given"


def given() -> tuple[int, int]:
    """What the stage is told, and a number that grows whenever a link or a preset has changed that: a new stage.

    What the stage has reported itself is no news to it: it would come back late and pull the user's hand.
    """
    wanted = int(Memory(PairChecks).values["k"])
    number, k = st.session_state.get(GIVEN, (0, wanted))
    if wanted != st.session_state.get(TOLD, k):
        number, k = number + 1, wanted
    st.session_state[GIVEN] = (number, k)
    return number, k


def rests(k: int) -> None:
    """Keep where the slider rests, and put it into the address."""
    memory = Memory(PairChecks)
    memory.values["k"] = st.session_state[TOLD] = k
    memory.publish("k", k)
