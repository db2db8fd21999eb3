"""Upper levels of some images with lower levels of others, decoded at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from app import trained as store
from app.figures.montage import montage, tiles
from app.trained import Trained
from app.vqvae2 import models
from app.vqvae2.board import Board
from app.vqvae2.boards import NAMES, mix_board
from dgm_core.vqvae2.levels import mix

ROWS, COLUMNS = 5, 6
"""Images A and images B of the grid."""


@dataclass(frozen=True, eq=False)
class Mixed:
    """A grid of mixtures.

    Args:
        board: for the page.
        pictures: (R, S, C, H, W) uint8.
        upper, lower: names of the levels.
        changed: the mean share of lower codes that are not those that B has by itself.
    """

    board: Board
    pictures: np.ndarray
    upper: str
    lower: str
    changed: float


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def mixed(trained: Trained, kept: int, first: int, second: int, again: bool) -> Mixed | str:
    """The grid, or one sentence why it cannot be.

    Args:
        trained: the hierarchy.
        kept: how many levels of A are kept, from the top.
        first, second: where A's and B's images begin.
        again: B's lower codes are chosen anew, as they are when A's codes stand above them.
    """
    images = models.images_of(trained)
    if isinstance(images, str):
        return images
    rows, columns = images[first : first + ROWS], images[second : second + COLUMNS]
    if not (len(rows) and len(columns)):
        return f"The set has {len(images)} held-out images; begin with an earlier one."
    count, across = len(rows), len(columns)
    found = mix(
        models.model_of(trained), rows.repeat(across, 0), np.concatenate([columns] * count), kept=kept, requantise=again
    )
    pictures = found.pictures.reshape(count, across, *found.pictures.shape[1:])
    names = NAMES[models.declared(trained).levels]
    upper, lower = " and ".join(names[:kept]), " and ".join(names[kept:])
    changed = float(found.changed.mean())
    return Mixed(mix_board(rows, columns, pictures, upper, lower), pictures, upper, lower, changed)


def sheet(pictures: np.ndarray) -> np.ndarray:
    """The grid as one picture: (R, S, C, H, W) → (height, width, 3) uint8."""
    count, across = pictures.shape[:2]
    return montage(tiles(pictures.reshape(count * across, *pictures.shape[2:])), columns=across, dark=True)
