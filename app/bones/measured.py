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
FIRST, HEAD, ROW = 10, 24, 41
"""Rows of a table that nobody has seen yet; CSS pixels of its last line beyond the caption's, and of a row."""


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
            checks = read_checks(store.artifact(Trained("run", run.id, view), "checks") or b"[]")
            rows_seen()[type(view).__name__] = len(checks)
            check_table(checks)
        elif snapshot.live:
            st.caption("Measuring…")
            st.space(HEAD + ROW * rows_seen().get(type(view).__name__, FIRST))  # what is below stays where it is
        else:
            notes([snapshot.reason])
        if live and not snapshot.live:
            st.rerun()

    with st.container(key=f"measured_{key}"):
        table()


@st.cache_resource(show_spinner=False)
def rows_seen() -> dict[str, int]:
    """How many rows the last table of each kind had."""
    return {}
