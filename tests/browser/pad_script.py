"""A page for the pad's tests: what Python receives, in numbers."""

import json

import numpy as np
import streamlit as st

from app.pad import drawing_pad

query = st.query_params
extent = (0.0, 6.0, 0.0, 3.0) if "wide" in query else (-4.0, 4.0, -4.0, 4.0)
given = np.array([[-1.0, 2.0], [1.0, 2.0], [3.0, -3.0]]) if "given" in query else None
drawn = drawing_pad(key="pad", extent=extent, height=300, points=given)
st.button("Rerun")
told = None
if drawn is not None:
    told = {
        "count": len(drawn),
        "mean": drawn.mean(0).tolist(),
        "low": drawn.min(0).tolist(),
        "high": drawn.max(0).tolist(),
    }
st.code(json.dumps(told), language="json")
