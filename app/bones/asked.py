"""Asking the workers for a view, also when very many ask at once."""

from __future__ import annotations

import streamlit as st

from app.services import runner
from dgm_core.runs import QueueFullError, Run
from dgm_core.views import View

AGAIN = 3.0
"""Seconds after which a page looks again whether there is room."""
ASKED = "dgm:asked"
"""The last run of each view that this session asked for."""


def asked_for(view: View) -> Run | None:
    """The run that makes a view; None where too many are waiting, and then the page asks again by itself.

    What has failed in this session would fail again: it is not asked for twice, so that its reason can be read.

    Args:
        view: equal views share one run.
    """
    asked: dict[str, str] = st.session_state.setdefault(ASKED, {})
    failed = _failed(asked.get(view.key, ""))
    if failed is not None:
        return failed
    try:
        run = runner().submit(view)
        asked[view.key] = run.id
        return run
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


def _failed(run: str) -> Run | None:
    """That run, if there still is one and it has failed."""
    try:
        found = runner().watch(run).run if run else None
    except KeyError:
        return None
    return found if found is not None and found.state == "failed" else None
