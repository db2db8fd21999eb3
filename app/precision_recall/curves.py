"""The four numbers along an axis: k, n, the dimension, the temperature of a trained flow."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.bones.notes import notes
from app.controls import apply_settings, controls
from app.figures.metric_curves import Axis, Curves, trade_off
from app.furniture import (
    Export,
    asked_for,
    chart,
    check_table,
    code_section,
    copy_link,
    export_section,
    is_dark,
    scale,
    try_section,
)
from app.memory import Memory
from app.precision_recall.along import along
from app.precision_recall.flows import choose_flow
from app.services import runner
from app.takeaway import rest_of_address
from dgm_core.precision_recall.curve_checks import curve_checks
from dgm_core.precision_recall.curves import AXES, MetricCurves, joined, mean_intervals
from dgm_core.precision_recall.presets import CURVES
from dgm_core.presets import Preset

PREFIX, POLL = "c_", 0.4
Found = Mapping[str, np.ndarray]


def curves() -> None:
    """Draw the part."""
    st.html(STYLE)
    with st.container(key="pr_curves"):
        picture, panel = st.columns([5, 2], gap="large")
    with panel:
        asked = controls(MetricCurves, prefix=PREFIX, hide=("source",))
        if asked.axis == "temperature":
            choose_flow(MetricCurves, key="c_flow", prefix=PREFIX)
        st.caption(WORDS[asked.axis])
    run = asked_for(asked)
    if run is not None:
        _measured(asked, run.id, picture)


def _measured(asked: MetricCurves, run: str, picture: DeltaGenerator) -> None:
    """Everything that needs the curves, as far as they are measured."""
    live = runner().watch(run).live

    @st.fragment(run_every=POLL if live else None)
    def growing() -> None:
        snapshot = runner().watch(run)
        if snapshot.previews:
            _draw(asked, joined([dict(arrays) for _, arrays in snapshot.previews]))
        if snapshot.live:
            st.progress(min(1.0, snapshot.step / max(1, snapshot.total)), text="Measuring place by place")
        elif snapshot.state != "done":
            notes([snapshot.reason])
        if live and not snapshot.live:
            st.rerun()

    with picture, st.container(key="pr_curves_stage"):
        growing()
    snapshot = runner().watch(run)
    found = joined([dict(arrays) for _, arrays in snapshot.previews]) if snapshot.previews else None
    st.header("Check", anchor="check")
    check_table(curve_checks(asked, found) if found else [])
    st.header("Try", anchor="try")
    try_section(CURVES, _apply, key="try_curves")
    st.header("Take it home", anchor="home")
    _take_home(asked, found)


STYLE = """<style>
.st-key-pr_curves_stage { min-height: 32rem; }
@media (max-width: 1100px) {
  .st-key-pr_curves > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] { flex-direction: column; }
  .st-key-pr_curves [data-testid="stColumn"] { width: 100%; flex: 1 1 auto; }
}
</style>"""
_EQUAL = "With σ = 1 and no shift the laws are equal; rings stand where theory fixes the mean. "
WORDS = {
    "dimension": "Real points of $N(0, I)$, generated ones of $N(\\mu, \\sigma^2 I)$. " + _EQUAL,
    "n": "As many generated as real points. " + _EQUAL,
    "k": _EQUAL,
    "temperature": "The flow's base is $N(0, \\tau^2 I)$; it is compared with the law that it was trained on.",
}


def _draw(asked: MetricCurves, found: Found) -> None:
    places = asked.places()
    curves = Curves(found["x"], *mean_intervals(found["values"]), found["theory"])
    axis = Axis(AXES[asked.axis], (float(places[0]), float(places[-1])), asked.axis in ("dimension", "n"))
    along(curves, axis, f"curves_{asked.axis}", heights=(300, 160))
    st.caption(f"Means of {asked.repeats} fresh draws with 95 % bootstrap intervals of the mean.{_hubs(found)}")
    if asked.axis == "temperature":
        st.subheader("The trade-off", anchor=False)
        chart(trade_off(curves, AXES["temperature"], dark=is_dark(), scale=scale()), "trade_off")


def _hubs(found: Found) -> str:
    """How many points are nobody's neighbour, at the two ends of the axis."""
    if "orphans" not in found:
        return ""
    first, last = found["orphans"][0].mean(), found["orphans"][-1].mean()
    return (
        f" Points that are nobody's neighbour: {100 * first:.0f} % in {found['x'][0]:g} dimension, "
        f"{100 * last:.0f} % in {found['x'][-1]:g}."
    )


def _apply(preset: Preset) -> None:
    apply_settings(MetricCurves, preset.settings, prefix=PREFIX)


def _take_home(asked: MetricCurves, found: Found | None) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        Memory(MetricCurves, PREFIX).publish("source", asked.source)
        copy_link(asked, rest_of_address(asked), key="link_curves")
        if found is not None:
            export_section(
                [Export("CSV", "metric-curves.csv", "text/csv", lambda: _csv(asked, found))], key="export_curves"
            )
    code_section(_code(asked), key="code_curves")


def _csv(asked: MetricCurves, found: Found) -> bytes:
    """A row for each place and draw."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([asked.axis, "draw", "precision", "recall", "density", "coverage"])
    for x, draws in zip(found["x"], found["values"], strict=True):
        for number, four in enumerate(draws):
            writer.writerow([f"{x:g}", number, *(f"{value:.10g}" for value in four)])
    return out.getvalue().encode()


def _code(asked: MetricCurves) -> str:
    changed = asked.differences(MetricCurves())
    fields = ", ".join(f"{name}={mine!r}" for name, (mine, _) in changed.items())
    return f"""from dgm_core.precision_recall import MetricCurves
from dgm_core.precision_recall.curves import joined, mean_intervals
import torch

curves = MetricCurves({fields})
found = joined([report.preview for report in curves.train(curves.build(), torch.device("cpu"))])
mean, low, high = mean_intervals(found["values"])   # precision, recall, density, coverage
for x, row in zip(found["x"], mean):
    print(f"{{x:g}}", row.round(3))
"""
