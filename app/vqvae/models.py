"""What answers for a trained autoencoder: its images, what comes back, its atlas, its reels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from app import trained as store
from app.codebook import CodebookView
from app.figures.montage import tiles
from app.services import runner
from app.trained import Trained
from dgm_core import zoo
from dgm_core.data.images import INFO
from dgm_core.errors import DataError
from dgm_core.reel import Reel
from dgm_core.runs import Snapshot
from dgm_core.vqvae.atlas import CodeAtlas
from dgm_core.vqvae.browse import Browsed, browse, decode, drop
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.reels import UsageHistory, codebook_reel, training_reel, usage_history

SHOWN = 48
"""Images of the browser that are shown with their pixels."""


def declared(trained: Trained) -> VQVAE:
    """The declaration of a trained autoencoder."""
    assert isinstance(trained.experiment, VQVAE)
    return trained.experiment


def model_of(trained: Trained) -> QuantisedAutoencoder:
    """The trained model; shared, so it must not be changed."""
    model = store.model(trained)
    assert isinstance(model, QuantisedAutoencoder)
    return model


def images_of(trained: Trained) -> np.ndarray | str:
    """The held-out images, (N, C, H, W) uint8, or one sentence why they are not there."""
    try:
        return declared(trained).images().test
    except DataError as error:
        return str(error)


@st.cache_resource(show_spinner=False, max_entries=12, hash_funcs=store.BY_NAME)
def browsed_of(trained: Trained) -> Browsed | None:
    """The first held-out images through the model, or None where they are not there."""
    images = images_of(trained)
    return None if isinstance(images, str) else browse(model_of(trained), images[:SHOWN])


@dataclass(frozen=True, eq=False)
class Codebook:
    """A browser's view with what answers edits.

    Args:
        view: for the browser.
        atlas: of the whole set.
        browsed: the images shown.
    """

    view: CodebookView
    atlas: CodeAtlas
    browsed: Browsed


@st.cache_resource(show_spinner=False, max_entries=12)
def codebook_view(source: str, name: str, run: str, _trained: Trained, _atlas: bytes) -> Codebook | None:
    """The browser's view of a trained model.

    Args:
        source, name: of the trained model; with ``run`` they are the cache's key.
        run: of the atlas.
    """
    found = browsed_of(_trained)
    if found is None:
        return None
    atlas, history = CodeAtlas.from_bytes(_atlas), usage_of(_trained)
    h, w = atlas.codes.shape[1:]
    image, row, column = np.moveaxis(atlas.places, -1, 0)
    places = np.where(image >= 0, image * h * w + row * w + column, -1)
    view = CodebookView(
        tiles=tiles(atlas.tiles), usage=atlas.counts.astype(np.int64),
        batch_perplexity=float(atlas.batch_perplexity.mean()), set_perplexity=atlas.perplexity,
        positions=atlas.projection, outputs=atlas.outputs, owner=atlas.output_codes.astype(np.int64),
        neighbours=atlas.neighbours.astype(np.int64), images=tiles(found.images),
        reconstructions=tiles(found.reconstructions), maps=atlas.codes.astype(np.int64),
        first=found.first_distance, second=found.second_distance, patches=places,
        usage_over_training=history.counts if history is not None else None,
        steps=history.steps if history is not None else None, crops=tiles(atlas.patches),
        similarity=atlas.by_similarity.astype(np.int64),
    )  # fmt: skip
    return Codebook(view, atlas, found)


def decoded(trained: Trained, maps: np.ndarray) -> np.ndarray:
    """Code maps (n, h, w) as pictures (n, H, W) or (n, H, W, 3)."""
    return tiles(decode(model_of(trained), maps))


def without(trained: Trained, outputs: np.ndarray, left: np.ndarray) -> np.ndarray:
    """The nearest of the codes that are left, (K,) bool, to each output: (B, h, w)."""
    return drop(model_of(trained), outputs, set(np.flatnonzero(~left).tolist()))


@st.cache_resource(show_spinner=False, max_entries=12, hash_funcs=store.BY_NAME)
def usage_of(trained: Trained) -> UsageHistory | None:
    """How often each code was used over the training, or None where that is not known."""
    if trained.source == "shipped":
        packed = zoo.artifact(trained.name, "usage")
        return UsageHistory.from_bytes(packed) if packed is not None else None
    previews = runner().store.previews(trained.name)
    return usage_history(previews) if previews else None


@st.cache_resource(show_spinner=False, max_entries=12, hash_funcs=store.BY_NAME)
def finished_reels(trained: Trained) -> tuple[Reel, ...]:
    """Reconstructions, where their pictures may be shipped, and the codebook, over the training."""
    if trained.source == "shipped":
        found = (zoo.artifact(trained.name, name) for name in ("training", "codebook"))
        return tuple(Reel.from_bytes(packed) for packed in found if packed is not None)
    previews = runner().store.previews(trained.name)
    return (training_reel(previews), codebook_reel(previews)) if previews else ()


def live_reels(snapshot: Snapshot) -> tuple[Reel, ...]:
    """The same of a training so far; the same objects as long as no new picture has come."""
    if snapshot.last_preview is None:
        return ()
    return _so_far(snapshot.run.id, len(snapshot.previews), snapshot.last_preview[0])


@st.cache_resource(show_spinner=False, max_entries=48)
def _so_far(run: str, count: int, last: int) -> tuple[Reel, ...]:
    previews = runner().watch(run).previews[:count]
    return training_reel(previews), codebook_reel(previews)


def shape_of(experiment: VQVAE) -> tuple[int, int, int]:
    """(C, H, W) of the images of a declaration; (0, 0, 0) where one's own are not there."""
    known = INFO[experiment.dataset].shape if experiment.dataset in INFO else None
    if known is not None:
        return known
    try:
        return experiment.images().shape
    except DataError:
        return 0, 0, 0
