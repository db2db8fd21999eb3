"""A page for the reel player's tests: what is shown and how stands in the page's address."""

import json

import streamlit as st

from app.reel import reel_player
from dgm_core.reel import Reel
from tests.browser.moving_blocks import COLUMNS, ROWS, SIDE, blocks


@st.cache_resource
def cached(frames: int, colour: bool, rows: int, columns: int, side: int) -> Reel:
    """One Reel object for all reruns."""
    return blocks(frames, colour=colour, rows=rows, columns=columns, side=side)


st.set_page_config(layout="wide")
query = st.query_params
if "more" not in st.session_state:
    st.session_state.more = 0
with st.container(horizontal=True):
    if st.button("Grow"):
        st.session_state.more += 4
    if st.button("Forget"):  # Python believes that the browser holds what it does not
        st.session_state["dgm:reel:reel"] = cached(2, False, ROWS, COLUMNS, SIDE) and "of another browser"
    st.button("Rerun")
sizes = [int(query.get(name, default)) for name, default in (("rows", ROWS), ("columns", COLUMNS), ("side", SIDE))]
shown = cached(int(query.get("frames", 12)) + st.session_state.more, "colour" in query, *sizes)
event = reel_player(
    shown, key="reel", alt="Blocks that grow brighter.", title=query.get("title", ""), ends=("untrained", "trained"),
    pick="pick" in query, report_time=True, follow="follow" in query, autoplay="autoplay" in query,
    classroom="classroom" in query, height=int(query.get("height", 400)), loop=query.get("loop", "ping-pong"),
)  # fmt: skip
st.code(json.dumps({"cell": event.cell, "time": event.time, "shown": event.shown}), language="json")
