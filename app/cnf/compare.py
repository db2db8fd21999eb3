"""A | B: two flows side by side that differ in one setting, or one flow as two ways of solving it show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import streamlit as st
from pydantic import Field

from app import trained as store
from app.bones.notes import notes
from app.cnf import films
from app.cnf.figures_line import figures_line
from app.controls import apply_settings, controls
from app.film import film_player
from app.furniture import ab_controls, ab_section, in_classroom, switch
from app.services import runner
from app.trained import Trained, seen_by_view
from app.training_panel import POLL, describe, start_button
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.cnf.views import FlowFilm
from dgm_core.nn.solvers import Method

FIELDS = (
    "objective", "trace", "model", "target", "solver", "solver_steps", "gradient", "width", "depth", "steps",
    "learning_rate", "batch", "seed",
)  # fmt: skip
WAY = "ab"
WAYS = {"film": "how they are solved", "flow": "how they are trained"}
HEIGHT = 400


class OtherFilm(FlowFilm):
    """B's film; it opens on something that differs from A."""

    kind: Annotated[
        Literal["solver", "wrong"],
        Field(
            title="B is drawn",
            description="Each frame by a solver of few steps; or one solve from t = 1 to 0, misread as p_t.",
            json_schema_extra={
                "basic": True,
                "labels": {"solver": "frame by frame, by a solver", "wrong": "from one solve, misread"},
            },
        ),
    ] = "solver"
    method: Annotated[Method, FlowFilm.model_fields["method"]] = "euler"
    solver_steps: Annotated[int, FlowFilm.model_fields["solver_steps"]] = 4


def compare_films(settings: Mapping[str, Any]) -> None:
    """Set B to another way of drawing the film; for callbacks."""
    st.session_state[WAY] = "film"
    apply_settings(OtherFilm, settings, prefix="b_film_")


def compare_flows(settings: Mapping[str, Any], against: Mapping[str, Any]) -> None:
    """Set B to the flow of ``settings`` but for the one field in ``against``; for callbacks."""
    st.session_state[WAY] = "flow"
    st.session_state["b_field"] = next(iter(against))
    apply_settings(DensityFlow, {**settings, **against}, prefix="b_")


def compare(flow: DensityFlow, shown: Trained) -> None:
    """Draw A, what the stage shows, beside B, which differs in one thing that is named."""
    way = switch("A and B differ in", WAYS, key=WAY)
    if way is None:
        st.caption("Two flows side by side, with the one thing named in which they differ.")
    elif way == "film":
        _by_solver(shown)
    else:
        ab_section(flow, ab_controls(flow, FIELDS), _side)


def _by_solver(shown: Trained) -> None:
    """The true p_t beside the film that a solver gives of the same weights."""
    if shown.experiment.model_dump().get("model") == "planar":
        st.caption("A discrete planar flow has no solver: its layers are its time.")
        return
    drawn = controls(OtherFilm, prefix="b_film_", only=("kind", "method", "solver_steps", "tolerance"), columns=2)
    chosen = drawn.model_dump(include={"kind", "method", "solver_steps", "tolerance"})
    view = FlowFilm(**seen_by_view(shown), motion=False, size=64, **chosen)
    run = runner().submit(view)
    live = runner().watch(run.id).live
    left, right = st.columns(2)
    with left:
        st.markdown("**A** · true $p_t$")
        _player(films.flow_density(shown), "a")
        st.caption("The composed flow map: every frame from its own time back to the base.")

    @st.fragment(run_every=POLL if live else None)
    def growing() -> None:
        st.markdown(f"**B** · {_named(view)}")
        film, snapshot = films.view_film(view)
        if live and not snapshot.live:
            st.rerun()
        if snapshot.state == "failed":
            notes([snapshot.reason])
        elif film is None:
            st.caption("The first frame comes in a moment.")
        else:
            _player(film, "b")
            st.caption(_cost(snapshot))

    with right:
        growing()


def _side(flow: DensityFlow, side: str) -> None:
    """One trained flow; where it is not trained, the button that trains it."""
    trained = store.find(flow)
    if trained is not None:
        _player(films.flow_density(trained), side)
        st.caption(figures_line(store.metrics(trained)))
        return
    run = runner().find(flow)
    if run is None or not run.live:
        st.caption("Not trained yet.")
        start_button(flow, f"Train {side.upper()}", _nothing, key=f"train_{side}")
        return

    @st.fragment(run_every=POLL)
    def waiting() -> None:
        snapshot = runner().watch(run.id)
        if not snapshot.live:
            st.rerun()
        film = films.live_training_film(snapshot)
        if film is not None:
            film_player(
                film, key=f"ab_{side}_training", alt="The training so far.", time_label="step", height=HEIGHT,
                ends=("untrained", "trained"), layers=("density",), follow=True, loop="once",
            )  # fmt: skip
        st.progress(min(1.0, snapshot.step / max(1, snapshot.total)), text=describe(snapshot))

    waiting()


def _player(film: Any, side: str) -> None:
    if film is None:
        st.caption("This run has left no film.")
        return
    film_player(
        film, key=f"ab_{side}", height=HEIGHT, layers=("density",), time=1.0, sync="ab", classroom=in_classroom(),
        alt=f"{side.upper()}: the density over time.",
    )  # fmt: skip


def _named(view: FlowFilm) -> str:
    kinds = {"composed": "true $p_t$", "solver": "as the solver gives it", "wrong": "one solve, misread as $p_t$"}
    return kinds[view.kind]


def _cost(snapshot: Any) -> str:
    nfe = snapshot.metrics.get("nfe")
    total = "" if nfe is None or not len(nfe) or not nfe.sum() else f"NFE {nfe.max():.0f} for the last frame · "
    return f"{total}{snapshot.seconds:.1f} s for the film"


def _nothing(_: bool) -> None:
    """The stage stays as it is while B is trained."""
