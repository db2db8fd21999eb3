"""Beside the stage: intervals of the four numbers, the PRD curve, Fréchet and kernel distance."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import streamlit as st

from app.bones.notes import notes
from app.figures.precision_recall import interval_chart, prd_chart
from app.furniture import asked_for, chart, is_dark, scale
from app.services import runner
from dgm_core.precision_recall.views import PairChecks, PairFigures

POLL = 0.4
NAMES = ("precision", "recall", "density", "coverage")


def beside(shown: PairChecks) -> None:
    """Draw what a worker measures of the sets shown, once it is there."""
    run = asked_for(PairFigures(**shown.model_dump()))
    if run is None:
        return
    live = runner().watch(run.id).live

    @st.fragment(run_every=POLL if live else None)
    def figures() -> None:
        snapshot = runner().watch(run.id)
        if snapshot.state == "done":
            _draw(_figures(run.id), shown.k)
        elif snapshot.live:
            st.caption("Measuring…")
        else:
            notes([snapshot.reason])
        if live and not snapshot.live:
            st.rerun()

    figures()


@st.cache_data(show_spinner=False, max_entries=64)
def _figures(run: str) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(runner().store.load_artifact(run, "figures") or b""), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _draw(found: dict[str, np.ndarray], k: int) -> None:
    look: dict[str, Any] = {"dark": is_dark(), "scale": scale()}
    left, right = st.columns(2, gap="large")
    chart(interval_chart(NAMES, found["values"], found["low"], found["high"], **look), "intervals", place=left)
    left.caption(
        f"At k = {k}, with 95 % bootstrap intervals: the balls stay, the points that are tested are drawn again."
    )
    chart(prd_chart(found["precision"], found["recall"], **look), "prd", place=right)
    value, error = found["kid"]
    right.caption(
        f"Sajjadi's curve on 20 clusters: $F_8$ {found['f8'][0]:.3f} (recall), $F_{{1/8}}$ {found['f8'][1]:.3f} "
        f"(precision). Of the points as they are: Fréchet distance {found['frechet']:.3f}, "
        f"kernel distance {value:.3g} ± {error:.1g}."
    )
