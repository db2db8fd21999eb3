"""Asking the workers for a view, also when very many ask at once."""

from __future__ import annotations

import streamlit as st

from app.services import runner
from dgm_core.runs import QueueFullError, Run
from dgm_core.views import View

AGAIN = 3.0
"""Seconds after which a page looks again whether there is room."""


def asked_for(view: View) -> Run | None:
    """The run that makes a view; None where too many are waiting, and then the page asks again by itself.

    Args:
        view: equal views share one run.
    """
    try:
        return runner().submit(view)
    except QueueFullError:
        slot = f"dgm:again:{view.key}"
        st.session_state[slot] = 0

        @st.fragment(run_every=AGAIN)
        def waiting() -> None:
            st.session_state[slot] += 1
            st.caption("Many are measuring just now; this page looks again in a moment.")
            if st.session_state[slot] > 1:  # the first time is this very run
                st.rerun()

        waiting()
        return None
