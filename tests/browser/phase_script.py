"""A page for the phase plane: what is shown stands in the page's address, what comes back below."""

import json
from dataclasses import asdict

import numpy as np
import streamlit as st

from app.phase import PhaseView, Plot, Series, Variant, phase_stage

ROTATION = np.array([[-0.3, 2.0], [-2.0, -0.3]])
DEPTHS = tuple(range(1, 33))


def flowing(count: int, trajectories: int) -> tuple[np.ndarray, np.ndarray]:
    """(T,) times in [0, 1] and (T, N, 2) of z′ = A z with A = −0.3 + 2 J, in closed form."""
    times = np.linspace(0, 1, count)
    angles = np.linspace(0, 2 * np.pi, trajectories, endpoint=False)
    start = np.stack([np.cos(angles), np.sin(angles)], 1) * np.linspace(0.5, 1.5, trajectories)[:, None]
    c, s = np.cos(2 * times), np.sin(2 * times)
    turn = np.exp(-0.3 * times)[:, None, None] * np.stack([np.stack([c, s], -1), np.stack([-s, c], -1)], 1)
    return times, np.einsum("tij,nj->tni", turn, start)


def euler(start: np.ndarray, depth: int) -> Variant:
    """L steps of length 1/L, with their one stage."""
    states = [start]
    for _ in range(depth):
        states.append(states[-1] + states[-1] @ ROTATION.T / depth)
    held = np.array(states)
    moves = held[:-1, 0] @ ROTATION.T / depth
    return Variant(f"L = {depth}", np.linspace(0, 1, depth + 1), held, held[:-1, :1], moves[:, None])


def grid(size: int, reach: float) -> np.ndarray:
    """(1, G, G, 2) of the field at cell centres."""
    at = (np.arange(size) + 0.5) / size * 2 * reach - reach
    places = np.stack(np.meshgrid(at, at), -1)
    return (places @ ROTATION.T)[None]


@st.cache_resource
def made(trajectories: int, count: int, kinds: bool) -> PhaseView:
    """One object for all reruns."""
    times, flow = flowing(count, trajectories)
    variants = [euler(flow[0], depth) for depth in DEPTHS]
    errors = np.array([np.linalg.norm(v.states[-1] - flow[-1], axis=1).max() for v in variants])
    plots = (
        Plot("Error at t = 1", np.array(DEPTHS, float), [Series("largest", errors)], over="knob", log=True, x_name="L"),
        Plot("First coordinate", times, [Series("z₁", flow[:, 0, 0], "flow")]),
    )
    return PhaseView(
        times, (-2.0, 2.0, -2.0, 2.0), flow=flow, variants=variants, field=grid(17, 2.0), plots=plots,
        kinds=np.arange(trajectories) % 2 if kinds else None,
    )  # fmt: skip


@st.cache_resource
def training() -> PhaseView:
    """Frames: each a variant, a field and a surface of its own."""
    times, flow = flowing(40, 6)
    variants = [Variant(f"step {10 * k}", times, flow * (0.4 + 0.1 * k)) for k in range(7)]
    surface = np.stack([np.linspace(0, 1, 64)[None, :].repeat(64, 0) ** (1 + k) for k in range(7)])
    field = np.concatenate([grid(13, 2.0) * (1 if k % 2 else -1) for k in range(7)])
    points = flow[::4].reshape(-1, 2)
    return PhaseView(
        10.0 * np.arange(7), (-2.0, 2.0, -2.0, 2.0), variants=variants, drive="frame", field=field, surface=surface,
        points=points, point_kinds=np.arange(len(points)) % 2,
    )  # fmt: skip


st.set_page_config(layout="wide")
query = st.query_params
st.button("Rerun")
depth = st.number_input("Knob", 0, 31, int(query.get("knob", 3)))
frames = "frames" in query
view = training() if frames else made(int(query.get("n", 12)), int(query.get("times", 60)), "kinds" in query)
settings = {"layers": query["layers"].split()} if "layers" in query else {}
event = phase_stage(
    view, key="phase", alt="Trajectories over a field.", height=int(query.get("height", 512)),
    classroom="classroom" in query, report_time=True, report_knob=True, knob=0 if frames else int(depth),
    knob_label="Depth", mode=query.get("mode", "plane"), stepwise="stepwise" in query,
    time_label="step" if frames else "t", **settings,
)  # fmt: skip
st.code(json.dumps(asdict(event)), language="json")
