"""People's own data: drawn with the pointer, or read from a file, kept on the shelf under a key."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.bones.notes import notes
from app.memory import Memory
from app.pad import drawing_pad
from dgm_core.data.files import read_image, read_points, standardise
from dgm_core.data.shelf import put
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment

POINT_FILES = ["csv", "tsv", "txt", "npy", "npz"]
IMAGE_FILES = ["png", "jpg", "jpeg", "webp", "gif"]


def own_points(cls: type[Experiment], field: str = "data") -> None:
    """Let the viewer draw points or upload a file of N × 2 numbers; the field then holds their key."""
    draw, upload = st.tabs([":material/draw: Draw", ":material/upload: Upload"])
    with draw:
        drawn = drawing_pad(key="pad")
        if drawn is not None:
            _take(cls, field, "pad", drawn.tobytes(), lambda: put(drawn))
    with upload:
        file = st.file_uploader("N × 2 numbers: CSV, TSV, NPY or NPZ", POINT_FILES, key="points_file")
        if file is not None:
            _take(cls, field, "points", file.file_id, lambda: put(standardise(read_points(file.name, file)).points))


def own_image(cls: type[Experiment], field: str = "data") -> None:
    """Let the viewer upload a picture, whose ink is the density; the field then holds its key."""
    file = st.file_uploader("A picture: PNG, JPEG, WebP or GIF", IMAGE_FILES, key="image_file")
    if file is not None:
        _take(cls, field, "image", file.file_id, lambda: put(read_image(file.name, file), "image"))


def _take(cls: type[Experiment], field: str, source: str, what: object, make: Callable[[], str]) -> None:
    """Put data on the shelf once and their key into the field; what is wrong is said, and the last good data stay."""
    slot = f"dgm:taken:{source}"
    taken, complaint = st.session_state.get(slot, (None, ""))
    if taken == what:
        notes([complaint] if complaint else [])
        return
    try:
        key = make()
    except DataError as error:
        st.session_state[slot] = (what, str(error))
        notes([str(error)])
        return
    st.session_state[slot] = (what, "")
    Memory(cls).remember({field: key})
    st.rerun()
