"""The prior: a law of code maps, what a map costs by it, and new maps drawn code by code."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from app import trained as store
from app.bones.notes import notes
from app.bones.switch import to_address
from app.controls import apply_settings, controls
from app.eraser import eraser, lower_half, mask_of, word_of
from app.figures.vqvae import bits_bars, next_code
from app.furniture import (
    chart,
    code_section,
    copy_link,
    in_classroom,
    is_dark,
    measured_checks,
    scale,
    switch,
    try_section,
)
from app.reel import reel_player
from app.takeaway import rest_of_address
from app.trained import Trained, seen_by_view
from app.training_panel import active_run, training_panel
from app.vqvae import drawing
from app.vqvae.drawing import Drawing
from app.vqvae.stage import FIRST
from dgm_core import zoo
from dgm_core.presets import Preset
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.presets import PRIORS
from dgm_core.vqvae.prior import CodePrior
from dgm_core.vqvae.views import PriorChecks

PREFIX = "r_"
KINDS = {
    "uniform": "uniform", "independent": "independent", "pixelcnn": "PixelCNN", "transformer": "transformer",
}  # fmt: skip
WAYS = {"new": "A new image", "erased": "What is erased of an image"}
ERASED, IMAGE = "r_erased", "r_image"
FIRST_IMAGE = 6
"""Of the shapes one that its lower half tells something of."""
DRAW = {"r_temperature": 1.0, "r_top_k": 0, "r_draw": 0}


def prior() -> None:
    """Draw the part."""
    picture, panel = st.columns([3, 2], gap="large")
    with panel:
        of = _autoencoder()
        chosen = CodePrior(**{**controls(CodePrior, prefix=PREFIX, hide=("source", "at")).model_dump(), **of})
        training_panel(chosen, lambda snapshot: _line(snapshot.metrics), idle=_idle(chosen), on_change=_nothing)
    trained = _shown(chosen)
    with picture:
        if trained is None:
            st.caption("This law is not trained yet.")
        else:
            _stage(trained)
    st.header("What a map costs", anchor="bits")
    _bits(chosen)
    if trained is not None:
        st.header("Check", anchor="check")
        measured_checks(PriorChecks(**seen_by_view(trained)), key="prior")
    st.header("Try", anchor="try")
    try_section(PRIORS, _apply, key="try_prior")
    st.header("Take it home", anchor="home")
    copy_link(chosen, rest_of_address(chosen), key="link_prior")
    if trained is not None:
        code_section(_code(trained), key="code_prior")


def _autoencoder() -> dict[str, Any]:
    """The model whose codes are learned: the one shown on the page's other part."""
    last: Trained | None = st.session_state.get(f"dgm:{VQVAE.topic}:last")
    trained = last or Trained("shipped", FIRST, zoo.experiment(FIRST))
    st.caption(f"The codes of `{trained.name}`.")
    return seen_by_view(trained)


def _shown(chosen: CodePrior) -> Trained | None:
    run = active_run(chosen)
    return store.find(chosen) if run is None else store.find(chosen, run if drawing.finished(run) else None)


def _idle(chosen: CodePrior) -> str:
    return "" if store.find(chosen) is not None else "Not trained yet."


def _nothing(_: bool) -> None:
    """The stage follows by itself."""


def _line(metrics: Any) -> None:
    last = {name: float(values[~np.isnan(values)][-1]) for name, values in metrics.items() if (~np.isnan(values)).any()}
    if "bits" in last:
        st.caption(
            f"{last['bits']:.1f} bits a held-out map · {last['bits_independent']:.1f} independent · "
            f"{last['bits_uniform']:.1f} uniform"
        )


