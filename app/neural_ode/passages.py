"""What a trained classifier shows: its passage, as the phase plane draws it, and its figures as a line of text."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from app import trained as store
from app.neural_ode.drawing import decision_film, passage_view
from app.phase import PhaseView
from app.services import runner
from app.trained import Trained
from dgm_core import zoo
from dgm_core.neural_ode.classification import FlowClassifier
from dgm_core.neural_ode.labelled import EXTENT
from dgm_core.neural_ode.passage import Passage
from dgm_core.neural_ode.reels import DecisionPictures, decision_pictures
from dgm_core.runs import Snapshot


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def passage_of(trained: Trained) -> Passage | None:
    """What the training left; None where it left none."""
    packed = store.artifact(trained, "passage")
    return Passage.from_bytes(packed) if packed is not None else None


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def view_of(trained: Trained) -> PhaseView | None:
    """The passage as the phase plane shows it."""
    passage = passage_of(trained)
    return None if passage is None else passage_view(passage, blocks=is_resnet(trained))


def is_resnet(trained: Trained) -> bool:
    """Whether the classifier is made of residual blocks."""
    return isinstance(trained.experiment, FlowClassifier) and trained.experiment.model == "resnet"


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def finished_film(trained: Trained) -> PhaseView | None:
    """The film of a finished training."""
    if trained.source == "shipped":
        return decision_film(DecisionPictures.from_bytes(zoo.read(trained.name, "training.bin")), EXTENT)
    previews = runner().store.previews(trained.name)
    return decision_film(decision_pictures(previews), EXTENT) if previews else None


def live_film(snapshot: Snapshot) -> PhaseView | None:
    """The film of a training so far; one object as long as no new picture has come, so that it is sent once."""
    if snapshot.last_preview is None:
        return None
    return _growing(snapshot.run.id, len(snapshot.previews), snapshot)


@st.cache_resource(show_spinner=False, max_entries=4)
def _growing(run: str, pictures: int, _snapshot: Snapshot) -> PhaseView:
    return decision_film(decision_pictures(_snapshot.previews), EXTENT)


def figures_line(metrics: Mapping[str, np.ndarray], passage: Passage | None) -> str:
    """The last figures of a classifier as one line of text.

    Example:
        >>> figures_line({"accuracy": np.array([0.9, 0.98]), "nfe": np.array([20.0, 44.0])}, None)
        'held-out accuracy 98.0 % · dopri5 needs 44 evaluations'
    """
    last = {name: float(kept[-1]) for name, values in metrics.items() if len(kept := values[~np.isnan(values)])}
    parts = [f"held-out accuracy {100 * last['accuracy']:.1f} %"] if "accuracy" in last else []
    if "nfe" in last:
        parts += [f"dopri5 needs {last['nfe']:.0f} evaluations" if last["nfe"] > 0 else "dopri5 gives up"]
    if passage is not None and np.isfinite(passage.determinant).all():
        smallest = f"{passage.determinant[-1].min():.2g}".replace("-", "−")
        parts += [f"smallest det {smallest}", f"stretches by up to {passage.stretch[-1]:.3g}"]
    return " · ".join(parts)
