"""The Check section: what theory fixes beside what the shown flow gives, measured in a worker."""

from __future__ import annotations

import streamlit as st

from app import trained as store
from app.bones.notes import notes
from app.cnf.films import seen_by_view
from app.furniture import check_table
from app.services import runner
from app.trained import Trained
from dgm_core.cnf.views import FlowChecks, read_checks


def check(trained: Trained) -> None:
    """Draw the table for the flow shown; it is measured once and kept."""
    view = FlowChecks(**seen_by_view(trained))
    run = runner().submit(view)
    live = runner().watch(run.id).live

    @st.fragment(run_every=0.5 if live else None)
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

    table()