def _stage(trained: Trained) -> None:
    """A map drawn code by code, and the law of the code that is next."""
    for name, value in DRAW.items():
        st.session_state.setdefault(name, value)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        temperature = st.slider("Temperature", 0.0, 2.0, step=0.05, key="r_temperature", bind="query-params")
        top_k = st.slider("Of the likeliest (0: all)", 0, 64, key="r_top_k", bind="query-params")
        seed = int(st.number_input("Seed of the draw", 0, 999_999, key="r_draw", bind="query-params"))
    way = switch("Draw", WAYS, key="r_way", default="new")
    if way == "erased":
        _completed(trained, temperature, top_k, seed)
    else:
        _film(drawing.drawn(trained, temperature, top_k, seed), "prior_reel")


def _completed(trained: Trained, temperature: float, top_k: int, seed: int) -> None:
    """The eraser, and what the law puts in place of what is erased."""
    held = drawing.held_out(trained)
    if isinstance(held, str):
        notes([held])
        return
    last = len(held.maps) - 1
    st.session_state[IMAGE] = min(int(st.session_state.get(IMAGE, FIRST_IMAGE)), last)  # another set may have fewer
    image = int(st.number_input("Held-out image", 0, last, key=IMAGE, width=160, bind="query-params"))
    h, w = held.maps.shape[1:]
    linked = mask_of(st.query_params.get(ERASED), (h, w))
    first = lower_half((h, w)) if linked is None else linked
    erased = word_of(eraser(held.image(image), first, key="prior_eraser", alt=f"Held-out image {image}, decoded."))
    to_address(ERASED, erased, word_of(lower_half((h, w))))
    if not int(erased, 16):
        st.caption("Nothing is erased, so there is nothing to draw.")
        return
    _film(drawing.completed(trained, image, erased, temperature, top_k, seed), f"prior_reel_{erased}")


def _film(found: Drawing | str, key: str) -> None:
    """Maps that grow, and what each code was drawn from; under another key they are played from their start."""
    if isinstance(found, str):
        notes([found])
        return
    event = reel_player(
        found.reel, key=key, alt="Maps drawn code by code in raster order, decoded as they grow.", height=420,
        ends=("first", "whole"), loop="once", autoplay=True, report_time=True, classroom=in_classroom(),
    )  # fmt: skip
    if found.fewest is not None:
        st.caption(
            f"Given codes that come later choose among {drawing.PARTICLES} maps drawn at once; at worst "
            f"{found.fewest:.1f} of them carried the weight."
        )
    length = len(found.cells)
    step = int(min(event.shown if event.shown is not None else length, length)) - 1
    if step >= 0:
        st.caption(f"What the law gives for code {found.cells[step] + 1}, first column: the drawn one in orange.")
        figure = next_code(found.probabilities[step], int(found.codes[step]), dark=is_dark(), scale=scale())
        chart(figure, "next")


def _bits(chosen: CodePrior) -> None:
    """What the laws of these codes cost: those without memory, and the learned ones that are trained."""
    found = {kind: drawing.bits_of(chosen.model_copy(update={"kind": kind})) for kind in KINDS}
    known = next((figures for figures in found.values() if figures), None)
    if known is None:
        st.caption("No law of these codes is trained yet.")
        return
    rows = [("uniform", known["bits_uniform"], 0.0), ("independent", known["bits_independent"], 0.0)]
    rows += [(KINDS[k], found[k]["bits"], found[k]["bits_error"]) for k in ("pixelcnn", "transformer") if found[k]]
    names, bits, errors = zip(*rows, strict=True)
    chart(bits_bars(names, np.array(bits), np.array(errors), dark=is_dark(), scale=scale()), "bits")
    st.caption("Bits for a whole map of a held-out image; uniform is $W H \\log_2 K$.")


def _apply(preset: Preset) -> None:
    settings = dict(preset.settings)
    st.session_state["r_temperature"] = settings.pop("temperature", 1.0)
    apply_settings(CodePrior, settings, prefix=PREFIX)


def _code(trained: Trained) -> str:
    return f"""from dgm_core import zoo
from dgm_core.vqvae.prior import CodePrior
from dgm_core.vqvae.views import PriorChecks
import torch

{trained.code("law")}
codes = law.sample(4, temperature=1.0, generator=torch.Generator().manual_seed(0))   # (4, h, w)
print(codes[0], law.bits(codes))
"""
