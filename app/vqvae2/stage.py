"""The stage of the levels: the board of a trained model, or its training as a reel."""

from __future__ import annotations

import streamlit as st

from app import trained as store
from app.bones.notes import notes
from app.furniture import in_classroom, switch
from app.reel import reel_player
from app.services import runner
from app.trained import Trained
from app.training_panel import POLL, active_run
from app.vqvae2 import models
from app.vqvae2.board import board_stage
from app.vqvae2.own_pictures import brought, upload
from dgm_core.vqvae2.experiment import VQVAE2

VIEWS = {"levels": "Levels", "training": "Its training"}
HEIGHT = 440
ITEM = "image"
"""Of the link: which image is shown."""


def shown(chosen: VQVAE2) -> Trained:
    """What answers for these settings, or what was shown last."""
    return store.shown(chosen, active_run(chosen), models.FIRST)


def stage(chosen: VQVAE2, trained: Trained) -> models.Shown | None:
    """Draw the stage for these settings; it follows a live run by itself. Returns the images through the levels."""
    run = active_run(chosen)
    live = run is not None and runner().watch(run).live
    found = models.images_through(trained, brought(models.shape_of(trained)))

    @st.fragment(run_every=2 * POLL if live else None)
    def picture() -> None:
        if switch("Show", VIEWS, key=models.VIEW, default="levels") == "training":
            _training(trained, run)
            return
        if trained.experiment != chosen:
            st.caption("These settings are not trained yet; this is the last model that is.")
        if isinstance(found, str):
            notes([found])
        else:
            _levels(found)

    picture()
    upload()
    return None if isinstance(found, str) else found


def _training(trained: Trained, run: str | None) -> None:
    snapshot = runner().watch(run) if run is not None else None
    reel = models.live_reel(snapshot) if snapshot is not None else models.finished_reel(trained)
    if reel is None:
        st.caption("The first picture comes with the first steps.")
        return
    following = snapshot is not None and snapshot.live
    reel_player(
        reel, key="vqvae2_training", alt="Held-out images from more and more of the levels, while they are learned.",
        height=HEIGHT + 40, ends=("untrained", "trained"), follow=following, loop="once",
        time=None if following else float(reel.times[-1]), classroom=in_classroom(),
    )  # fmt: skip


def _levels(found: models.Shown) -> None:
    told = st.query_params.get(ITEM, "")
    item = int(told) if told.isascii() and told.isdigit() and len(told) < 4 else 0
    event = board_stage(
        found.board, key="levels_board", height=HEIGHT, item=min(item, found.board.items - 1), classroom=in_classroom(),
        alt="An image from more and more of the levels, what each level adds, and its code maps.",
    )  # fmt: skip
    if event.item is not None and str(event.item) != told:
        st.query_params[ITEM] = str(event.item)
    st.caption(found.verdict)
