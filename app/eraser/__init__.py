"""The eraser: a Streamlit component on which the cells of an image are erased, and restored, with the pointer."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app.eraser.mask import lower_half, mask_of, validated, word_of
from app.theme import in_classroom

__all__ = ["eraser", "lower_half", "mask_of", "validated", "word_of"]

HERE = Path(__file__).parent
SIDE = 224
"""CSS pixels of the image's longer side."""


def eraser(image: np.ndarray, erased: np.ndarray, *, key: str, alt: str) -> np.ndarray:
    """Show an image whose cells can be erased; a stroke is told when the pointer is lifted.

    Args:
        image: (H, W) uint8, grey, or (H, W, 3) uint8, RGB.
        erased: (h, w) bool, what is erased until the user says otherwise, or the grid changes.
        key: the eraser's name on the page.
        alt: one sentence that says what is shown, for those who do not see it.

    Returns:
        (h, w) bool: what is erased now.

    Raises:
        ValueError: when this is no image, or no mask.
    """
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
        raise ValueError(f"an image is (H, W) or (H, W, 3) uint8; this is {pixels.shape} {pixels.dtype}")
    if erased.ndim != 2 or erased.dtype != bool:
        raise ValueError(f"a mask is (h, w) bool; this is {erased.shape} {erased.dtype}")
    if pixels.ndim == 2:
        pixels = pixels[..., None].repeat(3, -1)
    rows, columns = erased.shape
    known = mask_of(st.session_state.get(_slot(key)), (rows, columns))
    now = erased if known is None else known
    _eraser(
        key=key,
        data={
            "pixels": base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode(), "alt": alt, "side": SIDE,
            "height": pixels.shape[0], "width": pixels.shape[1], "rows": rows, "columns": columns,
            "erased": np.flatnonzero(now).tolist(), "classroom": in_classroom(),
        },
        on_erased_change=lambda: _heard(key, (rows, columns)),
    )  # fmt: skip
    return now


def _slot(key: str) -> str:
    return f"dgm:eraser:{key}"


def _heard(key: str, grid: tuple[int, int]) -> None:
    """Keep what the browser has told, unless it is no mask of this grid."""
    state = st.session_state.get(key)
    told = validated(state.get("erased") if isinstance(state, Mapping) else None, grid)
    if told is not None:
        st.session_state[_slot(key)] = word_of(told)


_eraser: Any = st.components.v2.component(
    "dgm_eraser",
    html=(HERE / "eraser.html").read_text("utf-8"),
    css=(HERE / "eraser.css").read_text("utf-8"),
    js=(HERE / "eraser.js").read_text("utf-8"),
)
