"""Codebook of images: train, browse, edit, check."""

from __future__ import annotations

import streamlit as st

from app import trained as store
from app.controls import apply_settings
from app.furniture import (
    Export,
    ab_controls,
    ab_section,
    code_section,
    copy_link,
    export_section,
    in_classroom,
    measured_checks,
    pipeline_caption,
    try_section,
)
from app.image_settings import image_settings
from app.reel import reel_player
from app.reel.export import reel_gif, reel_mp4, reel_npz
from app.takeaway import metrics_csv, rest_of_address, weights
from app.trained import Trained, seen_by_view
from app.training_panel import start_button
from app.vqvae import models
from app.vqvae.stage import show, shown, stage
from app.vqvae.train import figures_line, train
from dgm_core.presets import Preset
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.presets import IMAGES
from dgm_core.vqvae.views import CodebookChecks

LEADING = ("dataset", "quantiser", "codebook", "patience")
FIELDS = (
    "codes", "codebook", "patience", "start", "quantiser", "gradient", "distance", "beta", "dimension", "patch",
    "dataset", "steps", "learning_rate", "seed",
)  # fmt: skip


def codebook() -> None:
    """Draw the part."""
    picture, panel = st.columns([3, 1], gap="medium")  # the browser has its best layout from 900 pixels on
    with panel:
        chosen = image_settings(VQVAE, LEADING)
        train(chosen)
    trained = shown(chosen)
    with picture:
        pipeline_caption(_steps(models.declared(trained)))
        stage(chosen, trained)
    st.header("Check", anchor="check")
    measured_checks(CodebookChecks(**seen_by_view(trained)), key="vqvae")
    st.header("Try", anchor="try")
    try_section(IMAGES, _apply, key="try_codebook")
    st.header("Compare A | B", anchor="compare")
    ab_section(chosen, ab_controls(chosen, FIELDS), _side)
    st.header("Take it home", anchor="home")
    _take_home(chosen, trained)


def _steps(declared: VQVAE) -> list[str]:
    channels, height, width = models.shape_of(declared)
    rows, columns = height // declared.patch, width // declared.patch
    return [
        f"{height}×{width}{' colour' if channels == 3 else ''} pixels", f"{rows}×{columns} outputs",
        f"{rows}×{columns} codes of {declared.codes}", "decoder",
    ]  # fmt: skip


def _apply(preset: Preset) -> None:
    apply_settings(VQVAE, preset.settings)
    if preset.against:
        st.session_state["b_field"] = next(iter(preset.against))
        apply_settings(VQVAE, {**preset.settings, **preset.against}, prefix="b_")
        st.toast("A and B stand side by side under Compare.", icon=":material/arrow_downward:")
    show("codebook")


def _side(experiment: VQVAE, side: str) -> None:
    """One trained model; where it is not trained, the button that trains it."""
    trained = store.find(experiment)
    if trained is not None:
        found = models.finished_reels(trained)
        if found:
            reel_player(
                found[0], key=f"ab_{side}", height=220, time=float(found[0].times[-1]), sync="ab",
                classroom=in_classroom(), alt=f"{side.upper()}: held-out images and what comes back.",
            )  # fmt: skip
        st.caption(figures_line(store.metrics(trained)))
        return
    st.caption("Not trained yet.")
    start_button(experiment, f"Train {side.upper()}", lambda _: None, key=f"train_{side}")


def _take_home(chosen: VQVAE, trained: Trained) -> None:
    name = f"{trained.experiment.topic}-{trained.experiment.key[:8]}"
    model, figures, reels = store.model(trained), store.metrics(trained), models.finished_reels(trained)
    files = [
        Export("Training (CSV)", f"{name}.csv", "text/csv", lambda: metrics_csv(figures)),
        Export("Weights", f"{name}.safetensors", "application/octet-stream", lambda: weights(model, trained)),
    ]
    if reels:
        files = [
            Export("GIF", f"{name}.gif", "image/gif", lambda: reel_gif(reels[0])),
            Export("MP4", f"{name}.mp4", "video/mp4", lambda: reel_mp4(reels[0])),
            Export("Reel (NPZ)", f"{name}.npz", "application/octet-stream", lambda: reel_npz(reels[0])),
            *files,
        ]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(chosen, rest_of_address(chosen), key="link_codebook")
        export_section(files, key="export_codebook")
    code_section(_code(trained), key="code_codebook")


def _code(trained: Trained) -> str:
    """Python that makes the codes and pictures of the stage, as it stands."""
    declared = models.declared(trained)
    changed = ", ".join(f"{name}={mine!r}" for name, (mine, _) in declared.differences(VQVAE()).items())
    first = "from dgm_core import zoo\n" if trained.source == "shipped" else ""
    return f"""{first}from dgm_core.vqvae import VQVAE
from dgm_core.vqvae.browse import browse
import plotly.express as px

{trained.code("model")}
found = browse(model, VQVAE({changed}).images().test[:16])   # found.codes: (16, h, w)
print("PSNR", found.psnr.mean(), "dB")
px.imshow(found.codes[0]).write_html("codes.html")
"""
