"""A page for the manifolds stage's tests: its arguments stand in the page's address, what it returns below."""

import numpy as np
import streamlit as st

from app.manifolds import manifolds_stage
from dgm_core.metrics.manifolds import manifolds

st.set_page_config(layout="wide")
query = st.query_params
n, m = int(query.get("n", 300)), int(query.get("m", 200))
shift, seed = float(query.get("shift", 0.5)), int(query.get("seed", 0))
random = np.random.default_rng(seed)
real, fake = random.normal(size=(n, 2)), 0.8 * random.normal(size=(m, 2)) + [shift, 0]
st.button("Rerun")
k = manifolds_stage(
    manifolds(real, fake, int(query.get("kmax", 50)), printed="printed" in query),
    key="stage",
    k=int(query.get("k", 3)),
    height=int(query.get("height", 480)),
    classroom="classroom" in query,
)
st.code(str(k), language=None)
