"""A page for the player's tests: what is shown and how stands in the page's address."""

import json

import numpy as np
import streamlit as st

from app.film import film_player
from dgm_core.film import Film
from tests.browser.moving_gaussian import FRAMES, SIGMA, SIZE, film, mean


@st.cache_resource
def cached(frames: int, sigma: float, size: int) -> Film:
    """One Film object for all reruns."""
    return film(frames, sigma, size)


st.set_page_config(layout="wide")
query = st.query_params
frames, size = int(query.get("frames", FRAMES)), int(query.get("size", SIZE))
if "more" not in st.session_state:
    st.session_state.more = 0
with st.container(horizontal=True):
    if st.button("Grow"):
        st.session_state.more += 10
    log = st.toggle("Log", value=False)
shown = cached(frames + st.session_state.more, SIGMA, size)
jacobians = np.broadcast_to(np.eye(2), (len(shown.times), 2, 2)) * (0.5 + shown.times)[:, None, None]
extra = {"path": mean(shown.times), "ellipses": jacobians} if "path" in query else {}
event = film_player(
    shown, key="film", alt="A Gaussian that runs round a circle.", title=query.get("title", ""),
    scale="log" if log else "linear", layers=query.get("layers", "density").split(","),
    pick="pick" in query, report_time=True, follow="follow" in query, autoplay="autoplay" in query,
    classroom="classroom" in query, height=int(query.get("height", 512)), loop=query.get("loop", "ping-pong"),
    points=shown.particles[-1, :500] if "points" in query else None, sync=query.get("sync"), **extra,
)  # fmt: skip
if query.get("sync"):
    film_player(
        cached(31, 1.0, SIZE), key="second", alt="The same, wider.", layers=("density",), sync=query["sync"], height=300
    )
st.code(json.dumps({"point": event.point, "time": event.time, "shown": event.shown}), language="json")
