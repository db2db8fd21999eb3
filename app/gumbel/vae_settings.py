"""The settings of a discrete VAE: controls from the declaration, and people's own images."""

from __future__ import annotations

import streamlit as st

from app.bones.notes import notes
from app.controls import controls
from app.memory import Memory
from app.own_images import own_images
from app.staying import stay_on_what_is_shipped, take_next
from dgm_core.data.images import available
from dgm_core.gumbel.experiment import DiscreteVAE

LEADING = ("dataset", "estimator", "latents", "categories")


def settings() -> DiscreteVAE:
    """Draw the controls; returns the last good settings where the new ones make no VAE."""
    take_next(DiscreteVAE)
    above, below = st.container(), st.container()
    with above:
        vae = controls(DiscreteVAE, hide=("data",))
    stay_on_what_is_shipped(vae, LEADING)
    Memory(DiscreteVAE).publish("data", vae.data)
    with below:
        chosen = Memory(DiscreteVAE).current("dataset")
        if chosen == "own":
            own_images(DiscreteVAE)
        elif missing := available(chosen):
            notes([missing])
    return vae
