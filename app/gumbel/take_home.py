"""What one takes home from a discrete VAE: link, reel, figures, weights, code."""

from __future__ import annotations

import streamlit as st

from app import trained as store
from app.furniture import Export, code_section, copy_link, export_section
from app.gumbel import reels
from app.reel.export import reel_gif, reel_mp4, reel_npz, reel_png
from app.takeaway import metrics_csv, rest_of_address, weights
from app.trained import Trained
from dgm_core.gumbel.experiment import DiscreteVAE
from dgm_core.reel import Reel


def take_home(vae: DiscreteVAE, shown: Trained) -> None:
    """Draw link, files and code."""
    reel = reels.melting_reel(shown)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(vae, rest_of_address(vae), key="link_vae")
        export_section([*_of_reel(shown, reel), *_of_training(shown)], key="export_vae")
    code_section(code(shown), key="code_vae")


def _of_reel(shown: Trained, reel: Reel | None) -> list[Export]:
    if reel is None:
        return []
    name = _name(shown)
    return [
        Export("PNG", f"{name}.png", "image/png", lambda: reel_png(reel, -1)),
        Export("GIF", f"{name}.gif", "image/gif", lambda: reel_gif(reel)),
        Export("MP4", f"{name}.mp4", "video/mp4", lambda: reel_mp4(reel)),
        Export("Reel (NPZ)", f"{name}.npz", "application/octet-stream", lambda: reel_npz(reel)),
    ]


def _of_training(shown: Trained) -> list[Export]:
    model, figures, name = store.model(shown), store.metrics(shown), _name(shown)
    return [
        Export("Training (CSV)", f"{name}.csv", "text/csv", lambda: metrics_csv(figures)),
        Export("Weights", f"{name}.safetensors", "application/octet-stream", lambda: weights(model, shown)),
    ]


def _name(shown: Trained) -> str:
    return f"{shown.experiment.topic}-{shown.experiment.key[:8]}"


def code(shown: Trained) -> str:
    """Python that makes the stage's picture, as it stands."""
    first = {"shipped": "from dgm_core import zoo\n", "run": "from dgm_core.gumbel import DiscreteVAE\n"}[shown.source]
    declared = "zoo.experiment" if shown.source == "shipped" else ""
    images = (
        f'{declared}("{shown.name}").images()' if declared else f"{_declaration(shown.experiment)}.images()"
    )  # fmt: skip
    return f"""{first}from dgm_core.gumbel.vae_views import melting
import plotly.express as px

{shown.code("model")}
images = {images}
reel = melting(model, images.held_out[images.pictured])   # reel.frames: (τ, row, image, H, W)
rows = reel.at(0.5).transpose(0, 2, 1, 3).reshape(3 * reel.frames.shape[3], -1)
px.imshow(rows, color_continuous_scale="gray").write_html("codes.html")
"""


def _declaration(experiment: object) -> str:
    assert isinstance(experiment, DiscreteVAE)
    changed = experiment.differences(DiscreteVAE())
    return f"DiscreteVAE({', '.join(f'{name}={mine!r}' for name, (mine, _) in changed.items())})"
