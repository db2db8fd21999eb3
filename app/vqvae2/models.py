"""What answers for a trained hierarchy: its images through the levels, the colours of its codes, its reels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from app import trained as store
from app.services import runner
from app.trained import Trained
from app.vqvae2.board import Board
from app.vqvae2.boards import NAMES, PREFIXES, levels_board
from app.vqvae2.colours import code_colours
from dgm_core import zoo
from dgm_core.errors import DataError
from dgm_core.reel import Reel
from dgm_core.runs import Snapshot
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.levels import Levels, browse_levels
from dgm_core.vqvae2.model import HierarchicalAutoencoder
from dgm_core.vqvae2.reels import training_reel

FIRST = "vqvae2-shapes"
VIEW = "vqvae2_view"
SHOWN = 24
"""Images of the set to choose from."""


def declared(trained: Trained) -> VQVAE2:
    """The declaration of a trained hierarchy."""
    assert isinstance(trained.experiment, VQVAE2)
    return trained.experiment


def model_of(trained: Trained) -> HierarchicalAutoencoder:
    """The trained model; shared, so it must not be changed."""
    model = store.model(trained)
    assert isinstance(model, HierarchicalAutoencoder)
    return model


def images_of(trained: Trained) -> np.ndarray | str:
    """The held-out images, (N, C, H, W) uint8, or one sentence why they are not there."""
    try:
        return declared(trained).images().test
    except DataError as error:
        return str(error)


def prefixes(levels: int) -> tuple[str, ...]:
    """What the first 1, 2, … levels are called together."""
    return PREFIXES[levels]


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def colours_of(trained: Trained) -> tuple[np.ndarray, ...]:
    """A colour for each code of each level, (K, 3) uint8 each, the top first."""
    model = model_of(trained)
    return tuple(
        code_colours(model.quantiser(level).vectors().detach().numpy()) for level in range(model.levels)
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Shown:
    """Images through the levels, ready for the page.

    Args:
        found: what the model makes of them.
        board: for the stage.
        verdict: one line.
        own: how many of the images are the viewer's, at the front.
    """

    found: Levels
    board: Board
    verdict: str
    own: int


@st.cache_resource(show_spinner=False, max_entries=12, hash_funcs={**store.BY_NAME, np.ndarray: lambda x: x.tobytes()})
def images_through(trained: Trained, own: np.ndarray) -> Shown | str:
    """The viewer's pictures and the first held-out images through the model, or why neither is there.

    Args:
        trained: the hierarchy.
        own: (n, C, H, W) uint8, n may be 0.
    """
    images = images_of(trained)
    if isinstance(images, str) and not len(own):
        return images
    held_out = own[:0] if isinstance(images, str) else images[:SHOWN]
    found = browse_levels(model_of(trained), np.concatenate([own, held_out]))
    return Shown(found, _board(found, colours_of(trained)), verdict(found), len(own))


def _board(found: Levels, colours: tuple[np.ndarray, ...]) -> Board:
    return levels_board(
        found.images, found.reconstructions, found.differences, found.codes, colours, found.psnr, found.bits,
        found.scale,
    )  # fmt: skip


def verdict(found: Levels) -> str:
    """What each level costs and gives on the images shown, as one line of text."""
    names, mean = NAMES[found.levels], found.psnr.mean(0)
    parts = [f"the top alone {mean[0]:.1f} dB for {found.bits[0]:,.0f} bits"]
    for k in range(1, found.levels):
        parts.append(f"the {names[k]} adds {mean[k] - mean[k - 1]:.1f} dB for {found.bits[k]:,.0f} bits more")
    return f"Mean of {len(found.images)} images: {'; '.join(parts)}.".replace("-", "−")


def table(found: Levels) -> str:
    """What each level costs, alone and together, as a Markdown table."""
    rows = ["| level | codes | $h\\,w \\log_2 K$ | so far | by histogram | PSNR so far |", "|:--|--:|--:|--:|--:|--:|"]
    for k, name in enumerate(NAMES[found.levels]):
        h, w = found.codes[k].shape[1:]
        rows.append(
            f"| {name} | {h} × {w} | {found.bits[k]:,.0f} bits | {found.cumulative_bits[k]:,.0f} bits | "
            f"{found.entropy_bits[k]:,.0f} bits | {found.psnr[:, k].mean():.2f} dB |"
        )
    return "\n".join(rows)


def shape_of(trained: Trained) -> tuple[int, int, int]:
    """(C, H, W) of a hierarchy's images."""
    return model_of(trained).shape


@st.cache_resource(show_spinner=False, max_entries=12, hash_funcs=store.BY_NAME)
def finished_reel(trained: Trained) -> Reel | None:
    """What comes back from more and more of the levels over the training, where its pictures may be shipped."""
    if trained.source == "shipped":
        packed = zoo.artifact(trained.name, "training")
        return Reel.from_bytes(packed) if packed is not None else None
    previews = runner().store.previews(trained.name)
    return training_reel(previews) if previews else None


def live_reel(snapshot: Snapshot) -> Reel | None:
    """The same of a training so far; the same object as long as no new picture has come."""
    if snapshot.last_preview is None:
        return None
    return _so_far(snapshot.run.id, len(snapshot.previews), snapshot.last_preview[0])


@st.cache_resource(show_spinner=False, max_entries=48)
def _so_far(run: str, count: int, last: int) -> Reel:
    return training_reel(runner().watch(run).previews[:count])
