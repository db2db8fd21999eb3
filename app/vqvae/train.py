"""Training beside the stage: the panel, and PSNR and perplexity as they rise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from app import trained as store
from app.figures.vqvae import codebook_curve
from app.furniture import chart, is_dark, scale
from app.training_panel import active_run, training_panel
from app.vqvae.stage import show
from dgm_core import zoo
from dgm_core.vqvae.experiment import VQVAE


def train(chosen: VQVAE) -> None:
    """Draw the training panel and the curves: of a run, or of what is shipped."""
    training_panel(
        chosen, lambda snapshot: _curve(chosen, snapshot.metrics, snapshot.total), idle=_idle(chosen), on_change=_turn
    )  # fmt: skip
    trained = store.find(chosen)
    if active_run(chosen) is None and trained is not None:
        _curve(chosen, store.metrics(trained), chosen.steps)


def _turn(started: bool) -> None:
    show("training" if started else "codebook")


def _idle(chosen: VQVAE) -> str:
    name = zoo.find(chosen)
    return f"Trained beforehand and shipped as `{name}`." if name else "Not trained yet."


def _curve(chosen: VQVAE, metrics: Mapping[str, np.ndarray] | None, total: int) -> None:
    """PSNR and the share of codes in use; the chart keeps its place while it grows."""
    known = metrics if metrics is not None and "psnr" in metrics else None
    kept = ~np.isnan(known["psnr"]) if known is not None else np.zeros(0, bool)
    series = {
        name: known[name][kept] if known is not None and name in known else np.zeros(0)
        for name in ("step", "psnr", "perplexity")
    }
    figure = codebook_curve(
        series["step"], series["psnr"], series["perplexity"], chosen.codes, total=total, dark=is_dark(), scale=scale()
    )
    chart(figure, "psnr")
    if known is not None and kept.any():
        st.caption(figures_line(known))


def figures_line(metrics: Mapping[str, np.ndarray]) -> str:
    """The last figures of a training as one line of text.

    Example:
        >>> figures_line({"psnr": np.array([24.0]), "perplexity": np.array([90.0]), "seconds": np.array([9.0])})
        'PSNR 24.00 dB · perplexity 90 over the held-out set · 9.0 s'
    """
    last = {name: float(kept[-1]) for name, values in metrics.items() if len(kept := values[~np.isnan(values)])}
    parts = [f"PSNR {last['psnr']:.2f} dB"]
    parts += [f"perplexity {last['perplexity']:.0f} over the held-out set"] if "perplexity" in last else []
    parts += [f"{100 * last['used']:.0f} % of codes in use"] if "used" in last else []
    parts += [f"{last['seconds']:.1f} s"] if "seconds" in last else []
    return " · ".join(parts)
