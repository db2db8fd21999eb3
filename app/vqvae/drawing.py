"""Maps drawn or completed code by code, as reels, and what a map costs by a trained law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from app import trained as store
from app.eraser import mask_of
from app.services import runner
from app.trained import Trained
from app.vqvae.models import tiles
from dgm_core.errors import DataError
from dgm_core.nn.code_completion import complete
from dgm_core.nn.code_model import CodeModel, sharpened
from dgm_core.nn.threads import alone
from dgm_core.reel import Reel
from dgm_core.vqvae.browse import browse, decode
from dgm_core.vqvae.code_maps import source_model
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.prior import CodePrior

COLUMNS = 4
"""Maps that are drawn side by side."""
EMPTY = 96
"""The grey of what is not drawn yet."""


HELD_OUT = 200
"""Images to choose from."""
PARTICLES = 64
"""Maps that are drawn at once where codes are given that stand after missing ones."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """Maps that grow code by code.

    Args:
        reel: frames 0 … M, what is decoded of each map when so many of its M missing codes are drawn.
        cells: (M,) flat places of the codes drawn, in the order in which they are.
        codes: (M,) of the first map.
        probabilities: (M, K), what the law gave for each of them after those before it.
        fewest: how many of `PARTICLES` maps carried the weight where fewest did; None where nothing was weighed.
    """

    reel: Reel
    cells: np.ndarray
    codes: np.ndarray
    probabilities: np.ndarray
    fewest: float | None = None


@dataclass(frozen=True, eq=False)
class HeldOut:
    """An autoencoder and the code maps (N, h, w) of its held-out images."""

    model: QuantisedAutoencoder
    maps: torch.Tensor

    def image(self, index: int) -> np.ndarray:
        """What is decoded of one map, (H, W) or (H, W, 3) uint8."""
        shown: np.ndarray = tiles(decode(self.model, self.maps[index : index + 1].numpy()))[0]
        return shown


def finished(run: str) -> bool:
    """Whether a run is done."""
    return runner().watch(run).state == "done"


@st.cache_resource(show_spinner=False, max_entries=8, hash_funcs=store.BY_NAME)
def autoencoder(trained: Trained) -> tuple[VQVAE, QuantisedAutoencoder] | str:
    """Whose codes a law is of, or one sentence why it is not there."""
    experiment = trained.experiment
    assert isinstance(experiment, CodePrior)
    try:
        return source_model(experiment.source)
    except DataError as error:
        return str(error)


@st.cache_resource(show_spinner=False, max_entries=8, hash_funcs=store.BY_NAME)
def held_out(trained: Trained) -> HeldOut | str:
    """Maps that a law was not trained on, or one sentence why they are not there."""
    found = autoencoder(trained)
    if isinstance(found, str):
        return found
    declaration, model = found
    try:
        images = declaration.images().test[:HELD_OUT]
    except DataError as error:
        return str(error)
    return HeldOut(model, torch.from_numpy(browse(model, images).codes))


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def drawn(trained: Trained, temperature: float, top_k: int, seed: int) -> Drawing | str:
    """Draw new maps and decode them as they grow, or one sentence why that cannot be.

    Args:
        trained: the law.
        temperature, top_k, seed: of the draw.
    """
    law, found = _law(trained), autoencoder(trained)
    if isinstance(found, str):
        return found
    generator = torch.Generator().manual_seed(seed)
    maps = law.draw(COLUMNS, temperature, generator, top_k=min(top_k, law.codes), keep=False).codes
    return _drawing(law, found[1], maps, np.ones(law.grid, bool), temperature, top_k)


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def completed(trained: Trained, image: int, erased: str, temperature: float, top_k: int, seed: int) -> Drawing | str:
    """Complete a held-out map some of whose codes are erased, or one sentence why that cannot be.

    Args:
        trained: the law.
        image: which of the held-out maps.
        erased: the missing codes, as `app.eraser.word_of` writes them.
        temperature, top_k, seed: of the draw.
    """
    law, found = _law(trained), held_out(trained)
    if isinstance(found, str):
        return found
    missing = mask_of(erased, law.grid)
    assert missing is not None
    given = torch.where(torch.from_numpy(missing), -1, found.maps[image])
    generator, top_k, fewest = torch.Generator().manual_seed(seed), min(top_k, law.codes), None
    if _in_order(missing):  # then the law itself goes on, and no map weighs more than another
        maps = law.draw(COLUMNS, temperature, generator, top_k=top_k, given=given, keep=False).codes
    else:
        weighed = complete(
            law, given, COLUMNS, particles=PARTICLES, temperature=temperature, top_k=top_k, generator=generator
        )
        maps, fewest = weighed.codes, float(weighed.effective.min())
    return _drawing(law, found.model, maps, missing, temperature, top_k, fewest)


def bits_of(experiment: CodePrior) -> dict[str, float]:
    """The last figures in bits of a law that is trained (see `CodePrior.train`); empty where it is not."""
    trained = store.find(CodePrior(**experiment.model_dump()))
    if trained is None:
        return {}
    metrics = store.metrics(trained)
    return {name: float(values[~np.isnan(values)][-1]) for name, values in metrics.items() if name.startswith("bits")}


def _law(trained: Trained) -> CodeModel:
    law = store.model(trained)
    assert isinstance(law, CodeModel)
    return law


def _in_order(missing: np.ndarray) -> bool:
    """Whether every missing code stands after every given one, in raster order."""
    flat = missing.ravel()
    return bool((np.diff(flat.astype(int)) >= 0).all())


@torch.no_grad()
def _drawing(
    law: CodeModel, model: QuantisedAutoencoder, maps: torch.Tensor, missing: np.ndarray, temperature: float,
    top_k: int, fewest: float | None = None,
) -> Drawing:  # fmt: skip
    """Maps (n, h, w) as they grow by the missing codes, with the law of each of the first map's."""
    cells = np.flatnonzero(missing)
    with alone():
        law_of_all = sharpened(law.logits(maps[:1]).flatten(0, 2), temperature, top_k)
    frames = _growing(decode(model, maps.numpy()), missing)
    times = np.arange(len(cells) + 1, dtype=np.float64)
    return Drawing(
        Reel(times, frames, time_label="codes"), cells, maps[0].flatten().numpy()[cells], law_of_all.numpy()[cells],
        fewest,
    )  # fmt: skip


def _growing(images: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Whole images (n, C, H, W) as frames (T, 1, n, H, W[, 3]) on which one missing cell after the other is uncovered.

    Args:
        images: decoded whole maps.
        missing: (h, w) bool, cells that are covered at first.
    """
    count, _, height, width = images.shape
    (rows, columns), flat = missing.shape, missing.ravel()
    order = np.where(flat, np.cumsum(flat), 0).reshape(missing.shape)
    order = order.repeat(height // rows, 0).repeat(width // columns, 1)
    there = order[None] <= np.arange(int(flat.sum()) + 1)[:, None, None]
    frames = np.where(there[:, None, None], images[None], np.uint8(EMPTY))
    shown: np.ndarray = tiles(frames)[:, None]
    return shown.reshape(len(there), 1, count, *shown.shape[3:])
