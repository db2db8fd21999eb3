"""The Try section: predictions first, then the page shows what happens."""

from __future__ import annotations

import streamlit as st

from app.cnf.compare import other
from app.controls import apply_settings
from app.furniture import try_section
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.cnf.presets import PRESETS
from dgm_core.presets import Preset


def tries() -> None:
    """Draw a card for each preset."""
    try_section(PRESETS, _apply)


def _apply(preset: Preset) -> None:
    """Set the page to A of the preset, and its B where it has one."""
    apply_settings(DensityFlow, preset.settings)
    other(preset.against)
    st.toast("The page shows it now: the stage is A, B stands below.")
