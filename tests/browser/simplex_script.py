"""A page for the simplex stage's tests: its arguments stand in the page's address, what it returns below."""

import json

import streamlit as st

from app.simplex import simplex_stage

st.set_page_config(layout="wide")
query = st.query_params
with st.container(horizontal=True):
    hot = st.toggle("Hot")
    st.button("Rerun")
event = simplex_stage(
    key="stage",
    pi=[float(weight) for weight in query.get("pi", "0.6,0.3,0.1").split(",")],
    tau=5.0 if hot else float(query.get("tau", 1)),
    samples=int(query.get("samples", 2000)),
    seed=int(query.get("seed", 0)),
    height=int(query.get("height", 560)),
    autoplay=query.get("autoplay"),
    classroom="classroom" in query,
    show=query.get("show", "cloud,density,bars").split(","),
    mode=query.get("mode", "soft"),
    scale=query.get("scale", "linear"),
)
st.code(json.dumps({"pi": event.pi, "tau": event.tau, "number": event.number}), language="json")
