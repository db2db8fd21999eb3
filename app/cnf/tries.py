"""The Try section: predictions first, then the page shows what happens."""

from __future__ import annotations

import streamlit as st

from app.cnf.compare import compare_films, compare_flows
from app.cnf.stage import show
from app.controls import apply_settings
from app.furniture import try_section
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.cnf.presets import FILM_PRESETS, PRESETS
from dgm_core.presets import Preset


def tries() -> None:
    """Draw a card for each preset."""
    try_section((*PRESETS, *FILM_PRESETS), _apply)


def _apply(preset: Preset) -> None:
    """Set the page to what the preset compares: on the stage A, below it A beside B."""
    if preset in FILM_PRESETS:
        apply_settings(DensityFlow, {})
        compare_films({**preset.settings, **preset.against})
    else:
        apply_settings(DensityFlow, preset.settings)
        compare_flows(preset.settings, preset.against)
    show("flow")
    st.toast("A and B stand side by side under Compare.", icon=":material/arrow_downward:")
