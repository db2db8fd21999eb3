"""A page for the eraser's tests: what is erased stands below it."""

import numpy as np
import streamlit as st

from app.eraser import eraser, lower_half, word_of

st.set_page_config(layout="wide")
rows, columns = (int(side) for side in st.query_params.get("grid", "4x6").split("x"))
wider = st.toggle("Wider")
grid = (rows, columns + 2 * wider)
image = (np.arange(16 * 24).reshape(16, 24) % 251).astype(np.uint8)
mask = eraser(image, lower_half(grid), key="eraser", alt="Stripes.")
st.code(f"{grid[0]}x{grid[1]} {word_of(mask)}")
