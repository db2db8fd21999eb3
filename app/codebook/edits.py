"""Edits of code maps, made in Python: what the images' maps have become, and which of them need a new picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from app.codebook.events import CodebookEvent, Edit
from app.codebook.view import CodebookView

Decode = Callable[[np.ndarray], np.ndarray]
"""Code maps (n, h, w) int64 → pictures (n, H, W) or (n, H, W, 3) uint8."""
Reassign = Callable[[np.ndarray], np.ndarray]
"""Which codes are left, (K,) bool, at least one → (B, h, w) the nearest of those to each encoder output."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What the edits have made of the images.

    Args:
        number: of the event that this answers.
        edits: the edits that were made.
        images: (n,) the images whose code map is no longer the model's.
        maps: (n, h, w) their maps now.
        pictures: (n, H, W) or (n, H, W, 3) uint8, those maps decoded.
    """

    number: int
    edits: tuple[Edit, ...]
    images: np.ndarray
    maps: np.ndarray
    pictures: np.ndarray


def apply_edits(maps: np.ndarray, edits: Sequence[Edit], codes: int, reassign: Reassign) -> np.ndarray:
    """Make the edits one after the other.

    Args:
        maps: (B, h, w) of the images shown.
        edits: oldest first.
        codes: K.
        reassign: called once for every code dropped.

    Returns:
        (B, h, w) int64.

    Example:
        >>> maps = np.array([[[0, 1, 1]]])
        >>> apply_edits(maps, [Edit("swap", (0, 1))], 3, lambda left: maps).tolist()
        [[[1, 0, 0]]]
    """
    made = np.array(maps, np.int64)
    left = np.ones(codes, bool)
    for edit in edits:
        if edit.kind == "paint":
            made[edit.image].reshape(-1)[list(edit.cells)] = edit.codes[0]
        elif edit.kind == "swap":
            one, other = (made == code for code in edit.codes)
            made[one], made[other] = edit.codes[1], edit.codes[0]
        else:
            left[edit.codes[0]] = False
            gone = made == edit.codes[0]
            made[gone] = reassign(left)[gone]
    return made


def answer(event: CodebookEvent, view: CodebookView, decode: Decode, reassign: Reassign) -> Answer | None:
    """The answer to an event, or None where nothing was ever edited.

    Args:
        event: from `app.codebook.browsed`.
        view: what is shown.
        decode: the model's decoder; called once, for the images that differ.
        reassign: the nearest codes among those that are left.
    """
    if not event.number:
        return None
    before = np.asarray(view.maps[: len(view.images)], np.int64)
    maps = apply_edits(before, event.edits, view.codes, reassign)
    images = np.flatnonzero((maps != before).any((1, 2)))
    pictures = decode(maps[images]) if len(images) else view.images[:0]
    return Answer(event.number, event.edits, images, maps[images], pictures)
