"""Look closer: one point's way through the flow, linked to the stage."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from app import trained as store
from app.figures.cnf import determinant_text, jacobian_ellipse, log_prob_along
from app.figures.trajectories import trajectories_3d
from app.film import picked
from app.furniture import chart, is_dark, scale
from app.trained import Trained
from dgm_core.cnf.pathway import Pathway, pathway
from dgm_core.film import Film

PATHS = 60
"""Trajectories in the figure that can be turned: enough to see the flow, few enough to turn smoothly."""


def story_of(trained: Trained, film: Film, player: str) -> Pathway | None:
    """The way of the point that was picked in the player, or None."""
    event = picked(player, film.extent)
    if event.point is None or event.time is None:
        return None
    return _story(trained, event.point, float(np.clip(event.time, 0.0, 1.0)))


@st.cache_data(show_spinner=False, max_entries=256)
def _story(trained: Trained, point: tuple[float, float], time: float) -> Pathway:
    from app.cnf.films import flow_film  # the film is cached there, and only its reading here

    film = flow_film(trained)
    assert film is not None
    flow: Any = store.model(trained)
    return pathway(flow, point, time, film.times, film)


def closer(story: Pathway | None, film: Film) -> None:
    """Draw what is known of the point that was picked."""
    if story is None:
        st.caption("Click the picture: where does this point come from, and how does its density change on the way?")
        return
    left, right = st.columns([3, 2])
    known = story.from_film if story.from_film is not None else story.log_prob
    base = float(story.log_prob[0] - story.change[0])
    look: dict[str, Any] = {"dark": is_dark(), "scale": scale()}
    chart(log_prob_along(story.times, known, story.change, None, base, **look), "along", place=left)
    chart(jacobian_ellipse(story.jacobian[-1], **look), "ellipse", place=right)
    st.caption(
        f"From ({story.path[0, 0]:.2f}, {story.path[0, 1]:.2f}) to ({story.path[-1, 0]:.2f}, {story.path[-1, 1]:.2f}): "
        f"{determinant_text(story.jacobian[-1])}."
    )
    if film.particles is not None and st.toggle("In space and time", key="in_3d"):
        _turn(story, film)


def _turn(story: Pathway, film: Film) -> None:
    """The same trajectory among others, to be turned."""
    assert film.particles is not None
    paths = np.concatenate([film.particles[:, :PATHS], story.path[:, None]], axis=1)
    st.plotly_chart(
        trajectories_3d(paths, film.times, chosen=PATHS, dark=is_dark(), scale=scale()), key="turn", theme=None
    )
