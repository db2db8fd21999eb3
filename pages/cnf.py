"""Continuous normalizing flows: how a Gaussian becomes your data, one instant at a time."""

import streamlit as st

from app.cnf.check import check
from app.cnf.compare import compare
from app.cnf.settings import settings
from app.cnf.stage import stage
from app.cnf.takeaway import take_home
from app.cnf.train import train
from app.cnf.tries import tries
from app.furniture import page_header

page_header(
    "How does a Gaussian become your data?",
    r"\frac{dz}{dt} = f(z, t) \qquad "
    r"\log p_1(z(1)) = \log p_0(z(0)) - \int_0^1 \mathrm{tr}\,\frac{\partial f}{\partial z}\,dt",
    {"p_0": ("base", "the base, a Gaussian"), "f": ("model", "the learned field"), "p_1": ("data", "your data")},
)

picture, panel = st.columns([3, 2], gap="large")
with panel:
    flow = settings()
    train(flow)
with picture:
    shown = stage(flow)

st.header("Check", anchor="check")
check(shown)

st.header("Try", anchor="try")
tries()

st.header("Compare A | B", anchor="compare")
compare(flow, shown)

st.header("Take it home", anchor="home")
take_home(flow, shown)
