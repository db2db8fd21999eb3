"""The settings of a model of images: controls from the declaration, and people's own pictures."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

import streamlit as st

from app.bones.notes import notes
from app.controls import controls
from app.memory import Memory
from app.own_images import own_images
from app.staying import stay_on_what_is_shipped, take_next
from dgm_core.data.images import available
from dgm_core.experiment import Experiment

E = TypeVar("E", bound=Experiment)


def image_settings(cls: type[E], leading: Collection[str]) -> E:
    """Draw the controls; returns the last good settings where the new ones make no model.

    Args:
        cls: a declaration with the fields ``dataset`` and ``data``.
        leading: fields by which another shipped model is found.
    """
    take_next(cls)
    above, below = st.container(), st.container()
    with above:
        chosen = controls(cls, hide=("data",))
    stay_on_what_is_shipped(chosen, leading)
    memory = Memory(cls)
    memory.publish("data", chosen.model_dump()["data"])
    with below:
        dataset = memory.current("dataset")
        if dataset == "own":
            own_images(cls)
        elif missing := available(dataset):
            notes([missing])
    return chosen
