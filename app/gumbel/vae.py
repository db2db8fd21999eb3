"""The discrete VAE: a code of N choices, trained live; what relaxing the choices hides."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import trained as store
from app.controls import apply_settings
from app.figures.gumbel import elbo_curves
from app.furniture import ab_controls, ab_section, chart, in_classroom, is_dark, measured_checks, scale, try_section
from app.gumbel import reels
from app.gumbel.take_home import take_home
from app.gumbel.vae_stage import show, stage
from app.gumbel.vae_train import figures_line, train
from app.image_settings import image_settings
from app.reel import reel_player
from app.trained import Trained, seen_by_view
from app.training_panel import start_button
from dgm_core.gumbel.experiment import DiscreteVAE
from dgm_core.gumbel.presets_vae import MELTING, PRESETS
from dgm_core.gumbel.vae_measured import VAEMeasured
from dgm_core.presets import Preset

LEADING = ("dataset", "estimator", "schedule")
FIELDS = (
    "estimator", "schedule", "tau", "tau_min", "latents", "categories", "dataset", "width", "depth", "steps",
    "learning_rate", "batch", "seed",
)  # fmt: skip


def vae() -> None:
    """Draw the part."""
    picture, panel = st.columns([3, 2], gap="large")
    with panel:
        chosen = image_settings(DiscreteVAE, LEADING)
        train(chosen)
    with picture:
        shown = stage(chosen)
    st.header("Relaxed against hard", anchor="gap")
    _gap(shown)
    st.header("Check", anchor="check")
    measured_checks(VAEMeasured(**seen_by_view(shown)), key="vae")
    st.header("Try", anchor="try")
    try_section((*PRESETS, *MELTING), _apply, key="try_vae")
    st.header("Compare A | B", anchor="compare")
    ab_section(chosen, ab_controls(chosen, FIELDS), _side)
    st.header("Take it home", anchor="home")
    take_home(chosen, shown)


def _gap(shown: Trained) -> None:
    """What training sees with relaxed codes, and the bound that counts, against the temperature."""
    found = reels.opening(shown)
    if found is None:
        st.caption("This run has left no figures.")
        return
    curve = found.curve
    figure = elbo_curves(
        curve.taus, curve.relaxed, np.full(len(curve.taus), curve.hard), found.baseline, against="tau",
        errors=curve.relaxed_error, dark=is_dark(), scale=scale(),
    )  # fmt: skip
    chart(figure, "gap")
    st.caption(
        "Hard codes know no temperature. Where the relaxed line lies above, the model reads more from a soft code than "
        f"a choice can carry: that part is no bound. {found.images:,} held-out images."
    )


def _apply(preset: Preset) -> None:
    apply_settings(DiscreteVAE, preset.settings)
    if preset.against:
        st.session_state["b_field"] = next(iter(preset.against))
        apply_settings(DiscreteVAE, {**preset.settings, **preset.against}, prefix="b_")
        st.toast("A and B stand side by side under Compare.", icon=":material/arrow_downward:")
    show("codes")


def _side(experiment: DiscreteVAE, side: str) -> None:
    """One trained VAE; where it is not trained, the button that trains it."""
    trained = store.find(experiment)
    if trained is not None:
        reel = reels.melting_reel(trained)
        if reel is not None:
            reel_player(
                reel, key=f"ab_{side}", height=220, time=0.5, sync="ab", classroom=in_classroom(),
                alt=f"{side.upper()}: reconstructions as the temperature moves.",
            )  # fmt: skip
        st.caption(figures_line(store.metrics(trained), experiment))
        return
    st.caption("Not trained yet.")
    start_button(experiment, f"Train {side.upper()}", lambda _: None, key=f"train_{side}")
