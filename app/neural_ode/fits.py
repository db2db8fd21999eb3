"""What answers for a fitted field: its curves, its film, the truth where it is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from app import trained as store
from app.neural_ode.drawing import fit_film, fit_view, span_of
from app.phase import PhaseView
from app.services import runner
from app.trained import Trained
from dgm_core import zoo
from dgm_core.errors import DataError
from dgm_core.neural_ode.experiment import NeuralODE
from dgm_core.neural_ode.fitting import Fit, moments_of, window
from dgm_core.neural_ode.reels import FitPictures, fit_pictures
from dgm_core.neural_ode.spiral import SYSTEMS, solution
from dgm_core.runs import Snapshot


def declared(trained: Trained) -> NeuralODE:
    """The declaration of a fit."""
    assert isinstance(trained.experiment, NeuralODE)
    return trained.experiment


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def fit_of(trained: Trained) -> Fit | None:
    """What the training left; None where it left none."""
    packed = store.artifact(trained, "fit")
    return Fit.from_bytes(packed) if packed is not None else None


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def view_of(trained: Trained) -> PhaseView | None:
    """The fit as the phase plane shows it."""
    fit = fit_of(trained)
    if fit is None:
        return None
    system = declared(trained).system
    return fit_view(fit, solution(system, fit.times) if system in SYSTEMS else None)


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def finished_film(trained: Trained) -> PhaseView | None:
    """The film of a finished training."""
    if trained.source == "shipped":
        return _film(FitPictures.from_bytes(zoo.read(trained.name, "training.bin")), declared(trained))
    previews = runner().store.previews(trained.name)
    return _film(fit_pictures(previews), declared(trained)) if previews else None


def live_film(snapshot: Snapshot, experiment: NeuralODE) -> PhaseView | None:
    """The film of a training so far; one object as long as no new picture has come, so that it is sent once."""
    if snapshot.last_preview is None:
        return None
    return _growing(snapshot.run.id, len(snapshot.previews), snapshot, experiment)


@st.cache_resource(show_spinner=False, max_entries=4)
def _growing(run: str, pictures: int, _snapshot: Snapshot, _experiment: NeuralODE) -> PhaseView | None:
    return _film(fit_pictures(_snapshot.previews), _experiment)


def _film(pictures: FitPictures, experiment: NeuralODE) -> PhaseView | None:
    try:
        data = experiment.fit_data()
    except DataError:  # one's own series is no longer on the shelf; the page says so
        return None
    seen = data.seen.table()
    extent = window(data) if seen.shape[1] == 3 else span_of(seen[:, 1:])
    return fit_film(pictures, moments_of(data), seen, extent)


def figures_line(metrics: Mapping[str, np.ndarray], fit: Fit | None) -> str:
    """The last figures of a fit as one line of text, the linear field's beside them.

    Example:
        >>> figures_line({"inside": np.array([0.07]), "beyond": np.array([0.39]), "nfe": np.array([470.0])}, None)
        'error within the data 0.070, beyond 0.390 standard deviations · dopri5 needs 470 evaluations'
    """
    last = {name: float(kept[-1]) for name, values in metrics.items() if len(kept := values[~np.isnan(values)])}
    if fit is not None:
        last |= fit.errors
    error = [f"within the data {last['inside']:.3f}"] if "inside" in last else []
    error += [f"beyond {last['beyond']:.3f}"] if "beyond" in last else []
    linear = [f"{last[name]:.3f}" for name in ("linear_inside", "linear_beyond") if name in last]
    parts = [f"error {', '.join(error)} standard deviations"] if error else []
    parts += [f"a linear field {', '.join(linear)}"] if linear else []
    if "nfe" in last:
        parts += [f"dopri5 needs {last['nfe']:.0f} evaluations" if last["nfe"] > 0 else "dopri5 gives up"]
    return " · ".join(parts).replace("-", "−")
