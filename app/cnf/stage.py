"""The stage: the film of p_t, or the film of its training, and what one point sees of it."""

from __future__ import annotations

import streamlit as st

from app import trained as store
from app.cnf import films
from app.cnf.closer import closer, story_of
from app.film import film_player
from app.furniture import in_classroom, pipeline_caption, switch
from app.services import runner
from app.trained import Trained
from app.training_panel import POLL, active_run
from dgm_core.cnf.experiment import DensityFlow

VIEW = "view"
VIEWS = {"flow": "The flow", "training": "Its training"}
FIRST = "cnf-8gaussians"
HEIGHT = 640


def show(view: str) -> None:
    """Turn the stage to the flow or to its training; for callbacks, before the stage is drawn."""
    st.session_state[VIEW] = view


def stage(flow: DensityFlow) -> Trained:
    """Draw the stage for these settings; it follows a live run by itself.

    Returns:
        The trained flow that is shown: that of the settings, or the last one where they are not trained yet.
    """
    run = active_run(flow)
    live = run is not None and runner().watch(run).live
    trained = store.shown(flow, run, FIRST)

    @st.fragment(run_every=2 * POLL if live else None)
    def picture() -> None:
        if switch("Show", VIEWS, key=VIEW, default="flow") == "training":
            _training(flow, trained, run)
        else:
            _flow(flow, trained)

    picture()
    return trained


def _training(flow: DensityFlow, trained: Trained, run: str | None) -> None:
    """The training as a film: growing while it runs, to be scrubbed afterwards."""
    snapshot = runner().watch(run) if run is not None else None
    live = snapshot is not None and snapshot.live
    film = films.live_training_film(snapshot) if snapshot is not None else films.finished_training_film(trained)
    if film is None:
        film = films.target_film(flow)
        st.caption("The target; the first picture of the training comes with its first steps.")
    film_player(
        film, key="training", height=HEIGHT, time_label="step",
        alt="The model's density after more and more training steps.",
        ends=("untrained", "trained"), layers=("density",), loop="once",
        follow=live, time=None if live else float(film.times[-1]),
        points=films.data_points(flow), classroom=in_classroom(),
    )  # fmt: skip


def _flow(flow: DensityFlow, trained: Trained) -> None:
    """The film of p_t; where the settings are not trained yet the last good film stays, and that is said."""
    film = films.flow_film(trained)
    if film is None:
        st.caption("This run has left no film.")
        return
    if trained.experiment != flow:
        st.caption("These settings are not trained yet; this is the last flow that is.")
    story = story_of(trained, film, "flow")
    film_player(
        film, key="flow", height=HEIGHT, alt=f"A Gaussian flows into the target: {films.declared(trained).target}.",
        layers=("density", "particles", "path"), points=films.data_points(films.declared(trained)),
        autoplay=True, loop="once", pick=True, classroom=in_classroom(),
        path=story.path if story else None, ellipses=story.jacobian if story else None,
    )  # fmt: skip
    pipeline_caption(_steps(films.declared(trained)))
    closer(story, film)


def _steps(flow: DensityFlow) -> list[str]:
    """How the picture came about, from the target to p_t."""
    models = {
        "mlp": f"MLP field, {flow.depth} × {flow.width}",
        "planar-cnf": f"{flow.units} gated planar units",
        "planar": f"{flow.layers} planar layers",
    }
    objective = "flow matching" if flow.objective == "flow-matching" else f"likelihood, {flow.trace} trace"
    film = "layer by layer" if flow.model == "planar" else "composed flow map"
    return [flow.law().title, models[flow.model], f"{objective}, {flow.steps:,} steps", film]
