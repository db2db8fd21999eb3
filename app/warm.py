"""What the next visitor would wait for, done in the background once the first one has the page.

Streamlit runs nothing of the app before somebody comes, and the first page imports only what it shows itself.
"""

from __future__ import annotations

import gc
import importlib
import threading

import numpy as np
import streamlit as st

from app.services import runner

LATER = ("app.cnf.train", "app.cnf.compare", "app.cnf.check", "app.cnf.takeaway", "app.cnf.tries")
"""Modules of the pages, with all that they import: charts, codecs, solvers."""


@st.cache_resource(show_spinner=False)
def warm() -> threading.Thread:
    """Start the work, once a server; call it after the page has been drawn."""
    importlib.import_module("pandas")  # not in the thread: Altair would look at it while it is only half imported
    thread = threading.Thread(target=make_ready, name="warm", daemon=True)  # a daemon never holds the server's end
    thread.start()
    return thread


def make_ready() -> None:
    """Import the pages' modules, start the workers, build the first chart, and take all that out of garbage collection.

    Frozen objects are not looked at when Python collects garbage, so that reruns stay short.
    """
    for name in LATER:
        importlib.import_module(name)
    runner()
    from app.figures.training import training_curve

    for dark in (False, True):
        training_curve(np.zeros(0), np.zeros(0), 0.0, 1.0, dark=dark)
    gc.collect()
    gc.freeze()
