"""Training beside the stage: the panel, and the PSNR from more and more of the levels as it rises."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from app import trained as store
from app.figures.vqvae2 import levels_curve
from app.furniture import chart, is_dark, scale
from app.training_panel import active_run, training_panel
from app.vqvae2.models import VIEW, prefixes
from dgm_core import zoo
from dgm_core.vqvae2.experiment import VQVAE2


def train(chosen: VQVAE2) -> None:
    """Draw the training panel and the curves: of a run, or of what is shipped."""
    training_panel(
        chosen, lambda snapshot: _curve(chosen, snapshot.metrics, snapshot.total), idle=_idle(chosen), on_change=_turn
    )  # fmt: skip
    trained = store.find(chosen)
    if active_run(chosen) is None and trained is not None:
        _curve(chosen, store.metrics(trained), chosen.steps)


def _turn(started: bool) -> None:
    st.session_state[VIEW] = "training" if started else "levels"


def _idle(chosen: VQVAE2) -> str:
    name = zoo.find(chosen)
    return f"Trained beforehand and shipped as `{name}`." if name else "Not trained yet."


def _curve(chosen: VQVAE2, metrics: Mapping[str, np.ndarray] | None, total: int) -> None:
    """PSNR by the number of levels; the chart keeps its place while it grows."""
    names = prefixes(chosen.levels)
    known = metrics if metrics is not None and "psnr_1" in metrics else None
    kept = ~np.isnan(known["psnr_1"]) if known is not None else np.zeros(0, bool)
    steps = known["step"][kept] if known is not None else np.zeros(0)
    series = {
        name: known[f"psnr_{k}"][kept] if known is not None else np.zeros(0) for k, name in enumerate(names, start=1)
    }
    chart(levels_curve(steps, series, total=total, dark=is_dark(), scale=scale()), "psnr")
    if known is not None and kept.any():
        st.caption(figures_line(known, chosen.levels))


def figures_line(metrics: Mapping[str, np.ndarray], levels: int) -> str:
    """The last figures of a training as one line of text.

    Example:
        >>> figures_line({"psnr_1": np.array([20.0]), "psnr_2": np.array([27.0]), "seconds": np.array([9.0])}, 2)
        'top only 20.00 dB · top + bottom 27.00 dB · 9.0 s'
    """
    last = {name: float(kept[-1]) for name, values in metrics.items() if len(kept := values[~np.isnan(values)])}
    parts = [
        f"{name} {last[f'psnr_{k}']:.2f} dB" for k, name in enumerate(prefixes(levels), start=1) if f"psnr_{k}" in last
    ]
    parts += [f"{last['seconds']:.1f} s"] if "seconds" in last else []
    return " · ".join(parts)
