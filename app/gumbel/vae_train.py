"""Training beside the stage: the panel, and the ELBO with relaxed and with hard codes as it rises."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from app import trained as store
from app.figures.gumbel import elbo_curves
from app.furniture import chart, is_dark, scale
from app.gumbel.reels import baseline
from app.gumbel.vae_stage import show
from app.training_panel import active_run, training_panel
from dgm_core import zoo
from dgm_core.gumbel.experiment import DiscreteVAE


def train(vae: DiscreteVAE) -> None:
    """Draw the training panel and the curve: of a run, or of what is shipped."""
    training_panel(
        vae, lambda snapshot: _curve(vae, snapshot.metrics, snapshot.total), idle=_idle(vae), on_change=_turn
    )
    trained = store.find(vae)
    if active_run(vae) is None and trained is not None:
        _curve(vae, store.metrics(trained), vae.steps)


def _turn(started: bool) -> None:
    show("training" if started else "codes")


def _idle(vae: DiscreteVAE) -> str:
    name = zoo.find(vae)
    return f"Trained beforehand and shipped as `{name}`." if name else "Not trained yet."


def _curve(vae: DiscreteVAE, metrics: Mapping[str, np.ndarray] | None, total: int) -> None:
    """The curve and the last figures; the chart keeps its place while it grows."""
    known = metrics is not None and "elbo" in metrics
    measured = ~np.isnan(metrics["elbo"]) if metrics is not None and known else np.zeros(0, bool)
    series = {
        name: metrics[name][measured] if metrics is not None and known else np.zeros(0)
        for name in ("step", "elbo_relaxed", "elbo")
    }
    figure = elbo_curves(
        series["step"], series["elbo_relaxed"], series["elbo"], baseline(vae), against="step",
        span=(0, total), dark=is_dark(), scale=scale(),
    )  # fmt: skip
    chart(figure, "elbo")
    if metrics is not None and known and measured.any():
        st.caption(figures_line(metrics, vae))


def figures_line(metrics: Mapping[str, np.ndarray], vae: DiscreteVAE) -> str:
    """The last figures of a training as one line of text.

    Example:
        >>> series = {name: np.array([value]) for name, value in
        ...           {"elbo": -20.0, "elbo_error": 0.2, "reconstruction": -14.0, "kl": 6.0, "seconds": 9.0}.items()}
        >>> figures_line(series, DiscreteVAE())
        'hard ELBO −20.00 ± 0.20 = reconstruction −14.00 − KL 6.00 nats, at most N log K = 23.03 · 9.0 s'
    """
    last = {name: float(kept[-1]) for name, values in metrics.items() if len(kept := values[~np.isnan(values)])}
    most = vae.latents * np.log(vae.categories)
    parts = [
        f"hard ELBO {last['elbo']:.2f} ± {last['elbo_error']:.2f} = reconstruction {last['reconstruction']:.2f} − KL "
        f"{last['kl']:.2f} nats, at most N log K = {most:.2f}"
    ]
    parts += [f"τ {last['tau']:.2f}"] if "tau" in last else []
    parts += [f"{last['seconds']:.1f} s"] if "seconds" in last else []
    return " · ".join(parts).replace("-", "−")
