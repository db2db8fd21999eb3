"""People's own data: drawn with the pointer, or read from a file, kept on the shelf under a key."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from app.bones.notes import notes
from app.memory import Memory
from app.pad import drawing_pad, sent_at
from dgm_core.data.files import read_image, read_points, standardise
from dgm_core.data.shelf import Kind, get, put
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment

POINT_FILES = ["csv", "tsv", "txt", "npy", "npz"]
IMAGE_FILES = ["png", "jpg", "jpeg", "webp", "gif"]


def match_kind(cls: type[Experiment], kind: Kind, field: str = "data") -> None:
    """Where the field names data of the other kind, put this session's last of this kind there, or none.

    Call it before the controls are read, so that points and pictures are never taken for each other.
    """
    key = Memory(cls).current(field)
    try:
        matches = bool(key) and get(key).kind == kind
    except DataError:
        return  # not on this machine; the page says so
    if not matches:
        Memory(cls).remember({field: st.session_state.get(f"dgm:kept:{kind}", "")})


def own_points(cls: type[Experiment], field: str = "data", *, name: str = "") -> None:
    """Let the viewer draw points or upload a file of N × 2 numbers; the field then holds their key.

    Args:
        cls: what declares the field.
        field: its name.
        name: set where a page asks for points more than once.
    """
    pad, points_file = f"pad{name}", f"points_file{name}"
    draw, upload = st.tabs([":material/draw: Draw", ":material/upload: Upload"])
    with draw:
        drawn = drawing_pad(key=pad)
        if drawn is not None:
            _take(cls, field, pad, "points", sent_at(pad), lambda: drawn)
    with upload:
        file = st.file_uploader("N × 2 numbers: CSV, TSV, NPY or NPZ", POINT_FILES, key=points_file)
        if file is not None:
            _take(
                cls, field, points_file, "points", file.file_id,
                lambda: standardise(read_points(file.name, file)).points,
            )  # fmt: skip


def own_image(cls: type[Experiment], field: str = "data") -> None:
    """Let the viewer upload a picture, whose ink is the density; the field then holds its key."""
    file = st.file_uploader("A picture: PNG, JPEG, WebP or GIF", IMAGE_FILES, key="image_file")
    if file is not None:
        _take(cls, field, "image_file", "image", file.file_id, lambda: read_image(file.name, file))


def _take(
    cls: type[Experiment], field: str, source: str, kind: Kind, what: object, make: Callable[[], np.ndarray]
) -> None:
    """Put data on the shelf once and their key into the field; what is wrong is said, and the last good data stay."""
    slot = f"dgm:taken:{source}"
    taken, complaint = st.session_state.get(slot, (None, ""))
    if taken == what:
        notes([complaint] if complaint else [])
        return
    try:
        key = put(make(), kind)
    except DataError as error:
        st.session_state[slot] = (what, str(error))
        notes([str(error)])
        return
    st.session_state[slot] = (what, "")
    st.session_state[f"dgm:kept:{kind}"] = key
    Memory(cls).remember({field: key})
    st.rerun()
