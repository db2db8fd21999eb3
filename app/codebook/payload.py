"""A codebook's view as the few bytes that the browser reads: once for all that stands, a little for what is edited."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from app.codebook.edits import Answer
from app.codebook.order import similarity_order
from app.codebook.view import CodebookView
from app.film.payload import positions
from dgm_core.pack import pack


@dataclass(frozen=True)
class BookBytes:
    """A view ready to send: its compressed bytes and the digest by which the browser knows it again."""

    packed: bytes
    digest: str


def encode(view: CodebookView) -> BookBytes:
    """Pack and compress a view; the same object is encoded once."""
    known = _encoded.get(id(view))
    if known is not None and known[0]() is view:
        return known[1]
    packed = pack(_facts(view), _arrays(view), compress=True)
    made = BookBytes(packed, hashlib.blake2b(packed, digest_size=12).hexdigest())
    key = id(view)
    _encoded[key] = (weakref.ref(view, lambda _: _encoded.pop(key, None)), made)
    return made


def message(book: BookBytes | None, options: Mapping[str, Any], answered: Answer | None) -> bytes:
    """Everything for one call of the browser.

    Args:
        book: None when the browser already holds what ``options["digest"]`` names.
        options: JSON-serialisable; ``answer`` is added.
        answered: what the edits have made of the images, or None.
    """
    arrays: dict[str, np.ndarray] = {}
    told: dict[str, Any] | None = None
    if answered is not None:
        told = {"number": answered.number, "edits": [asdict(edit) for edit in answered.edits]}
        arrays["changed"] = answered.images.astype(np.int32)
        arrays["changed_maps"] = answered.maps.astype(np.uint16)
        arrays["changed_pictures"] = np.asarray(answered.pictures, np.uint8)
    if book is not None:
        arrays["book"] = np.frombuffer(book.packed, np.uint8)
    return pack({**options, "answer": told}, arrays)


_encoded: dict[int, tuple[weakref.ref[CodebookView], BookBytes]] = {}


def _facts(view: CodebookView) -> dict[str, Any]:
    return {
        "batch_perplexity": float(view.batch_perplexity),
        "set_perplexity": float(view.set_perplexity),
        "colour": view.colour,
    }


def _arrays(view: CodebookView) -> dict[str, np.ndarray]:
    """Codes travel as two bytes each, places in the projection in half precision, distances of the shown images only.

    The projection is centred and scaled first, so that half precision is a two-thousandth of it.
    """
    shown = len(view.images)
    both = np.concatenate([view.positions, view.outputs]).astype(np.float64)
    both = both[np.isfinite(both).all(1)] if len(both) else both
    centre = (both.max(0) + both.min(0)) / 2 if len(both) else np.zeros(2)
    size = float(np.ptp(both, axis=0).max()) if len(both) else 0.0
    similarity = similarity_order(view.tiles) if view.similarity is None else view.similarity
    arrays = {
        "tiles": view.tiles,
        "usage": view.usage.astype(np.float64),
        "positions": positions((view.positions - centre) / (size or 1.0)),
        "outputs": positions((view.outputs - centre) / (size or 1.0)),
        "owner": view.owner.astype(np.uint16),
        "neighbours": view.neighbours.astype(np.int32),
        "images": view.images,
        "reconstructions": view.reconstructions,
        "maps": view.maps.astype(np.uint16),
        "first": view.first[:shown].astype(np.float32),
        "second": view.second[:shown].astype(np.float32),
        "patches": view.patches.astype(np.int32),
        "similarity": np.asarray(similarity, np.int32),
    }
    if view.crops is not None:
        arrays["crops"] = view.crops
    if view.usage_over_training is not None and view.steps is not None:
        arrays["history"] = view.usage_over_training.astype(np.float32)
        arrays["steps"] = view.steps.astype(np.float64)
    return arrays
