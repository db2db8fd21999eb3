"""The VAE's stage: reconstructions that melt with the temperature, a code to edit, the training as a reel."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import trained as store
from app.figures.gumbel import code_map
from app.furniture import chart, in_classroom, is_dark, pipeline_caption, scale, switch
from app.gumbel import reels
from app.reel import reel_player
from app.services import runner
from app.trained import Trained
from app.training_panel import POLL, active_run
from dgm_core.gumbel.experiment import DiscreteVAE

VIEW = "gumbel_view"
VIEWS = {"codes": "Codes and temperature", "training": "Its training"}
FIRST = "gumbel-digits"
EDIT = "dgm:gumbel:edit"
SIDE = 120
"""Pixels of an image below the code map, at a desk."""


def show(view: str) -> None:
    """Turn the stage to the codes or to the training; for callbacks."""
    st.session_state[VIEW] = view


def stage(vae: DiscreteVAE) -> Trained:
    """Draw the stage for these settings; it follows a live run by itself. Returns what is shown."""
    run = active_run(vae)
    live = run is not None and runner().watch(run).live
    trained = store.shown(vae, run, FIRST)

    @st.fragment(run_every=2 * POLL if live else None)
    def picture() -> None:
        if switch("Show", VIEWS, key=VIEW, default="codes") == "training":
            _training(trained, run)
        else:
            _codes(vae, trained)

    picture()
    return trained


def _training(trained: Trained, run: str | None) -> None:
    snapshot = runner().watch(run) if run is not None else None
    reel = reels.live_training_reel(snapshot) if snapshot is not None else reels.finished_training_reel(trained)
    if reel is None:
        st.caption("The first picture comes with the first steps.")
        return
    reel_player(
        reel, key="gumbel_training", alt="Reconstructions and samples after more and more training steps.", height=420,
        ends=("untrained", "trained"), follow=snapshot is not None and snapshot.live, loop="once",
        time=None if snapshot is not None and snapshot.live else float(reel.times[-1]), classroom=in_classroom(),
    )  # fmt: skip


def _codes(vae: DiscreteVAE, trained: Trained) -> None:
    """The reel over τ, and below it one image's code."""
    if trained.experiment != vae:
        st.caption("These settings are not trained yet; this is the last model that is.")
    declared = reels.declared(trained)
    reel = reels.melting_reel(trained)
    if reel is None:
        st.caption("This run has left no reel.")
        return
    event = reel_player(
        reel, key="melting", alt="Ten digits, decoded from hard and from relaxed codes, as the temperature moves.",
        height=420, ends=("hard", "melted"), loop="ping-pong", time=0.5, pick=True, classroom=in_classroom(),
    )  # fmt: skip
    pipeline_caption([
        f"{'×'.join(map(str, reel.frames.shape[3:5]))} pixels", f"{declared.latents} latents",
        f"{declared.categories} categories each", "decoder",
    ])  # fmt: skip
    _edit(trained, event.cell[1] if event.cell else 0)
    _prior(trained)


def _edit(trained: Trained, column: int) -> None:
    """The code of the image picked above: where its probability lies, and what another choice decodes to."""
    codes = reels.codes_of(trained, column)
    reel = reels.melting_reel(trained)
    if codes is None or reel is None:
        return
    name = f"{EDIT}:{trained.name}:{column}"
    code = np.array(st.session_state.get(name, codes.hard[0]))
    st.caption("Pick an image above; pick a cell here to change its code.")
    figure = code_map(codes.probabilities[0], code, dark=is_dark(), scale=scale())
    cell = chart(figure, f"code:{trained.name}:{column}", select="cell")
    if cell and _changed(name, code, cell):
        st.rerun(scope="fragment")
    decoded = [reels.picture_of(trained, one) for one in (codes.hard[0], code)]
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        for picture, word in zip(
            (reel.frames[0, 0, column], *decoded), ("input", "likeliest code", "your code"), strict=True
        ):
            with st.container(width=SIDE):
                st.image(enlarged(picture), caption=word)
        if (code != codes.hard[0]).any():
            st.button("Back to its code", icon=":material/undo:", on_click=st.session_state.pop, args=(name, None))


def _changed(name: str, code: np.ndarray, cell: dict[str, int]) -> bool:
    """Take a picked cell into the code; whether that changed it."""
    latent, category = int(cell["latent"]) - 1, int(cell["category"]) - 1
    seen = f"{name}:seen"
    if st.session_state.get(seen) == (latent, category) or not 0 <= latent < len(code):
        return False
    st.session_state[seen] = (latent, category)
    code[latent] = category
    st.session_state[name] = code.tolist()
    return True


def _prior(trained: Trained) -> None:
    """Samples: codes drawn uniformly, decoded."""
    with st.expander("Samples from the prior", icon=":material/casino:"):
        seed = int(st.number_input("Seed of the samples", 0, 999_999, 0, key="gumbel_prior_seed"))
        pictures = reels.samples_of(trained, 12, seed)
        with st.container(horizontal=True, gap="small"):
            for picture in pictures:
                st.image(enlarged(picture, 72))


def enlarged(picture: np.ndarray, side: int = SIDE) -> np.ndarray:
    """A small image with each pixel as a square, at least ``side`` pixels high."""
    factor = max(1, round(2 * side / picture.shape[0]))
    grown: np.ndarray = picture.repeat(factor, 0).repeat(factor, 1)
    return grown
