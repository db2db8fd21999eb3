"""Maps drawn code by code, as reels, and what a map costs by a trained law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from app import trained as store
from app.services import runner
from app.trained import Trained
from app.vqvae.models import tiles
from dgm_core.errors import DataError
from dgm_core.nn.code_model import CodeModel
from dgm_core.reel import Reel
from dgm_core.vqvae.browse import decode
from dgm_core.vqvae.code_maps import code_maps, source_model
from dgm_core.vqvae.prior import CodePrior

COLUMNS = 4
"""Maps that are drawn side by side."""
EMPTY = 96
"""The grey of what is not drawn yet."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """Maps that grow code by code.

    Args:
        reel: frames 0 … h w, what is decoded of each map so far.
        codes: (h w,) of the first map.
        probabilities: (h w, K), what each of them was drawn from.
        given: how many codes at the start were given.
        length: h w.
    """

    reel: Reel
    codes: np.ndarray
    probabilities: np.ndarray
    given: int
    length: int


def finished(run: str) -> bool:
    """Whether a run is done."""
    return runner().watch(run).state == "done"


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def drawn(trained: Trained, temperature: float, top_k: int, seed: int, half: bool) -> Drawing | str:
    """Draw maps and decode them as they grow, or one sentence why that cannot be.

    Args:
        trained: the law.
        temperature, top_k, seed: of the draw.
        half: the upper halves are those of held-out images.
    """
    experiment, law = trained.experiment, store.model(trained)
    assert isinstance(experiment, CodePrior)
    assert isinstance(law, CodeModel)
    try:
        declaration, model = source_model(experiment.source)
        given = _upper_halves(code_maps(model, declaration.images()).test[:COLUMNS]) if half else None
    except DataError as error:
        return str(error)
    generator = torch.Generator().manual_seed(seed)
    found = law.draw(COLUMNS, temperature, generator, top_k=min(top_k, law.codes), given=given)
    assert found.probabilities is not None
    start = 0 if given is None else int((given[0] >= 0).sum())
    frames = _growing(decode(model, found.codes.numpy()), law.grid, start)
    times = np.arange(start, law.length + 1, dtype=np.float64)
    return Drawing(
        Reel(times, frames, time_label="codes"), found.codes[0].flatten().numpy(), found.probabilities[0].numpy(),
        start, law.length,
    )  # fmt: skip


def bits_of(experiment: CodePrior) -> dict[str, float]:
    """The last figures in bits of a law that is trained (see `CodePrior.train`); empty where it is not."""
    trained = store.find(CodePrior(**experiment.model_dump()))
    if trained is None:
        return {}
    metrics = store.metrics(trained)
    return {name: float(values[~np.isnan(values)][-1]) for name, values in metrics.items() if name.startswith("bits")}


def _upper_halves(maps: torch.Tensor) -> torch.Tensor:
    """Maps (n, h, w) with −1 in their lower half."""
    given = maps.clone()
    given[:, maps.shape[1] // 2 :] = -1
    return given


def _growing(images: np.ndarray, grid: tuple[int, int], start: int) -> np.ndarray:
    """Whole images (n, C, H, W) as frames (T, 1, n, H, W[, 3]) on which one more cell after the other is uncovered."""
    count, _, height, width = images.shape
    rows, columns = grid
    order = np.arange(rows * columns).reshape(grid).repeat(height // rows, 0).repeat(width // columns, 1)
    there = order[None] < np.arange(start, rows * columns + 1)[:, None, None]
    frames = np.where(there[:, None, None], images[None], np.uint8(EMPTY))
    shown: np.ndarray = tiles(frames)[:, None]
    return shown.reshape(len(there), 1, count, *shown.shape[3:])
