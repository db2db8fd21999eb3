"""What one takes home from a hierarchy of codes: link, film, figures, weights, code."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import streamlit as st

from app import trained as store
from app.furniture import Export, code_section, copy_link, export_section
from app.reel.export import reel_gif, reel_mp4, reel_npz
from app.takeaway import metrics_csv, rest_of_address, weights
from app.trained import Trained
from app.vqvae2 import drawing, models
from app.vqvae2.boards import NAMES
from dgm_core.reel import Reel
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.prior import HierarchicalPrior


def take_levels_home(chosen: VQVAE2, trained: Trained, found: models.Shown | None) -> None:
    """Draw link, files and code of the part with the levels."""
    name = f"{trained.experiment.topic}-{trained.experiment.key[:8]}"
    model, figures, reel = store.model(trained), store.metrics(trained), models.finished_reel(trained)
    files = [*reel_files(name, reel), Export("Training (CSV)", f"{name}.csv", "text/csv", lambda: metrics_csv(figures))]
    if found is not None:
        files.append(Export("Codes (NPZ)", f"{name}-codes.npz", "application/octet-stream", lambda: codes_npz(found)))
    files.append(Export("Weights", f"{name}.safetensors", "application/octet-stream", lambda: weights(model, trained)))
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(chosen, rest_of_address(chosen), key="link_levels")
        export_section(files, key="export_levels")
    code_section(levels_code(trained), key="code_levels")


def reel_files(name: str, reel: Reel | None) -> list[Export]:
    """A reel as GIF, MP4 and NPZ; nothing where there is none."""
    if reel is None:
        return []
    return [
        Export("GIF", f"{name}.gif", "image/gif", lambda: reel_gif(reel)),
        Export("MP4", f"{name}.mp4", "video/mp4", lambda: reel_mp4(reel)),
        Export("Film (NPZ)", f"{name}.npz", "application/octet-stream", lambda: reel_npz(reel)),
    ]


def codes_npz(found: models.Shown) -> bytes:
    """The images shown, their code maps, and what comes back from each prefix of the levels."""
    out = io.BytesIO()
    levels = found.found
    arrays = {"images": levels.images, "psnr": levels.psnr, "bits": levels.bits}
    for name, codes, back in zip(NAMES[levels.levels], levels.codes, levels.reconstructions, strict=True):
        arrays |= {f"codes_{name}": codes, f"up_to_{name}": back}
    np.savez_compressed(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def levels_code(trained: Trained) -> str:
    """Python that makes the codes and pictures of the stage, as it stands."""
    declared = models.declared(trained)
    changed = ", ".join(f"{name}={mine!r}" for name, (mine, _) in declared.differences(VQVAE2()).items())
    first = "from dgm_core import zoo\n" if trained.source == "shipped" else ""
    return f"""{first}from dgm_core.vqvae2 import VQVAE2
from dgm_core.vqvae2.levels import browse_levels
import plotly.express as px

{trained.code("model")}
found = browse_levels(model, VQVAE2({changed}).images().test[:16])
print("PSNR", found.psnr.mean(0).round(2), "dB from one level, from two, …")
px.imshow(found.codes[0][0]).write_html("top-codes.html")   # codes[level]: (16, h, w), the top first
"""


def take_prior_home(chosen: HierarchicalPrior, trained: Trained | None, settings: dict[str, Any]) -> None:
    """Draw link, files and code of the part with the priors."""
    files: list[Export] = []
    if trained is not None:
        name = f"{trained.experiment.topic}-prior-{trained.experiment.key[:8]}"
        model, figures = store.model(trained), store.metrics(trained)
        found = drawing.sampled(trained, **settings)
        files = [
            *reel_files(name, None if isinstance(found, str) else found.reel),
            Export("Training (CSV)", f"{name}.csv", "text/csv", lambda: metrics_csv(figures)),
            Export("Weights", f"{name}.safetensors", "application/octet-stream", lambda: weights(model, trained)),
        ]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(chosen, rest_of_address(chosen), key="link_prior")
        export_section(files, key="export_prior")
    if trained is not None:
        code_section(prior_code(trained, settings), key="code_prior")


def prior_code(trained: Trained, settings: dict[str, Any]) -> str:
    """Python that draws the images of the stage, as it stands."""
    experiment, temperatures = trained.experiment, tuple(settings["temperatures"])
    assert isinstance(experiment, HierarchicalPrior)
    return f"""from dgm_core import zoo
from dgm_core.vqvae2.prior import HierarchicalPrior
from dgm_core.vqvae2.prior_maps import source_model
from dgm_core.vqvae2.sampling import draw_hierarchy
from dgm_core.vqvae2.sampling_film import sampling_reel
import torch

{trained.code("law")}
_, autoencoder = source_model("{experiment.source}")
noise = torch.Generator().manual_seed({settings["seed"]})
drawn = draw_hierarchy(law, 8, temperature={temperatures}, top_k={settings["top_k"]}, generator=noise)
film = sampling_reel(autoencoder, drawn.codes)   # film.frames: (T, 1, 8, H, W, 3), the top first
print("bits", (-drawn.log_prob / torch.log(torch.tensor(2.0))).round(decimals=1))
"""
