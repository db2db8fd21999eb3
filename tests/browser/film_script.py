"""A page for the player's tests: a Gaussian whose mean runs half round a circle, known in closed form."""

import json

import numpy as np
import streamlit as st

from app.film import film_player
from dgm_core.film import Film, lattice

EXTENT, SIZE, FRAMES, SIGMA, RADIUS = (-4.0, 4.0, -4.0, 4.0), 128, 61, 0.6, 2.0


def mean(t: np.ndarray) -> np.ndarray:
    """Half a turn from (2, 0) over (0, 2) to (−2, 0): (T,) → (T, 2)."""
    return RADIUS * np.stack([np.cos(np.pi * t), np.sin(np.pi * t)], -1)


def film(frames: int, sigma: float) -> Film:
    """The moving Gaussian with particles, its velocity field and a grid that moves with it."""
    times, rng = np.arange(frames) / (FRAMES - 1), np.random.default_rng(0)
    centre, cells = mean(times), lattice(EXTENT, SIZE, SIZE)
    square = ((cells - centre[:, None, None]) ** 2).sum(-1)
    log_prob = (-square / (2 * sigma**2) - np.log(2 * np.pi * sigma**2)).astype(np.float32)
    particles = centre[:, None] + sigma * rng.standard_normal((2000, 2))
    coarse = lattice(EXTENT, 16, 16)
    spin = np.pi * np.stack([-coarse[..., 1], coarse[..., 0]], -1)
    line = np.linspace(-1.2, 1.2, 25)
    rows = [np.stack([line, np.full(25, c)], -1) for c in np.linspace(-1.2, 1.2, 9)]
    lines = np.array(rows + [row[:, ::-1] for row in rows])
    return Film(
        times, log_prob, EXTENT, particles.astype(np.float32),
        np.broadcast_to(spin, (frames, 16, 16, 2)).astype(np.float32),
        (centre[:, None, None] + lines).astype(np.float32),
    )  # fmt: skip


@st.cache_resource
def cached(frames: int, sigma: float) -> Film:
    """One Film object for all reruns."""
    return film(frames, sigma)


st.set_page_config(layout="wide")
query = st.query_params
frames, sigma = int(query.get("frames", FRAMES)), SIGMA
if "more" not in st.session_state:
    st.session_state.more = 0
with st.container(horizontal=True):
    if st.button("Grow"):
        st.session_state.more += 10
    log = st.toggle("Log", value=False)
shown = cached(frames + st.session_state.more, sigma)
jacobians = np.broadcast_to(np.eye(2), (len(shown.times), 2, 2)) * (0.5 + shown.times)[:, None, None]
extra = {"path": mean(shown.times), "ellipses": jacobians} if "path" in query else {}
event = film_player(
    shown, key="film", alt="A Gaussian that runs round a circle.", title=query.get("title", ""),
    scale="log" if log else "linear", layers=query.get("layers", "density").split(","),
    pick="pick" in query, report_time=True, follow="follow" in query, autoplay="autoplay" in query,
    classroom="classroom" in query, height=int(query.get("height", 512)),
    points=shown.particles[-1, :500] if "points" in query else None, sync=query.get("sync"), **extra,
)  # fmt: skip
if query.get("sync"):
    film_player(
        cached(31, 1.0), key="second", alt="The same, wider.", layers=("density",), sync=query["sync"], height=300
    )
st.code(json.dumps({"point": event.point, "time": event.time, "shown": event.shown}), language="json")
