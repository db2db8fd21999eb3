"""People's own series: a file with the time in its first column, kept on the shelf under a key."""

from __future__ import annotations

import streamlit as st

from app.bones.notes import notes
from app.memory import Memory
from dgm_core.data.series_files import read_series
from dgm_core.data.shelf import put
from dgm_core.errors import DataError
from dgm_core.neural_ode.experiment import NeuralODE

FILES = ["csv", "tsv", "txt", "npy"]
KEPT, TAKEN = "dgm:kept:series", "dgm:taken:series"


def remembered(prefix: str) -> None:
    """Put this session's last series into the field where the settings ask for one and name none."""
    memory = Memory(NeuralODE, prefix)
    if memory.current("system") == "own" and not memory.current("data") and KEPT in st.session_state:
        memory.remember({"data": st.session_state[KEPT]})


def own_series(prefix: str) -> None:
    """Let the viewer upload a series; the field then holds its key. What is wrong is said, the last good one stays."""
    file = st.file_uploader(
        "t, then one column a variable; an empty cell is a gap", FILES, key="series_file",
        help="CSV, TSV, text or NPY; times increase from row to row.",
    )  # fmt: skip
    if file is None:
        return
    taken, complaint = st.session_state.get(TAKEN, (None, ""))
    if taken == file.file_id:
        notes([complaint] if complaint else [])
        return
    try:
        key = put(read_series(file.name, file).table(), "series")
    except DataError as error:
        st.session_state[TAKEN] = (file.file_id, str(error))
        notes([str(error)])
        return
    st.session_state[TAKEN] = (file.file_id, "")
    st.session_state[KEPT] = key
    Memory(NeuralODE, prefix).remember({"system": "own", "data": key})
    st.rerun()
