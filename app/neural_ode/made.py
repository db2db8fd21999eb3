"""What a view makes in a worker, drawn once it is there; until then the last one stays."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import trained as store
from app.bones.asked import asked_for
from app.bones.notes import notes
from app.services import runner
from app.trained import Trained
from dgm_core.views import View

POLL = 0.2


def made(view: View, key: str, draw: Callable[[Trained], None]) -> Trained | None:
    """Ask for a view and draw what it makes.

    Args:
        view: equal views share one run.
        key: of the place on the page, under which the last one is remembered.
        draw: called with what answers, inside a fragment.

    Returns:
        What is shown: the view's run, or the one that was shown before.
    """
    run, slot = asked_for(view), f"dgm:neural_ode:{key}"
    if run is None:
        return st.session_state.get(slot)
    live = runner().watch(run.id).live

    @st.fragment(run_every=POLL if live else None)
    def place() -> None:
        snapshot = runner().watch(run.id)
        if snapshot.state == "done":
            st.session_state[slot] = Trained("run", run.id, view)
        elif not snapshot.live:
            notes([snapshot.reason])
        shown: Trained | None = st.session_state.get(slot)
        if shown is None:
            st.caption("The first picture comes in a moment.")
        else:
            draw(shown)
        if live and not snapshot.live:
            st.rerun()

    place()
    return st.session_state.get(slot)


def packed(shown: Trained, name: str) -> bytes | None:
    """One of the things that it made."""
    return store.artifact(shown, name)
