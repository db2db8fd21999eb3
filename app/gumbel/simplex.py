"""Three categories: relaxed draws in the triangle over their density, answering while τ and π are dragged."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app.controls import apply_settings
from app.figures.gumbel import expectation_chart
from app.furniture import (
    Export,
    chart,
    code_section,
    copy_link,
    export_section,
    in_classroom,
    is_dark,
    measured_checks,
    scale,
    try_section,
)
from app.gumbel.resting import Resting
from app.gumbel.samples import samples_csv, samples_npz, samples_of
from app.simplex import simplex_stage
from app.simplex.raster import triangle_png, triangle_svg
from app.takeaway import rest_of_address
from dgm_core.gumbel import expectation_curve
from dgm_core.gumbel.presets import SIMPLEX
from dgm_core.gumbel.views import ConcreteChecks, TriangleChecks
from dgm_core.presets import Preset

PREFIX = "s_"
TAUS = np.geomspace(0.05, 20, 61)
HEIGHT = 620


def simplex() -> None:
    """Draw the part."""
    now = _stage()
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("What the temperature moves", anchor=False)
        _expectation(now)
    with right:
        st.subheader("What it does not", anchor=False)
        st.markdown(
            "The largest $\\log \\pi_k + G_k$ is the same at every $\\tau$: dividing by $\\tau$ keeps the order. "
            "So $P(\\text{argmax} = k) = \\pi_k$ always, while $E[z]$ goes from $\\pi$ to $1/K$."
        )
        st.markdown(
            "Two borders, not one: the density is log-convex on the whole triangle while $\\tau \\le 1/(K-1) = ½$, and "
            "for uniform $\\pi$ its centre turns from a valley into a hill at $\\tau = 1$. In between it is neither."
        )
    st.header("Check", anchor="check")
    measured_checks(now, key="simplex")
    st.header("Try", anchor="try")
    try_section(SIMPLEX, _apply, key="try_simplex")
    st.header("Take it home", anchor="home")
    _take_home(now)


def _stage() -> ConcreteChecks:
    """The triangle; returns where it rests."""
    stage = Resting(TriangleChecks, PREFIX)
    number, given = stage.given()
    event = simplex_stage(
        key=f"simplex:{number}", pi=given.pi, tau=given.tau, seed=given.seed, height=HEIGHT,
        classroom=in_classroom(),
    )  # fmt: skip
    return stage.rests(event.pi, event.tau)


def _expectation(now: ConcreteChecks) -> None:
    curve = _curve(now.pi)
    chart(
        expectation_chart(TAUS, curve, np.array(now.pi), max(now.tau, TAUS[0]), dark=is_dark(), scale=scale()),
        "expectation",
    )


@st.cache_data(show_spinner=False, max_entries=64)
def _curve(pi: tuple[float, ...]) -> np.ndarray:
    return expectation_curve(pi, TAUS)


def _apply(preset: Preset) -> None:
    apply_settings(TriangleChecks, preset.settings, prefix=PREFIX)


def _take_home(now: ConcreteChecks) -> None:
    dark, z = is_dark(), samples_of(now)[1]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(now, rest_of_address(now), key="link_simplex")
        export_section(
            [
                Export("PNG", "gumbel-softmax.png", "image/png", lambda: triangle_png(z, dark=dark)),
                Export("SVG", "gumbel-softmax.svg", "image/svg+xml", lambda: triangle_svg(z, dark=dark)),
                Export("CSV", "gumbel-softmax.csv", "text/csv", lambda: samples_csv(now)),
                Export("NPZ", "gumbel-softmax.npz", "application/octet-stream", lambda: samples_npz(now)),
            ],
            key="export_simplex",
        )
    code_section(_code(now), key="code_simplex")


def _code(now: ConcreteChecks) -> str:
    pi = ", ".join(f"{p:.4g}" for p in now.pi)
    return f"""import torch
from dgm_core.gumbel import concrete_log_prob, gumbel_softmax, weights_to_logits
import plotly.express as px

logits = weights_to_logits(torch.tensor([{pi}]))
z = gumbel_softmax(logits.expand(2000, -1), tau={now.tau:g}, generator=torch.Generator().manual_seed({now.seed}))
print("E[z]", z.mean(0), " P(argmax)", z.argmax(1).bincount(minlength={len(now.pi)}) / len(z))
print("log density", concrete_log_prob(z[:5], logits, tau={now.tau or 0.01:g}))
px.scatter_ternary(a=z[:, 0], b=z[:, 1], c=z[:, 2]).write_html("simplex.html")
"""
