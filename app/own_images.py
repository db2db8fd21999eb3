"""People's own images: a zip or several pictures, made squares of one size and kept on the shelf under a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.bones.notes import notes
from app.memory import Memory
from dgm_core.data.images import available, keep, read_images
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamlit.runtime.uploaded_file_manager import UploadedFile

FILES = ["zip", "png", "jpg", "jpeg", "webp", "gif"]
SIDES = (16, 28, 32, 64)
LARGEST = 200
"""MiB of one file."""

TAKEN, KEPT = "dgm:taken:images", "dgm:kept:images"


def own_images(cls: type[Experiment], field: str = "data", dataset_field: str = "dataset") -> None:
    """Let the viewer upload images; the field then holds their key.

    Call it where the field has no widget of its own. Nothing is drawn while another data set is chosen.

    Args:
        cls: the topic's Experiment.
        field: that holds the key.
        dataset_field: that holds ``"own"`` while people's own images are chosen.
    """
    memory = Memory(cls)
    if memory.current(dataset_field) != "own":
        return
    if not memory.current(field) and st.session_state.get(KEPT):
        memory.remember({field: st.session_state[KEPT]})  # what this session uploaded for another topic, or before
        st.rerun()
    files = st.file_uploader(
        "A zip, or several pictures: PNG, JPEG, WebP or GIF", FILES, accept_multiple_files=True, key="images_files",
        max_upload_size=LARGEST,
    )  # fmt: skip
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        side = st.segmented_control(
            "Pixels a side", SIDES, default=28, required=True, key="images_side", help="Each becomes a square."
        )
    with right:
        colour = st.toggle("In colour", key="images_colour")
    if files:
        _take(memory, field, files, int(side or SIDES[1]), colour)
    elif missing := available("own", memory.current(field)):
        notes([missing])


def _take(memory: Memory, field: str, files: Sequence[UploadedFile], side: int, colour: bool) -> None:
    """Put images on the shelf once and their key into the field; what is wrong is said, the last good ones stay."""
    what = (*(file.file_id for file in files), side, colour)
    taken, note = st.session_state.get(TAKEN, (None, ""))
    if taken == what:
        notes([note] if note else [])
        return
    try:
        with st.spinner("Reading the images…"):
            read = read_images([(file.name, file) for file in files], side, colour)
            key = keep(read.images)
    except DataError as error:
        st.session_state[TAKEN] = (what, str(error))
        notes([str(error)])
        return
    st.session_state[TAKEN] = (what, read.note)
    st.session_state[KEPT] = key
    memory.remember({field: key})
    st.rerun()
