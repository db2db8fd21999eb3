"""A table of checks that a view measures in a worker: drawn once it is there, kept for everyone who asks again."""

from __future__ import annotations

import streamlit as st

from app import trained as store
from app.bones.asked import asked_for
from app.bones.check_table import check_table
from app.bones.notes import notes
from app.services import runner
from app.trained import Trained
from dgm_core.checks import read_checks
from dgm_core.views import View

POLL = 0.5


def measured_checks(view: View, *, key: str = "check") -> None:
    """Draw the table that a view makes as its artifact ``checks``.

    Args:
        view: what is measured; equal views share one measurement.
        key: unique on the page.
    """
    run = asked_for(view)
    if run is None:
        return
    live = runner().watch(run.id).live

    @st.fragment(run_every=POLL if live else None)
    def table() -> None:
        snapshot = runner().watch(run.id)
        if snapshot.state == "done":
            check_table(read_checks(store.artifact(Trained("run", run.id, view), "checks") or b"[]"))
        elif snapshot.live:
            st.caption("Measuring…")
        else:
            notes([snapshot.reason])
        if live and not snapshot.live:
            st.rerun()

    with st.container(key=f"measured_{key}"):
        table()
