"""The prior: stage two as algorithm 2 has it; new images drawn level by level, and what their codes cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import trained as store
from app.bones.notes import notes
from app.controls import controls
from app.figures.vqvae2 import bits_by_level
from app.furniture import chart, in_classroom, is_dark, measured_checks, scale, switch, try_section
from app.reel import reel_player
from app.services import runner
from app.trained import Trained, seen_by_view
from app.training_panel import active_run, training_panel
from app.vqvae2 import drawing
from app.vqvae2.board import board_stage
from app.vqvae2.choose import LAST_PRIOR, autoencoder, held, prior_of, whole
from app.vqvae2.take_home import take_prior_home
from dgm_core.presets import Preset
from dgm_core.vqvae2.prior import HierarchicalPrior, as_law
from dgm_core.vqvae2.prior_law import level_names
from dgm_core.vqvae2.prior_presets import PRIORS
from dgm_core.vqvae2.prior_views import LayeredPriorChecks

PREFIX = "r_"
TEXT = {"paper": "As in the paper", "printed": "As printed"}
ERRATUM = {
    "paper": "Razavi et al. 2019: the top prior has self-attention (PixelSNAIL), since its few codes hold what is "
    "global; the bottom prior is a large PixelCNN that is told the top.",
    "printed": "The slide has self-attention in the bottom layer. There it would cost most and is needed least: the "
    "paper has it in the top one.",
}
HEIGHT = 400


def prior() -> None:
    """Draw the part."""
    picture, panel = st.columns([7, 2], gap="medium")
    with panel:
        source = autoencoder()
        chosen = _settings(source)
        trained = _shown(chosen, source)
        settings = _draw_settings(trained)
    _stage(trained, settings, picture)
    st.header("What codes cost", anchor="bits")
    _bits(trained)
    if trained is not None:
        st.header("Check", anchor="check")
        measured_checks(LayeredPriorChecks(**seen_by_view(trained)), key="prior")
    st.header("Try", anchor="try")
    try_section(PRIORS, _apply, key="try_prior")
    st.header("Take it home", anchor="home")
    take_prior_home(chosen, trained, settings)


def _settings(source: Trained) -> HierarchicalPrior:
    """The laws' own settings and their training, for the codes of a hierarchy."""
    shipped = prior_of(source)
    with st.expander("Train it", icon=":material/model_training:"):
        drawn = controls(HierarchicalPrior, prefix=PREFIX, hide=("source", "at"))
        chosen = HierarchicalPrior(**{**drawn.model_dump(), **seen_by_view(source)})
        training_panel(chosen, lambda snapshot: _line(snapshot.metrics), idle=_idle(shipped), on_change=_nothing)
    return chosen


def _shown(chosen: HierarchicalPrior, source: Trained) -> Trained | None:
    """The run of these settings, or what is known of this hierarchy's codes."""
    run = active_run(chosen)
    done = run is not None and runner().watch(run).state == "done"
    found = store.find(chosen, run if done else None)
    if found is not None:
        st.session_state[LAST_PRIOR] = found
    return found or prior_of(source)


def _idle(shipped: Trained | None) -> str:
    return f"Shown is `{shipped.name}`." if shipped is not None else "Not trained yet."


def _nothing(_: bool) -> None:
    """The stage follows by itself."""


def _line(metrics: Mapping[str, np.ndarray]) -> None:
    last = last_figures(metrics)
    if "bits" in last:
        st.caption(f"{last['bits']:.1f} bits a held-out image · {last['bits_uniform']:.0f} uniform")


