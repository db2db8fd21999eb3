"""Which trained generator of images: all that are shipped or were trained here and have a knob, whatever topic."""

from __future__ import annotations

import streamlit as st

from app.memory import Memory
from app.services import runner
from app.trained import Trained, seen_by_view
from dgm_core import zoo
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment, TrainingFailedError
from dgm_core.generators import ImageGenerator, Knob
from dgm_core.precision_recall.trade_off import TradeOff

MOST = 30
"""Runs listed."""


def generators() -> dict[str, Trained]:
    """Sources of all trained models that draw images at the turn of a knob."""
    found = {f"zoo:{name}": Trained("shipped", name, zoo.experiment(name)) for name in zoo.names()}
    done = [run for run in runner().store.list() if run.state == "done" and run.experiment.lane == "train"]
    drawing = [run for run in done if isinstance(run.experiment, ImageGenerator)][:MOST]
    found |= {f"run:{run.id}": Trained("run", run.id, run.experiment) for run in drawing}
    return {source: each for source, each in found.items() if _draws(each)}


def _draws(trained: Trained) -> bool:
    shipped = trained.source == "run" or zoo.find(trained.experiment) is not None
    return shipped and isinstance(trained.experiment, ImageGenerator)


def title_of(trained: Trained) -> str:
    """What people call it."""
    knob = trained.experiment.knob.name if isinstance(trained.experiment, ImageGenerator) else ""
    name = trained.name if trained.source == "shipped" else f"{trained.experiment.topic} ({trained.name[:6]})"
    return f"{name}, {'shipped' if trained.source == 'shipped' else 'trained here'} · {knob}"


def choose_generator(prefix: str) -> None:
    """A list of generators; with another one comes the classifier that knows its images."""
    memory, found = Memory(TradeOff, prefix), generators()
    now = memory.values["source"]
    names = {source: title_of(each) for source, each in found.items()}
    names.setdefault(now, now)
    key = f"{prefix}generator"

    def take() -> None:
        chosen = st.session_state[key]
        Memory(TradeOff, prefix).remember({"source": chosen, **_classifier(found[chosen].experiment)})

    st.session_state[key] = now  # a link or a prediction may have chosen as well
    st.selectbox("Generator", list(names), format_func=lambda name: names.get(name, name), key=key, on_change=take)


def _classifier(experiment: Experiment) -> dict[str, str]:
    """The shipped classifier of the images that a generator imitates, where there is one."""
    try:
        images = experiment.real().name if isinstance(experiment, ImageGenerator) else ""
    except (DataError, TrainingFailedError):
        return {}
    known = {getattr(zoo.experiment(name), "dataset", ""): f"zoo:{name}" for name in zoo.names("precision_recall")}
    return {"network": known[images]} if images in known else {}


def looked_at(source: str) -> dict[str, object]:
    """The fields by which a view finds the generator; those of a model that is not here stay as they are."""
    found = generators().get(source)
    return {"source": source} if found is None else seen_by_view(found)


def knob_of(source: str) -> Knob:
    """Its knob; of a model that is not here, one without a name."""
    found = generators().get(source)
    experiment = None if found is None else found.experiment
    return experiment.knob if isinstance(experiment, ImageGenerator) else Knob("knob", 0.0, 1.0)
