"""Which film answers for which settings: shipped, of a finished run, of a training as it grows, or made on demand."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from app import trained as store
from app.services import runner
from app.trained import Trained
from dgm_core.cnf import exhibit
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.cnf.film import EXTENT
from dgm_core.cnf.training_film import training_film
from dgm_core.cnf.views import FlowFilm
from dgm_core.data.shelf import target_of
from dgm_core.film import Film, lattice
from dgm_core.runs import Snapshot

SHOWN_POINTS = 1000


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def flow_film(trained: Trained) -> Film | None:
    """The film of p_t that was made at the end of a training, or None where there is none."""
    if trained.source == "shipped":
        return exhibit.film(trained.name)
    packed = store.artifact(trained, "film")
    return Film.from_bytes(packed) if packed is not None else None


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def flow_density(trained: Trained) -> Film | None:
    """`flow_film` without what moves in it: less than half the bytes, for players that show the density alone."""
    film = flow_film(trained)
    return None if film is None else Film(film.times, film.log_prob, film.extent)


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def finished_training_film(trained: Trained) -> Film | None:
    """The film of a finished training."""
    if trained.source == "shipped":
        return exhibit.training_film(trained.name)
    previews = runner().store.previews(trained.name)
    return training_film(previews) if previews else None


def live_training_film(snapshot: Snapshot) -> Film | None:
    """The film of a training so far; one object as long as no new picture has come, so that it is sent once."""
    if snapshot.last_preview is None:
        return None
    return _so_far(snapshot.run.id, len(snapshot.previews), snapshot.last_preview[0])


@st.cache_resource(show_spinner=False, max_entries=48)
def _so_far(run: str, count: int, last: int) -> Film:
    return training_film(runner().watch(run).previews[:count])


def declared(trained: Trained) -> DensityFlow:
    """The declaration of a trained flow."""
    assert isinstance(trained.experiment, DensityFlow)
    return trained.experiment


@st.cache_data(show_spinner=False, max_entries=64)
def data_points(flow: DensityFlow) -> np.ndarray:
    """Points of the target, (1000, 2)."""
    return target_of(flow.target, flow.word, flow.data).sample(SHOWN_POINTS, flow.seed).numpy()


@st.cache_resource(show_spinner=False, max_entries=24)
def target_film(flow: DensityFlow) -> Film:
    """The target as a film of one moment: its density where that is known, else its points alone."""
    target, extent = target_of(flow.target, flow.word, flow.data), EXTENT
    cells = torch.from_numpy(lattice(extent, 128, 128)).reshape(-1, 2)
    flat = torch.zeros(len(cells)) if target.log_prob is None else target.log_prob(cells)
    log_prob = flat.clamp_min(-60).reshape(128, 128).float().numpy()
    return Film(np.array([0.0, 1.0]), np.stack([log_prob, log_prob]), extent)


def view_film(view: FlowFilm) -> tuple[Film | None, Snapshot]:
    """A film made on demand in a worker, as far as it is, and the run that makes it."""
    run = runner().submit(view)
    snapshot = runner().watch(run.id)
    if snapshot.state == "done":
        return _finished_view(run.id), snapshot
    frames = [arrays["log_prob"] for _, arrays in snapshot.previews]
    return (_growing_view(run.id, len(frames), view.frames) if len(frames) > 1 else None), snapshot


@st.cache_resource(show_spinner=False, max_entries=24)
def _finished_view(run: str) -> Film:
    return Film.from_bytes(runner().store.load_artifact(run, "film"))


@st.cache_resource(show_spinner=False, max_entries=24)
def _growing_view(run: str, count: int, frames: int) -> Film:
    previews = runner().watch(run).previews[:count]
    pictures = np.stack([arrays["log_prob"] for _, arrays in previews]).astype(np.float32)
    return Film(np.linspace(0.0, 1.0, frames)[:count], pictures, EXTENT)
