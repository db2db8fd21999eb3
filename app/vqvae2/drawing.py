"""Images drawn by the levels' laws, code by code, the top first; and lower levels drawn anew under kept ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from app import trained as store
from app.figures.montage import tiles
from app.trained import Trained
from app.vqvae2 import models
from app.vqvae2.board import Board
from app.vqvae2.pipeline import Drawn, Encoded, pipeline_board
from dgm_core.data.pixels import as_bytes, as_floats
from dgm_core.errors import DataError
from dgm_core.nn.threads import alone
from dgm_core.reel import Reel
from dgm_core.vqvae2.model import HierarchicalAutoencoder
from dgm_core.vqvae2.prior import HierarchicalPrior, as_law
from dgm_core.vqvae2.prior_maps import source_model
from dgm_core.vqvae2.sampling import draw_hierarchy
from dgm_core.vqvae2.sampling_film import moments, unfinished

COLUMNS, BOTTOMS = 8, 4
"""Images that are drawn side by side, and draws under each kept top."""
FRAMES = 100
"""Pictures of a drawing, at most; of many codes several are taken at a time."""
LAWS = {
    "paper": {2: ("PixelSNAIL", "PixelCNN, told the top"), 3: ("PixelSNAIL", "PixelCNN, told the top",
                                                              "PixelCNN, told both")},
    "printed": {2: ("PixelCNN++", "PixelSNAIL"), 3: ("PixelCNN++", "PixelCNN++", "PixelSNAIL")},
}  # fmt: skip
"""What each level's law is, in the paper and as the lecture prints it."""


@dataclass(frozen=True, eq=False)
class Sampled:
    """Images drawn by the laws.

    Args:
        encoded: an image of the set.
        drawn: the first new image.
        reel: all new images as they grow.
        images: (n, C, H, W) uint8.
        bits: of each new image's codes by the law itself, (n, L).
    """

    encoded: Encoded
    drawn: Drawn
    reel: Reel
    images: np.ndarray
    bits: np.ndarray


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=store.BY_NAME)
def sampled(
    trained: Trained, temperatures: tuple[float, ...], top_k: int, seed: int, image: int
) -> Sampled | str:  # fmt: skip
    """Draw images and decode them as they grow, or one sentence why that cannot be.

    Args:
        trained: the laws.
        temperatures: of each level, the top first.
        top_k: only so many likeliest codes; 0 for all.
        seed: of the noise.
        image: which held-out image is encoded beside.
    """
    found = _opened(trained)
    if isinstance(found, str):
        return found
    autoencoder, images = found
    law = as_law(store.model(trained))
    with alone():
        own = autoencoder.codes(as_floats(torch.tensor(images[image % len(images)][None])))
        ks = [min(top_k, codes) for codes in law.codes]
        generator = torch.Generator().manual_seed(seed)
        drawn = draw_hierarchy(law, COLUMNS, temperature=temperatures, top_k=ks, generator=generator)
        back = as_bytes(autoencoder.decode_codes(own)).numpy()[0]
    places, frames = growing(autoencoder, drawn.codes)
    maps = tuple(codes[0].numpy() for codes in drawn.codes)
    first = Drawn(
        maps, tuple(_table(level.probabilities) for level in drawn.levels),
        tuple(np.zeros(codes.size, bool) for codes in maps), places, frames[:, 0],
    )  # fmt: skip
    reel = Reel(places.astype(np.float64), tiles(frames)[:, None], time_label="codes drawn")
    bits = np.stack([-level.log_prob.numpy() / math.log(2) for level in drawn.levels], axis=1)
    encoded = Encoded(images[image % len(images)], back, tuple(codes[0].numpy() for codes in own))
    return Sampled(encoded, first, reel, frames[-1], bits)


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def pipeline(
    trained: Trained, temperatures: tuple[float, ...], top_k: int, seed: int, image: int, text: str
) -> Board | str:  # fmt: skip
    """The board of both stages; see `sampled`.

    Args:
        text: ``paper`` or ``printed``: whose words stand beside the laws.
    """
    found = sampled(trained, temperatures, top_k, seed, image)
    if isinstance(found, str):
        return found
    source = _source(trained)
    colours = models.colours_of(source) if source is not None else ()
    return pipeline_board(found.encoded, found.drawn, colours, LAWS[text][len(found.drawn.maps)])


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=store.BY_NAME)
def bottoms(trained: Trained, temperature: float, seed: int, first: int, kept: int) -> Reel | str:
    """Images whose upper codes are kept while the lower ones are drawn anew, as they grow; a column an image.

    Args:
        trained: the laws.
        temperature, seed: of the draw.
        first: where the images begin in the held-out set.
        kept: levels that are kept, from the top.
    """
    found = _opened(trained)
    if isinstance(found, str):
        return found
    autoencoder, images = found
    law, chosen = as_law(store.model(trained)), images[first : first + COLUMNS]
    with alone():
        own = autoencoder.codes(as_floats(torch.tensor(chosen)))
        given = [codes.repeat(BOTTOMS, 1, 1) if level < kept else None for level, codes in enumerate(own)]
        generator = torch.Generator().manual_seed(seed)
        drawn = draw_hierarchy(
            law, BOTTOMS * len(chosen), temperature=temperature, generator=generator, given=given, keep=False
        )
        back = as_bytes(autoencoder.decode_codes(own)).numpy()
    places, frames = growing(autoencoder, drawn.codes, kept)
    shown = tiles(frames)
    rows = shown.reshape(len(frames), BOTTOMS, len(chosen), *shown.shape[2:])
    fixed = np.broadcast_to(np.stack([tiles(chosen), tiles(back)]), (len(frames), 2, *tiles(chosen).shape))
    labels = ("image", "its own codes", *(f"draw {k + 1}" for k in range(BOTTOMS)))
    return Reel(places.astype(np.float64), np.concatenate([fixed, rows], axis=1), labels, time_label="codes known")


def growing(model: HierarchicalAutoencoder, codes: Sequence[Tensor], kept: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images while their codes are drawn: see `dgm_core.vqvae2.sampling_film.unfinished`.

    Args:
        model: decodes.
        codes: (n, h, w) of each level, the top first.
        kept: how many levels are there from the start.

    Returns:
        (T,) how many codes are there, the kept ones too; (T, n, C, H, W) uint8.
    """
    lengths = [maps[0].numel() for maps in codes]
    there = sum(lengths[:kept])
    places = np.array(moments(lengths[kept:], FRAMES), np.int64) + there
    return places, np.stack([unfinished(model, codes, int(place)).numpy() for place in places])


def _opened(trained: Trained) -> tuple[HierarchicalAutoencoder, np.ndarray] | str:
    """The hierarchy whose codes the laws know, and its held-out images, or why they are not there."""
    experiment = trained.experiment
    assert isinstance(experiment, HierarchicalPrior)
    try:
        declaration, model = source_model(experiment.source)
        return model, declaration.images().test
    except DataError as error:
        return str(error)


def _source(trained: Trained) -> Trained | None:
    """The hierarchy by name, as the caches know it."""
    experiment = trained.experiment
    assert isinstance(experiment, HierarchicalPrior)
    kind, _, name = experiment.source.partition(":")
    try:
        declaration, _ = source_model(experiment.source)
    except DataError:
        return None
    return Trained("shipped" if kind == "zoo" else "run", name, declaration)


def _table(probabilities: Tensor | None) -> np.ndarray:
    assert probabilities is not None
    found: np.ndarray = probabilities[0].numpy()
    return found
