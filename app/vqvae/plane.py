"""The plane: points, outputs, codes and their cells, step by step; collapse, and its cure."""

from __future__ import annotations

import streamlit as st

from app import trained as store
from app.bones.notes import notes
from app.controls import apply_settings, controls
from app.furniture import code_section, copy_link, in_classroom, try_section
from app.services import runner
from app.takeaway import rest_of_address
from app.trained import Trained
from app.voronoi import PlaneView, voronoi_stage
from dgm_core.presets import Preset
from dgm_core.vqvae.plane_film import PlaneFilm
from dgm_core.vqvae.plane_view import CodebookPlane
from dgm_core.vqvae.presets import PLANE

PREFIX = "p_"
LAST = "dgm:vqvae:plane"
HEIGHT = 600
POLL = 0.2


def plane() -> None:
    """Draw the part."""
    picture, panel = st.columns([3, 2], gap="large")
    with panel:
        chosen = controls(CodebookPlane, prefix=PREFIX)
    with picture:
        _stage(chosen)
    st.header("Try", anchor="try")
    try_section(PLANE, _apply, key="try_plane")
    st.header("Take it home", anchor="home")
    copy_link(chosen, rest_of_address(chosen), key="link_plane")
    code_section(_code(chosen), key="code_plane")


def _stage(chosen: CodebookPlane) -> None:
    """The film of these settings, made in a worker; until it is there the last one stays."""
    run = runner().submit(chosen)
    live = runner().watch(run.id).live

    @st.fragment(run_every=POLL if live else None)
    def stage() -> None:
        snapshot = runner().watch(run.id)
        if snapshot.state == "done":
            st.session_state[LAST] = Trained("run", run.id, chosen)
        elif not snapshot.live:
            notes([snapshot.reason])
        shown: Trained | None = st.session_state.get(LAST)
        if shown is None:
            st.caption("The first picture comes in a moment.")
        else:
            _draw(shown)
        if live and not snapshot.live:
            st.rerun()

    stage()


def _draw(shown: Trained) -> None:
    view = _view(shown)
    if view is None:
        st.caption("This run has left no film.")
        return
    voronoi_stage(
        view, key="plane", alt="Points, encoder outputs and codes with their Voronoi cells, step by step.",
        height=HEIGHT, loop="once", autoplay=True, classroom=in_classroom(),
    )  # fmt: skip


@st.cache_resource(show_spinner=False, max_entries=24, hash_funcs=store.BY_NAME)
def _view(shown: Trained) -> PlaneView | None:
    packed = store.artifact(shown, "plane")
    experiment = shown.experiment
    assert isinstance(experiment, CodebookPlane)
    return PlaneView.of(PlaneFilm.from_bytes(packed), experiment.encoder != "fixed") if packed is not None else None


def _apply(preset: Preset) -> None:
    apply_settings(CodebookPlane, preset.settings, prefix=PREFIX)


def _code(chosen: CodebookPlane) -> str:
    changed = chosen.differences(CodebookPlane())
    fields = ", ".join(f"{name}={mine!r}" for name, (mine, _) in changed.items())
    return f"""from dgm_core.vqvae.plane_view import CodebookPlane
import plotly.express as px

film = CodebookPlane({fields}).film()   # film.codes: (T, K, 2)
print("distortion", film.distortion[0], "to", film.distortion[-1], " k-means", film.kmeans_distortion)
px.line(x=film.steps, y=film.distortion, labels={{"x": "step", "y": "distortion"}}).write_html("plane.html")
"""
