"""A page for the reel player's tests: what is shown and how stands in the page's address."""

import json
from dataclasses import replace

import streamlit as st

from app.reel import reel_player
from app.reel.payload import encode
from dgm_core.reel import Reel
from tests.browser.moving_blocks import COLUMNS, ROWS, SIDE, blocks


@st.cache_resource
def cached(frames: int, colour: bool, rows: int, columns: int, side: int) -> Reel:
    """One Reel object for all reruns."""
    return blocks(frames, colour=colour, rows=rows, columns=columns, side=side)


@st.cache_resource(hash_funcs={Reel: id})
def renamed(reel: Reel) -> Reel:
    """The same images with longer names."""
    return replace(reel, row_labels=tuple(f"from {name} codes" for name in reel.row_labels))


st.set_page_config(layout="wide")
query = st.query_params
if "more" not in st.session_state:
    st.session_state.more = 0
with st.container(horizontal=True):
    if st.button("Grow"):
        st.session_state.more += 4
    if st.button("Swap"):  # another reel, of which Python believes wrongly that the browser holds it
        st.session_state.swapped = True
        st.session_state["dgm:reel:reel"] = encode(cached(20, False, ROWS, COLUMNS, SIDE)).digest
    st.button("Rerun")
sizes = [int(query.get(name, default)) for name, default in (("rows", ROWS), ("columns", COLUMNS), ("side", SIDE))]
frames = 20 if "swapped" in st.session_state else int(query.get("frames", 12)) + st.session_state.more
shown = cached(frames, "colour" in query, *sizes)
if query.get("names") == "long":
    shown = renamed(shown)
event = reel_player(
    shown, key="reel", alt="Blocks that grow brighter.", title=query.get("title", ""), ends=("untrained", "trained"),
    pick="pick" in query, report_time=True, follow="follow" in query, autoplay="autoplay" in query,
    classroom="classroom" in query, height=int(query.get("height", 400)),
    loop="once" if query.get("loop") == "once" else "ping-pong",
)  # fmt: skip
st.code(json.dumps({"cell": event.cell, "time": event.time, "shown": event.shown}), language="json")