def last_figures(metrics: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The last value of each figure that has one."""
    return {name: float(kept[-1]) for name, values in metrics.items() if len(kept := values[~np.isnan(values)])}


def _draw_settings(trained: Trained | None) -> dict[str, Any]:
    """Temperature by level, top-k, seed and the image beside."""
    names = level_names(_levels(trained))
    temperatures = tuple(
        held(f"Temperature, {name}", 0.0, 2.0, 1.0, step=0.05, key=f"t_{name}") for name in names
    )  # fmt: skip
    with st.expander("More", icon=":material/tune:"):
        top_k = whole("Of the likeliest (0: all)", 0, 64, 0, key="top_k")
        image = whole("Image of stage one", 0, 23, 0, key="image")
    seed = whole("Seed", 0, 99, 0, key="d_seed")
    return {"temperatures": temperatures, "top_k": top_k, "seed": seed, "image": image}


def _levels(trained: Trained | None) -> int:
    return 2 if trained is None else as_law(store.model(trained)).levels


def _stage(trained: Trained | None, settings: dict[str, Any], picture: DeltaGenerator) -> None:
    """Both stages as a board, and all images that are drawn as a reel."""
    with picture:
        if trained is None:
            notes(["No law of this model's codes is trained yet: open “Train it”."])
            return
        text = switch("Whose words", TEXT, key="words", default="paper") or "paper"
        board, found = drawing.pipeline(trained, text=text, **settings), drawing.sampled(trained, **settings)
        if isinstance(board, str) or isinstance(found, str):
            notes([str(board) if isinstance(board, str) else str(found)])
            return
        board_stage(
            board, key="pipeline_board", height=HEIGHT, classroom=in_classroom(), autoplay=True,
            ends=("empty", "whole"), sync="drawing",
            alt="Above an image and its codes; below codes drawn by the priors, and their image.",
        )  # fmt: skip
        st.caption(f"{ERRATUM[text]} {_verdict(found)}")
        reel_player(
            found.reel, key="drawn", height=150, sync="drawing", loop="once", ends=("empty", "whole"),
            classroom=in_classroom(), alt="Eight images drawn code by code, the top first.",
        )  # fmt: skip


def _verdict(found: drawing.Sampled) -> str:
    """What the first new image costs, level by level."""
    names = level_names(found.bits.shape[1])
    parts = [f"{bits:.0f} bits {name}" for name, bits in zip(names, found.bits[0], strict=True)]
    return f"The new image's codes by the laws: {', '.join(parts)}."


def _bits(trained: Trained | None) -> None:
    """Uniform, independent, each level alone, and each level told those above."""
    figures = last_figures(store.metrics(trained)) if trained is not None else {}
    if trained is None or "bits" not in figures:
        st.caption("No law of these codes is trained yet.")
        return
    names = level_names(_levels(trained))
    rows = bits_rows(figures, names)
    labels, bits, errors = zip(*rows, strict=True)
    chart(bits_by_level(labels, np.array(bits), np.array(errors), names, dark=is_dark(), scale=scale()), "bits")
    st.caption(
        "Bits of a held-out image's codes. Each is a cross-entropy, so an upper bound of the entropy; the difference "
        "of the last two rows estimates what the levels above tell, it is no bound."
    )


def bits_rows(figures: Mapping[str, float], names: tuple[str, ...]) -> list[tuple[str, list[float], float]]:
    """What the chart of bits shows: a law's name, bits of each level, the standard error of their sum.

    Args:
        figures: of `HierarchicalPrior.train`.
        names: of the levels, the top first.
    """
    top = names[0]
    alone = [figures[f"bits_{top}"], *(figures[f"bits_{name}_alone"] for name in names[1:])]
    # Levels alone are summed as if their errors were independent.
    spread = float(np.sqrt(sum(figures[f"bits_{name}{'_alone' * (name != top)}_error"] ** 2 for name in names)))
    return [
        ("uniform", [figures[f"bits_{name}_uniform"] for name in names], 0.0),
        ("by histogram", [figures[f"bits_{name}_independent"] for name in names], 0.0),
        ("each level alone", alone, spread),
        ("told the levels above", [figures[f"bits_{name}"] for name in names], figures["bits_error"]),
    ]


def _apply(preset: Preset) -> None:
    for name, value in preset.settings.items():
        st.session_state[name] = value
