"""What answers for a trained discrete VAE: its reels, its opening figures, codes and their images."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from app import trained as store
from app.services import runner
from app.trained import Trained
from dgm_core import zoo
from dgm_core.errors import DataError
from dgm_core.gumbel import exhibit
from dgm_core.gumbel.elbo import independent_bernoulli
from dgm_core.gumbel.experiment import DiscreteVAE
from dgm_core.gumbel.opening import Opening
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.gumbel.vae_views import Codes, browse, decode, prior_samples, tiles, training_reel
from dgm_core.reel import Reel
from dgm_core.runs import Snapshot
from dgm_core.zoo.reels import large


def declared(trained: Trained) -> DiscreteVAE:
    """The declaration of a trained VAE."""
    return exhibit.declared(trained.experiment)


def model_of(trained: Trained) -> CategoricalVAE:
    """The trained model; shared, so it must not be changed."""
    return exhibit.trained(store.model(trained))


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def melting_reel(trained: Trained) -> Reel | None:
    """Reconstructions of ten held-out images as the temperature moves, or None where the training left none."""
    packed = store.artifact(trained, "melting")
    return Reel.from_bytes(packed) if packed is not None else None


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def opening(trained: Trained) -> Opening | None:
    """What was measured on the data set at the end of the training, or None."""
    packed = store.artifact(trained, "opening")
    return Opening.from_bytes(packed) if packed is not None else None


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def finished_training_reel(trained: Trained) -> Reel | None:
    """The reel of a finished training."""
    if trained.source == "shipped":
        return large(zoo.read(trained.name, exhibit.TRAINING))
    previews = runner().store.previews(trained.name)
    return training_reel(previews) if previews else None


def live_training_reel(snapshot: Snapshot) -> Reel | None:
    """The reel of a training so far; one object as long as no new picture has come, so that it is sent once."""
    if snapshot.last_preview is None:
        return None
    return _so_far(snapshot.run.id, len(snapshot.previews), snapshot.last_preview[0])


@st.cache_resource(show_spinner=False, max_entries=48)
def _so_far(run: str, count: int, last: int) -> Reel:
    return training_reel(runner().watch(run).previews[:count])


def codes_of(trained: Trained, column: int) -> Codes | None:
    """Logits and likeliest codes of one of the pictured images, or None."""
    found = opening(trained)
    if found is None:
        return None
    x = torch.from_numpy(found.seen[column : column + 1].copy()).float()
    return browse(model_of(trained), x, tau=1.0, seed=None)


def picture_of(trained: Trained, code: np.ndarray) -> np.ndarray:
    """The image of a code (N,): (H, W) or (H, W, 3) uint8."""
    return tiles(decode(model_of(trained), code[None]))[0]


def samples_of(trained: Trained, n: int, seed: int) -> np.ndarray:
    """Images of n codes from the prior: (n, H, W) or (n, H, W, 3) uint8."""
    return tiles(prior_samples(model_of(trained), n, seed)[1])


@st.cache_data(show_spinner=False, max_entries=64)
def baseline(experiment: DiscreteVAE) -> float:
    """Mean log-likelihood of independent Bernoulli pixels on the held-out images, nats; NaN where these are missing."""
    try:
        images = experiment.images()
    except DataError:
        return float("nan")
    return float(independent_bernoulli(images.held_out, images.mean).mean())
