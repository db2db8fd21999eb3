"""Mix: the top of one image with the bottom of another, and one top with many bottoms that a law draws."""

from __future__ import annotations

import io

import numpy as np
import streamlit as st

from app.bones.notes import notes
from app.film.writers import png
from app.furniture import (
    Export,
    code_section,
    copy_link,
    export_section,
    in_classroom,
    measured_checks,
    switch,
    try_section,
)
from app.reel import reel_player
from app.takeaway import rest_of_address
from app.trained import Trained, seen_by_view
from app.vqvae2 import drawing, mixing, models
from app.vqvae2.board import board_stage
from app.vqvae2.choose import autoencoder, held, prior_of, whole
from app.vqvae2.take_home import reel_files
from dgm_core.presets import Preset
from dgm_core.reel import Reel
from dgm_core.vqvae2.presets import MIX
from dgm_core.vqvae2.views import HierarchyChecks

VIEW = "mixed"
VIEWS = {"grid": "A × B", "bottoms": "One top, many bottoms"}
HEIGHT = 480
AGAIN = {"as-is": "As in B", "again": "Anew"}


def mix() -> None:
    """Draw the part."""
    picture, panel = st.columns([7, 2], gap="medium")
    with picture:
        view = switch("Show", VIEWS, key=VIEW, default="grid")
    with panel:
        trained = autoencoder()
        levels = models.declared(trained).levels
        kept = whole("Levels kept, from the top", 1, levels - 1, 1, key="kept") if levels > 2 else 1
        files = (_bottoms if view == "bottoms" else _grid)(trained, kept, picture)
    st.header("Check", anchor="check")
    measured_checks(HierarchyChecks(**seen_by_view(trained)), key="mix")
    st.header("Try", anchor="try")
    try_section(MIX, _apply, key="try_mix")
    st.header("Take it home", anchor="home")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        experiment = models.declared(trained)
        copy_link(experiment, rest_of_address(experiment), key="link_mix")
        export_section(files, key="export_mix")
    code_section(mix_code(trained, kept), key="code_mix")


def _grid(trained: Trained, kept: int, picture: st.delta_generator.DeltaGenerator) -> list[Export]:
    """Every top with every bottom."""
    last = models.SHOWN - max(mixing.ROWS, mixing.COLUMNS)
    first = whole("A from image", 0, last, 0, key="a")
    second = whole("B from image", 0, last, mixing.ROWS, key="b")
    way = switch("B's lower codes", AGAIN, key="lower", default="as-is")
    found = mixing.mixed(trained, kept, first, second, way == "again")
    with picture:
        if isinstance(found, str):
            notes([found])
            return []
        board_stage(
            found.board, key="mix_board", height=HEIGHT, classroom=in_classroom(),
            alt=f"Every {found.upper} of five images with every {found.lower} of six others, decoded.",
        )  # fmt: skip
        st.caption(WORDS[way or "as-is"].format(share=100 * found.changed))
    return [
        Export("PNG", "mixed.png", "image/png", lambda: png(mixing.sheet(found.pictures))),
        Export("NPZ", "mixed.npz", "application/octet-stream", lambda: _npz(found.pictures)),
    ]


WORDS = {
    "as-is": "Each lower code was chosen for B's own top. Under A's it says something else: E_bottom has seen e_top.",
    "again": "E_bottom looks at B and is told A's codes: {share:.0f} % of the lower codes are others than under B's "
    "own top.",
}


def _bottoms(trained: Trained, kept: int, picture: st.delta_generator.DeltaGenerator) -> list[Export]:
    """One top a column, its lower codes drawn several times."""
    law = prior_of(trained)
    temperature = held("Temperature", 0.0, 2.0, 1.0, step=0.05, key="m_temperature")
    first = whole("From image", 0, models.SHOWN - drawing.COLUMNS, 0, key="a")
    seed = whole("Seed", 0, 99, 0, key="m_seed")
    with picture:
        if law is None:
            notes(["No law of this model's codes is trained yet; the part Prior trains one."])
            return []
        found = drawing.bottoms(law, temperature, seed, first, kept)
        if isinstance(found, str):
            notes([found])
            return []
        _player(found)
    return reel_files("bottoms", found)


def _player(reel: Reel) -> None:
    reel_player(
        reel, key="bottoms", alt="Images whose top codes are kept while the lower ones are drawn anew.", height=HEIGHT,
        ends=("kept levels", "all levels"), loop="once", autoplay=True, classroom=in_classroom(),
    )  # fmt: skip


def _apply(preset: Preset) -> None:
    for name, value in preset.settings.items():
        st.session_state[name] = value


def _npz(pictures: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, pictures=pictures)
    return out.getvalue()


def mix_code(trained: Trained, kept: int) -> str:
    """Python that mixes two images' codes, as it stands."""
    declared = models.declared(trained)
    changed = ", ".join(f"{name}={mine!r}" for name, (mine, _) in declared.differences(type(declared)()).items())
    first = "from dgm_core import zoo\n" if trained.source == "shipped" else ""
    return f"""{first}from dgm_core.vqvae2 import VQVAE2
import plotly.express as px
import torch

{trained.code("model")}
a, b = torch.tensor(VQVAE2({changed}).images().test[[0, 5]])[:, None].float() / 255
codes = (*model.codes(a)[:{kept}], *model.codes(b)[{kept}:])   # the top of a, what is below of b
image = model.decode_codes(codes)[0].permute(1, 2, 0).numpy()
px.imshow(image.squeeze()).write_html("mixed.html")
"""
