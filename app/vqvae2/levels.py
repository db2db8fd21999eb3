"""Levels: what each of them keeps of an image; trained live or shipped."""

from __future__ import annotations

import streamlit as st

from app import trained as store
from app.controls import apply_settings
from app.furniture import ab_controls, ab_section, in_classroom, measured_checks, try_section
from app.image_settings import image_settings
from app.reel import reel_player
from app.trained import seen_by_view
from app.training_panel import start_button
from app.vqvae2 import models
from app.vqvae2.stage import shown, stage
from app.vqvae2.take_home import take_levels_home
from app.vqvae2.train import figures_line, train
from dgm_core.presets import Preset
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.presets import LEVELS
from dgm_core.vqvae2.views import HierarchyChecks

LEADING = ("dataset", "levels", "level_dropout")
FIELDS = (
    "levels", "codes", "level_dropout", "dimension", "patch", "width", "depth", "beta", "dataset", "steps",
    "learning_rate", "seed",
)  # fmt: skip


def levels() -> None:
    """Draw the part."""
    picture, panel = st.columns([7, 2], gap="medium")
    with panel:
        chosen = image_settings(VQVAE2, LEADING)
        train(chosen)
    trained = shown(chosen)
    with picture:
        found = stage(chosen, trained)
        if found is not None:
            st.subheader("What a level costs and gives", anchor="bits")
            st.markdown(models.table(found.found))
            st.caption(
                "Pictures in the lower row are signed, grey is 0: what a level changes, for the top against the "
                "image's mean. By histogram: $h\\,w\\,H$ of the codes in the images shown."
            )
    st.header("Check", anchor="check")
    measured_checks(HierarchyChecks(**seen_by_view(trained)), key="vqvae2")
    st.header("Try", anchor="try")
    try_section(LEVELS, _apply, key="try_levels")
    st.header("Compare A | B", anchor="compare")
    ab_section(chosen, ab_controls(chosen, FIELDS), _side)
    st.header("Take it home", anchor="home")
    take_levels_home(chosen, trained, found)


def _apply(preset: Preset) -> None:
    apply_settings(VQVAE2, preset.settings)
    if preset.against:
        st.session_state["b_field"] = next(iter(preset.against))
        apply_settings(VQVAE2, {**preset.settings, **preset.against}, prefix="b_")
        st.toast("A and B stand side by side under Compare.", icon=":material/arrow_downward:")
    st.session_state[models.VIEW] = "levels"


def _side(experiment: VQVAE2, side: str) -> None:
    """One trained model; where it is not trained, the button that trains it."""
    trained = store.find(experiment)
    if trained is not None:
        reel = models.finished_reel(trained)
        if reel is not None:
            reel_player(
                reel, key=f"ab_{side}", height=260, time=float(reel.times[-1]), sync="ab", classroom=in_classroom(),
                alt=f"{side.upper()}: held-out images from more and more of the levels.",
            )  # fmt: skip
        st.caption(figures_line(store.metrics(trained), experiment.levels))
        return
    st.caption("Not trained yet.")
    start_button(experiment, f"Train {side.upper()}", lambda _: None, key=f"train_{side}")
