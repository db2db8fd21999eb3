"""Beside the stage: intervals of the four numbers, the PRD curve, Fréchet and kernel distance."""

from __future__ import annotations

import io
import math
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


def with_error(value: float, error: float) -> str:
    """A number and its standard error, with the digits that this leaves.

    Example:
        >>> with_error(2153.4, 31.2), with_error(0.01234, 0.0021), with_error(0.5, float("nan"))
        ('2,150 ± 30', '0.012 ± 0.002', '0.5')
    """
    if not (math.isfinite(error) and error > 0):
        return f"{value:.3g}"
    digits = -math.floor(math.log10(error))
    return f"{round(value, digits):,.{max(digits, 0)}f} ± {round(error, digits):,.{max(digits, 0)}f}".replace("-", "−")


@st.cache_data(show_spinner=False, max_entries=64)
def _figures(run: str) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(runner().store.load_artifact(run, "figures") or b""), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _draw(found: dict[str, np.ndarray], k: int) -> None:
    look: dict[str, Any] = {"dark": is_dark(), "scale": scale()}
    left, right = st.columns(2, gap="large")
    chart(interval_chart(NAMES, found["values"], found["low"], found["high"], **look), "intervals", place=left)
    left.caption(
        f"At k = {k}, by the paper's formula, with 95 % bootstrap intervals: the balls stay, the points that are "
        "tested are drawn again."
    )
    chart(prd_chart(found["precision"], found["recall"], **look), "prd", place=right)
    value, error = found["kid"]
    right.caption(
        f"Sajjadi's curve on 20 clusters: $F_8$ {found['f8'][0]:.3f} (recall), $F_{{1/8}}$ {found['f8'][1]:.3f} "
        f"(precision). Of the points as they are: Fréchet distance {found['frechet']:.3f}, "
        f"kernel distance {with_error(value, error)}."
    )
