"""A page with the bones and no model, for the tests in a real browser."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app.controls import controls, enter_page
from app.figures.cnf import jacobian_ellipse, training_curve, trajectories_3d
from app.furniture import (
    Export,
    chart,
    check_table,
    classroom_toggle,
    copy_link,
    device_badge,
    export_section,
    is_dark,
    page_header,
    scale,
    try_section,
)
from dgm_core.checks import Check
from dgm_core.presets import Preset
from tests.app.demo_experiment import Demo

CHECKS = [
    Check(r"$\int p_t\,dx$", 1.0004, 1.0, 1e-3, "tolerance", source="a density"),
    Check("NLL − entropy", 0.081, 0.0, 0.05, "at most", "nats", "Gibbs' inequality"),
]


def main() -> None:
    """The bones, from top to bottom."""
    st.set_page_config(layout="wide")
    enter_page("furniture")
    with st.sidebar:
        device_badge()
        classroom_toggle()
    formula = r"\frac{d \log p_t(z)}{dt} = -\operatorname{tr}\frac{\partial f}{\partial z}"
    page_header("How does a density flow?", formula, {"f": ("model", "the field"), "p_t": ("data", "the density")})
    look = {"dark": is_dark(), "scale": scale()}
    stage, side = st.columns([2, 1])
    with side:
        experiment = controls(Demo)
    with stage:
        steps = np.arange(1, experiment.steps + 1, 10)
        curve = training_curve(steps, 2 + np.exp(-steps / 300), 2.0, 0.01, total=20_000, **look)  # type: ignore[arg-type]
        chart(curve, "curve")
        chart(jacobian_ellipse(np.diag([2.0, 0.5]), **look), "ellipse", stretch=False)  # type: ignore[arg-type]
    check_table(CHECKS, "just now")
    try_section([Preset("one", "Yes?", ("yes", "no"), 0, "Yes.", {"steps": 300})], lambda preset: None)
    export_section([Export("CSV", "a.csv", "text/csv", lambda: b"x,y\n1,2\n")])
    copy_link(experiment)
    paths = np.random.default_rng(0).normal(size=(9, 20, 2))
    st.plotly_chart(trajectories_3d(paths, np.linspace(0, 1, 9), **look), theme=None, key="paths")  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
