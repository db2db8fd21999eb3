"""Asking for views from a page: what fails says why, and is not tried for ever."""

from __future__ import annotations

import time

from streamlit.testing.v1 import AppTest

SECONDS = 60.0


def page() -> None:
    import numpy as np
    import streamlit as st

    from app.bones.asked import asked_for
    from app.services import runner
    from dgm_core.precision_recall.comparison import SetComparison
    from dgm_core.precision_recall.vectors import put

    wide, narrow = (put(np.random.default_rng(0).normal(size=(40, columns))) for columns in (8, 5))
    run = asked_for(SetComparison(real=f"vectors:{wide}", generated=f"vectors:{narrow}", embed="pixels"))
    assert run is not None
    snapshot = runner().watch(run.id)
    st.text(run.id)
    st.text(snapshot.state)
    st.text(snapshot.reason)


def test_a_view_that_fails_is_not_asked_for_again() -> None:
    app = AppTest.from_function(page, default_timeout=SECONDS).run()
    end = time.monotonic() + SECONDS
    while app.text[1].value != "failed" and time.monotonic() < end:
        time.sleep(0.2)
        app.run()
    first = app.text[0].value
    app.run()
    assert [text.value for text in app.text[:2]] == [first, "failed"]
    assert "8" in app.text[2].value
    assert "5" in app.text[2].value
