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
        drawn = drawing_pad(key="pad", height=320)
        if drawn is not None and _is_new("pad", drawn.tobytes()):
            _keep(cls, field, lambda: put(drawn))
    with upload:
        file = st.file_uploader("N × 2 numbers: CSV, TSV, NPY or NPZ", POINT_FILES, key="points_file")
        if file is not None and _is_new("points_file", file.file_id):
            _keep(cls, field, lambda: put(standardise(read_points(file.name, file))[0]))


def own_image(cls: type[Experiment], field: str = "data") -> None:
    """Let the viewer upload a picture, whose ink is the density; the field then holds its key."""
    file = st.file_uploader("A picture: PNG, JPEG, WebP or GIF", IMAGE_FILES, key="image_file")
    if file is not None and _is_new("image_file", file.file_id):
        _keep(cls, field, lambda: put(read_image(file.name, file)))


def _is_new(key: str, what: object) -> bool:
    """Whether this input has not been taken yet; a rerun must not take it again."""
    slot = f"dgm:taken:{key}"
    new = st.session_state.get(slot) != what
    st.session_state[slot] = what
    return new


def _keep(cls: type[Experiment], field: str, make: Callable[[], str]) -> None:
    """Put data on the shelf and its key into the field; what is wrong is said, and the last good data stay."""
    try:
        key = make()
    except DataError as error:
        notes([str(error)])
        return
    Memory(cls).remember({field: key})
    st.rerun()
