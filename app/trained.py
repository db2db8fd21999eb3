"""What has been trained already: a shipped checkpoint or a finished run answers for an Experiment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import streamlit as st
import torch

from app.services import runner
from dgm_core import zoo
from dgm_core.experiment import Experiment


@dataclass(frozen=True)
class Trained:
    """A trained model by name; frozen and small, so that caches can be keyed by it.

    Args:
        source: shipped with the program, or a run of the store.
        name: the checkpoint's name or the run's id.
        experiment: what was asked for.
    """

    source: Literal["shipped", "run"]
    name: str
    experiment: Experiment

    def code(self, variable: str = "model") -> str:
        """Python that gives this model in a variable."""
        if self.source == "shipped":
            return f'{variable} = zoo.load("{self.name}")'
        changed = self.experiment.differences(type(self.experiment)())
        fields = ", ".join(f"{name}={mine!r}" for name, (mine, _) in changed.items())
        return f"{variable} = {type(self.experiment).__name__}({fields}).fit()"


BY_NAME: dict[Any, Any] = {Trained: lambda trained: (trained.source, trained.name)}
"""``hash_funcs`` for Streamlit's caches: source and name say which model it is, so the settings need no hashing."""


def find(experiment: Experiment, run: str | None = None) -> Trained | None:
    """The best answer there is: the run named, else a shipped checkpoint, else a finished run of equal settings."""
    if run is not None:
        return Trained("run", run, experiment)
    name = zoo.find(experiment)
    if name is not None:
        return Trained("shipped", name, experiment)
    found = runner().store.find(experiment.key)
    return Trained("run", found.id, experiment) if found is not None and found.state == "done" else None


@st.cache_resource(show_spinner=False, max_entries=32, hash_funcs=BY_NAME)
def model(trained: Trained) -> torch.nn.Module:
    """The model on the CPU, in evaluation mode; shared by all sessions, so it must not be changed."""
    if trained.source == "shipped":
        return zoo.load(trained.name)
    built = trained.experiment.build()
    built.load_state_dict(dict(runner().store.load_weights(trained.name)))
    return built.eval()


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=BY_NAME)
def artifact(trained: Trained, name: str) -> bytes | None:
    """Something that the training left beside its weights, such as its film; None where there is none."""
    if trained.source == "shipped":
        return zoo.artifact(trained.name, name)
    return runner().store.load_artifact(trained.name, name)


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=BY_NAME)
def metrics(trained: Trained) -> dict[str, np.ndarray]:
    """The training's figures by name, each (T,), with ``step`` and ``seconds``."""
    return zoo.metrics(trained.name) if trained.source == "shipped" else runner().store.metrics(trained.name)


def seen_by_view(trained: Trained) -> dict[str, Any]:
    """The fields by which a view finds the trained model; they change with its weights, so a view is never stale."""
    if trained.source == "shipped":
        return {"source": f"zoo:{trained.name}", "at": zoo.fingerprint(trained.name)}
    return {"source": f"run:{trained.name}", "at": runner().watch(trained.name).step}


def shown(experiment: Experiment, run: str | None, first: str) -> Trained:
    """What answers for these settings, or what this session was shown last, or the first shipped model.

    Args:
        experiment: the settings.
        run: this session's run for them, or None.
        first: the name of a shipped model.
    """
    slot = f"dgm:{experiment.topic}:{type(experiment).__name__}:last"
    finished = run is not None and runner().watch(run).state == "done"
    found = find(experiment, run if finished else None)
    if found is None:
        return st.session_state.get(slot) or Trained("shipped", first, zoo.experiment(first))
    st.session_state[slot] = found
    return found
