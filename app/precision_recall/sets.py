"""Any two sets: numbers from files, image sets and samples of models, through an embedding."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from app.bones.notes import notes
from app.controls import apply_settings, controls
from app.figures.metric_curves import Axis, Curves
from app.figures.montage import montage
from app.figures.precision_recall import map_chart, prd_chart
from app.furniture import (
    Export,
    asked_for,
    chart,
    code_section,
    copy_link,
    export_section,
    is_dark,
    measured_checks,
    scale,
    try_section,
)
from app.memory import Memory
from app.precision_recall.along import along
from app.precision_recall.beside import with_error
from app.precision_recall.choices import choose, choose_network, upload
from app.services import runner
from app.takeaway import rest_of_address
from dgm_core.precision_recall.comparison import SetComparison
from dgm_core.precision_recall.presets import SETS
from dgm_core.presets import Preset

PREFIX, POLL, K = "i_", 0.4, "i_k"
Found = dict[str, np.ndarray]
STYLE = """<style>
.st-key-pr_sets_stage { min-height: 54rem; }
@media (max-width: 1100px) {
  .st-key-pr_sets > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] { flex-direction: column; }
  .st-key-pr_sets > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]
    { width: 100%; flex: 1 1 auto; }
}
.st-key-pr_gallery img { image-rendering: pixelated; border-radius: 4px; }
</style>"""


def sets() -> None:
    """Draw the part."""
    st.html(STYLE)
    with st.container(key="pr_sets"):
        picture, panel = st.columns([5, 2], gap="large")
    with panel:
        asked = _settings()
    with picture, st.container(key="pr_sets_stage"):
        found = _following(asked)
    st.header("Check", anchor="check")
    measured_checks(asked, key="sets")
    st.header("Try", anchor="try")
    try_section(SETS, _apply, key="try_sets")
    st.header("Take it home", anchor="home")
    _take_home(asked, found)


def _settings() -> SetComparison:
    """What is compared."""
    above, below = st.container(), st.container()
    with below:
        asked = controls(SetComparison, prefix=PREFIX, hide=("real", "generated", "network"))
    with above:
        choose(SetComparison, "real", "Real set", prefix=PREFIX)
        choose(SetComparison, "generated", "Generated set", prefix=PREFIX)
    with below:
        if asked.embed == "classifier":
            choose_network(SetComparison, prefix=PREFIX)
        upload(SetComparison, prefix=PREFIX)
    memory = Memory(SetComparison, PREFIX)
    for name in ("real", "generated", "network"):
        memory.publish(name, getattr(asked, name))
    return asked


def _following(asked: SetComparison) -> Found | None:
    """Draw the comparison once a worker has made it."""
    run = asked_for(asked)
    if run is None:
        return None
    snapshot = runner().watch(run.id)
    if snapshot.state == "done":
        found = _read(run.id)
        _draw(found)
        return found
    if not snapshot.live:
        notes([snapshot.reason])
        return None

    @st.fragment(run_every=POLL)
    def waiting() -> None:
        st.caption("Embedding and comparing…")
        if not runner().watch(run.id).live:
            st.rerun()

    waiting()
    return None


@st.cache_data(show_spinner=False, max_entries=32)
def _read(run: str) -> Found:
    with np.load(io.BytesIO(runner().store.load_artifact(run, "figures") or b""), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _draw(found: Found) -> None:
    columns = found["curves"].shape[1]
    k = min(5, columns)
    if columns > 1:
        k = st.slider("Neighbours k", 1, columns, k, key=K, bind="query-params")
    at = k - 1
    for cell, name, value in zip(
        st.columns(4), ("Precision", "Recall", "Density", "Coverage"), found["curves"][:, at], strict=True
    ):  # fmt: skip
        cell.metric(name, f"{value:.3f}")
    if "invented" in found:
        _gallery(found)
    look: dict[str, Any] = {"dark": is_dark(), "scale": scale()}
    left, right = st.columns(2, gap="large")
    numbers, nothing = found["curves"].T, np.full((columns, 2), np.nan)
    axis = Axis("neighbours k", (1.0, float(max(2, columns))))
    curves = Curves(np.arange(1.0, columns + 1), numbers, numbers, numbers, nothing)
    along(curves, axis, "set_curves", at=float(k), heights=(195, 130), place=left)
    covered = found["fake_at"] <= at, found["real_at"] <= at
    chart(map_chart(found["map_real"], found["map_fake"], covered[1], covered[0], **look), "set_map", place=right)
    right.caption("Both sets on the real set's first two principal axes: a shadow, distances are taken in all of them.")
    value, error = found["kid"]
    left.caption(
        f"Fréchet distance {found['frechet']:.3f} · kernel distance {with_error(value, error)}, of this embedding."
    )
    with st.expander("PRD curve", icon=":material/show_chart:"):
        chart(prd_chart(found["precision"], found["recall"], **look), "set_prd")


def _gallery(found: Found) -> None:
    """The images that the numbers speak of."""
    words = {
        "invented": ("Generated, least covered", "No real ball holds them, or only large ones do: precision's losses."),
        "missed": ("Real, least covered", "No generated ball holds them: recall's losses."),
        "typical": ("Generated, covered at once", "In the thick of the real set."),
    }
    with st.container(key="pr_gallery"):
        for cell, (name, (title, what)) in zip(st.columns(3, gap="large"), words.items(), strict=True):
            cell.markdown(f"**{title}**")
            cell.image(montage(found[name], columns=6, dark=is_dark()), width="stretch")
            cell.caption(what)


def _apply(preset: Preset) -> None:
    apply_settings(SetComparison, preset.settings, prefix=PREFIX)


def _take_home(asked: SetComparison, found: Found | None) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(asked, rest_of_address(asked), key="link_sets")
        if found is not None:
            items = [
                Export("Curves (CSV)", "precision-recall.csv", "text/csv", lambda: _csv(found)),
                Export("Everything (NPZ)", "comparison.npz", "application/octet-stream", _npz(found)),
            ]
            export_section(items, key="export_sets")
    code_section(_code(asked), key="code_sets")


def _csv(found: Found) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["k", "precision", "recall", "density", "coverage"])
    for k, row in enumerate(found["curves"].T, 1):
        writer.writerow([k, *(f"{value:.10g}" for value in row)])
    return out.getvalue().encode()


def _npz(found: Found) -> Callable[[], bytes]:
    def make() -> bytes:
        out = io.BytesIO()
        np.savez_compressed(out, **found)  # type: ignore[arg-type]
        return out.getvalue()

    return make


def _code(asked: SetComparison) -> str:
    changed = asked.differences(SetComparison())
    fields = ", ".join(f"{name}={mine!r}" for name, (mine, _) in changed.items())
    return f"""from dgm_core.metrics import frechet_distance, kid, prdc
from dgm_core.precision_recall import SetComparison

pair = SetComparison({fields}).pair()
real, fake = pair.embedded_real, pair.embedded_fake   # (N, F) and (M, F)
print(prdc(real, fake, k=5), "Frechet", frechet_distance(real, fake), kid(real, fake))
# Two files or folders of pictures, from a shell: python -m dgm_core prdc REAL FAKE --k 5 --embed classifier
"""
