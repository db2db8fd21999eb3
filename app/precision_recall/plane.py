"""Two sets in the plane: the stage, what makes them disagree, and what the metrics say of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from app.bones.notes import notes
from app.controls import apply_settings
from app.furniture import asked_for, in_classroom, measured_checks, switch, try_section
from app.manifolds import manifolds_stage
from app.precision_recall import neighbours
from app.precision_recall.beside import beside
from app.precision_recall.settings import settings, without_k
from app.precision_recall.takeaway import take_home
from app.services import runner
from dgm_core.errors import DataError
from dgm_core.metrics.manifolds import Manifolds, manifolds
from dgm_core.precision_recall.clouds import CloudPair
from dgm_core.precision_recall.presets import PLANE
from dgm_core.precision_recall.views import PairChecks
from dgm_core.presets import Preset

FORMULA = "formula"
FORMULAS = {"paper": "As in the paper", "printed": "As printed on the slide"}
LAST = "dgm:precision_recall:last"
HEIGHT, POLL = 560, 0.3
STYLE = """<style>
.st-key-pr_stage { min-height: 35rem; }
.st-key-pr_beside { min-height: 19rem; }
.st-key-measured_plane { min-height: 32rem; }
@media (max-width: 1100px) {
  .st-key-pr_top > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] { flex-direction: column; }
  .st-key-pr_top [data-testid="stColumn"] { width: 100%; flex: 1 1 auto; }
}
</style>"""


def plane() -> None:
    """Draw the part."""
    st.html(STYLE)
    with st.container(key="pr_top"):
        picture, panel = st.columns([5, 2], gap="large")
    with panel:
        pair = settings()
    with picture:
        shown = _stage(pair)
    st.header("What chance does, and other yardsticks", anchor="yardsticks")
    with st.container(key="pr_beside"):
        beside(shown)
    st.header("Check", anchor="check")
    measured_checks(shown, key="plane")
    st.header("Try", anchor="try")
    try_section(PLANE, _apply, key="try_plane")
    st.header("Take it home", anchor="home")
    take_home(shown)


def _stage(pair: PairChecks) -> PairChecks:
    """The two manifolds; returns what is shown, with the k at which it rests."""
    formula = switch("Formula", FORMULAS, key=FORMULA, default="paper")
    found, here = _found(without_k(pair))
    if formula == "printed":
        found = _printed(here)
    number, k = neighbours.given()
    with st.container(key="pr_stage"):
        k = manifolds_stage(found, key=f"manifolds:{number}", k=k, height=HEIGHT, classroom=in_classroom())
    neighbours.rests(k)
    st.caption(EXPLAINED[formula or "paper"])
    rested: PairChecks = PairChecks.of(here, k)
    return rested


EXPLAINED = {
    "paper": "A generated point $g$ counts where it lies in the ball of some real $g'$: "
    r"$\lVert g - g' \rVert \le \lVert g' - \mathrm{NN}_k(g', G) \rVert$, the radius at $g'$.",
    "printed": "On the slide the radius stands at $g$: "
    r"$\lVert g - g' \rVert \le \lVert g - \mathrm{NN}_k(g, G) \rVert$. "
    "Its own $k$-th neighbour is such a $g'$, so the test is true for every $g$ and both numbers are 1, whatever the "
    "samples: shift them and see.",
}


def _found(pair: CloudPair) -> tuple[Manifolds, CloudPair]:
    """The manifolds of the two sets, or the last ones while a worker measures; and which sets they are of."""
    try:
        found = _of_worker(pair) if pair.slow else _made(pair)
    except DataError as error:
        notes([str(error)])
        found = None
    if found is not None:
        st.session_state[LAST] = pair
        return found, pair
    last = st.session_state.get(LAST, CloudPair())
    return (_of_worker(last) if last.slow else None) or _made(last), last


@st.cache_resource(show_spinner=False, max_entries=48, hash_funcs={CloudPair: lambda pair: pair.key})
def _made(pair: CloudPair) -> Manifolds:
    return pair.manifolds()


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs={CloudPair: lambda pair: pair.key})
def _printed(pair: CloudPair) -> Manifolds:
    return manifolds(*pair.points(), pair.k_max, printed=True)


def _of_worker(pair: CloudPair) -> Manifolds | None:
    """What a worker has measured; until then nothing, and the page looks again."""
    run = asked_for(pair)
    if run is None:
        return None
    snapshot = runner().watch(run.id)
    if snapshot.state == "done":
        return _read(run.id)
    if not snapshot.live:
        notes([snapshot.reason])
        return None

    @st.fragment(run_every=POLL)
    def waiting() -> None:
        st.caption("Drawing these points…")
        if not runner().watch(run.id).live:
            st.rerun()

    waiting()
    return None


@st.cache_resource(show_spinner=False, max_entries=16)
def _read(run: str) -> Manifolds:
    return Manifolds.from_bytes(runner().store.load_artifact(run, "manifolds") or b"")


def _apply(preset: Preset) -> None:
    values: dict[str, Any] = dict(preset.settings)
    st.session_state[FORMULA] = values.pop("formula", "paper")
    apply_settings(PairChecks, values)


def numbers(found: Manifolds, k: int) -> np.ndarray:
    """Precision, recall, density and coverage at k, (4,)."""
    column: np.ndarray = found.curves[:, k - 1]
    return column
