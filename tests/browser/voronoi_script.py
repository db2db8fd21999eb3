"""A page for the plane's stage: what is shown stands in the page's address, what comes back below."""

import json
from dataclasses import asdict

import streamlit as st

from app.voronoi import PlaneView, voronoi_stage
from dgm_core.vqvae.plane_view import CodebookPlane


@st.cache_resource
def made(encoder: str, codes: int, count: int, start: str, steps: int, patience: int) -> PlaneView:
    """One object for all reruns."""
    plane = CodebookPlane(
        encoder=encoder, codes=codes, count=count, start=start, steps=steps, patience=patience, points="pinwheel"
    )
    return PlaneView.of(plane.film(), encoder != "fixed")


st.set_page_config(layout="wide")
query = st.query_params
with st.container(horizontal=True):
    more = st.toggle("More codes")
    st.button("Rerun")
view = made(
    query.get("encoder", "free"), int(query.get("codes", 8)) + 4 * more, int(query.get("count", 200)),
    query.get("start", "random"), int(query.get("steps", 40)), int(query.get("patience", 0)),
)  # fmt: skip
settings = {"layers": query["layers"].split(",")} if "layers" in query else {}
event = voronoi_stage(
    view, key="plane", alt="Codes divide the plane among them.", height=int(query.get("height", 512)),
    classroom="classroom" in query, pick="pick" in query, report_time="report" in query, autoplay="autoplay" in query,
    **settings,
)  # fmt: skip
st.code(json.dumps(asdict(event)), language="json")
