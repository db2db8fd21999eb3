"""The page's picture on the home page: residual blocks that become a flow."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw

from app.figures.palette import GROUND, MODEL, MUTED
from dgm_core.neural_ode.problems import PROBLEMS
from dgm_core.neural_ode.residual import residual


@st.cache_data(show_spinner=False)
def residual_thumbnail(depths: tuple[int, ...] = (2, 4, 8, 32), side: int = 220) -> bytes:
    """A PNG: the same points carried by ever more blocks of one field, over its exact flow."""
    problem = PROBLEMS["vortex"]
    found = residual(problem.field(), problem.start(26, 0.8), 1.0, depths)
    picture = Image.new("RGB", (2 * side * len(depths), 2 * side), GROUND.dark)
    draw = ImageDraw.Draw(picture)
    for index, line in enumerate(found.lines):
        for states, colour, width in ((found.curves, MUTED.dark, 2), (line, MODEL.dark, 4)):
            for path in _places(states.numpy(), index, side).swapaxes(0, 1):
                draw.line([tuple(place) for place in path.tolist()], fill=colour, width=width, joint="curve")
        for x, y in _places(line.numpy()[-1], index, side).tolist():
            draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=MODEL.dark)
    out = BytesIO()
    picture.resize((side * len(depths), side), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()


def _places(states: np.ndarray, index: int, side: int) -> np.ndarray:
    """Pixels of states (…, 2) in panel ``index``, clipped to it."""
    inside = np.clip(states, -2.2, 2.2) * (1, -1)
    places: np.ndarray = inside * side / 2.2 + (2 * side * index + side, side)
    return places
