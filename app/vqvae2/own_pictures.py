"""Pictures that a person brings to a trained model: made squares of its size, kept on the shelf so that a link names
them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from app.bones.notes import notes
from dgm_core.data.images import keep
from dgm_core.data.images.areas import area_means
from dgm_core.data.images.sources import shown
from dgm_core.data.images.squares import LUMINANCE, square
from dgm_core.data.shelf import images_of
from dgm_core.errors import DataError

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

FILES = ["png", "jpg", "jpeg", "webp", "gif"]
PARAMETER = "picture"
"""Of the link; its value is the key on the shelf."""
SIDE, MOST = 64, 8
"""Pixels a side under which pictures are kept, and the most pictures that are shown."""
LARGEST = 20
"""MiB of one file."""
_TAKEN = "dgm:vqvae2:taken"


def brought(shape: tuple[int, int, int]) -> np.ndarray:
    """The pictures that the link names, as a model takes them; none where they are not on this machine.

    Args:
        shape: (C, H, W) of the model's images.

    Returns:
        (n, C, H, W) uint8.
    """
    try:
        return fitted(images_of(st.query_params.get(PARAMETER, "")), shape)
    except DataError:
        return np.zeros((0, *shape), np.uint8)


def upload() -> None:
    """Let the viewer bring pictures; what is wrong with one, or with the link, is said in a sentence."""
    key = st.query_params.get(PARAMETER, "")
    with st.expander("Your own picture", icon=":material/add_photo_alternate:", expanded=bool(key)):
        files = st.file_uploader(
            "PNG, JPEG, WebP or GIF", FILES, accept_multiple_files=True, key="own_picture", max_upload_size=LARGEST,
            label_visibility="collapsed",
        )  # fmt: skip
        if files:
            _take(files)
        if not key:
            return
        try:
            images_of(key)
        except DataError as error:
            notes([str(error)])
        st.button("Without it", icon=":material/close:", on_click=_forget, type="tertiary")


def fitted(images: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Kept squares at a model's size and in its channels, none twice.

    Args:
        images: (N, 1 or 3, S, S) uint8.
        shape: (C, H, W) wanted.

    Returns:
        (n, C, H, W) uint8, n ≤ `MOST`.
    """
    channels, height, width = shape
    _, first = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    found = []
    for image in images[np.sort(first)][:MOST]:
        pixels = np.moveaxis(image, 0, -1).astype(np.float32)
        if pixels.shape[-1] != channels:
            pixels = (pixels @ LUMINANCE)[..., None] if channels == 1 else np.repeat(pixels, channels, axis=-1)
        side = max(height, width)
        square = area_means(pixels, 0, 0, pixels.shape[0], side)
        top, left = (side - height) // 2, (side - width) // 2
        found.append(np.moveaxis(square[top : top + height, left : left + width], -1, 0))
    return np.rint(np.stack(found)).clip(0, 255).astype(np.uint8)


def _take(files: Sequence[UploadedFile]) -> None:
    """Put the pictures on the shelf once and their key into the link; what is wrong is said, the others count."""
    what = tuple(file.file_id for file in files)
    taken, complaints = st.session_state.get(_TAKEN, (None, []))
    if taken == what:
        notes(complaints)
        return
    images, complaints = read([(file.name, file.getvalue()) for file in files])
    if images:
        try:
            # A set on the shelf has two images or more; `fitted` counts the same one once.
            st.query_params[PARAMETER] = keep(np.stack(images if len(images) > 1 else 2 * images))
        except DataError as error:
            complaints.append(str(error))
    st.session_state[_TAKEN] = (what, complaints)
    st.rerun()


def read(files: Sequence[tuple[str, bytes]]) -> tuple[list[np.ndarray], list[str]]:
    """Squares of the first `MOST` pictures, (3, `SIDE`, `SIDE`) uint8 each, and a sentence for each that is none.

    Args:
        files: names and contents.
    """
    images: list[np.ndarray] = []
    complaints = [f"Only the first {MOST} of {len(files)} pictures are shown."] if len(files) > MOST else []
    for name, content in files[:MOST]:
        try:
            images.append(square(shown(name), content, SIDE, True, lambda pixels: None))
        except DataError as error:
            complaints.append(str(error))
    return images, complaints


def _forget() -> None:
    if PARAMETER in st.query_params:
        del st.query_params[PARAMETER]
