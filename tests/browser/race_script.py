"""A page for the race's tests: its arguments stand in the page's address, what it returns below."""

import json

import streamlit as st

from app.race import category_race

st.set_page_config(layout="wide")
query = st.query_params
logits = [float(logit) for logit in query.get("logits", "0.5,0,-0.5,-inf").split(",")]
event = category_race(
    key="race",
    logits=logits,
    tau=float(query.get("tau", 1)),
    seed=int(query.get("seed", 3)),
    classroom="classroom" in query,
)
st.code(json.dumps({"logits": event.logits, "tau": event.tau, "seed": event.seed}), language="json")
