"""The trade-off of a trained generator of images: its samples and its four numbers as its knob is turned."""

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
from app.figures.montage import tiles
from app.figures.precision_recall import NAMES
from app.furniture import (
    Export,
    asked_for,
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
from app.memory import Memory
from app.precision_recall.along import along
from app.precision_recall.choices import choose_network
from app.precision_recall.generators import choose_generator, knob_of, looked_at
from app.reel import reel_player
from app.services import runner
from app.takeaway import rest_of_address
from dgm_core.precision_recall.curves import joined
from dgm_core.precision_recall.presets import KNOB
from dgm_core.precision_recall.trade_off import SHOWN, TradeOff, reference_of
from dgm_core.presets import Preset
from dgm_core.reel import Reel

PREFIX, POLL, ROWS = "g_", 0.5, 3
Found = Mapping[str, np.ndarray]
STYLE = """<style>
.st-key-pr_knob_stage { min-height: 51rem; }
@media (max-width: 1100px) {
  .st-key-pr_knob > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] { flex-direction: column; }
  .st-key-pr_knob > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]
    { width: 100%; flex: 1 1 auto; }
}
</style>"""


def knob() -> None:
    """Draw the part."""
    st.html(STYLE)
    with st.container(key="pr_knob"):
        picture, panel = st.columns([5, 2], gap="large")
    with panel:
        asked = _settings()
    run = asked_for(asked)
    if run is not None:
        _stage(asked, run.id, picture)
    st.header("Check", anchor="check")
    measured_checks(asked, key="knob")
    st.header("Try", anchor="try")
    try_section(KNOB, _apply, key="try_knob")
    st.header("Take it home", anchor="home")
    _take_home(asked, run.id if run else None)


def _settings() -> TradeOff:
    """What is measured."""
    choose_generator(PREFIX)
    asked = controls(TradeOff, prefix=PREFIX, hide=("source", "at", "network"))
    if asked.embed == "classifier":
        choose_network(TradeOff, prefix=PREFIX)
    st.caption(
        "Compared with held-out images. The ring is what other real images get in the generator's place: more "
        "cannot be expected of any generator."
    )
    for name in ("source", "network"):
        Memory(TradeOff, PREFIX).publish(name, getattr(asked, name))
    return TradeOff(**{**asked.model_dump(), **looked_at(asked.source)})


def _stage(asked: TradeOff, run: str, picture: DeltaGenerator) -> None:
    """Samples and curves, as far as they are measured."""
    live = runner().watch(run).live

    @st.fragment(run_every=POLL if live else None)
    def growing() -> None:
        snapshot = runner().watch(run)
        if snapshot.previews:
            _draw(asked, run, joined([dict(arrays) for _, arrays in snapshot.previews]), live=snapshot.live)
        if snapshot.live:
            st.progress(min(1.0, snapshot.step / max(1, snapshot.total)), text="Drawing and measuring place by place")
        elif snapshot.state != "done":
            notes([snapshot.reason])
        if live and not snapshot.live:
            st.rerun()

    with picture, st.container(key="pr_knob_stage"):
        growing()


def _draw(asked: TradeOff, run: str, found: Found, *, live: bool) -> None:
    turned, row = knob_of(asked.source), _shown(asked, run, found, live=live)
    st.caption(_said(found, row, turned.name))
    curves = Curves(found["x"], found["values"], found["low"], found["high"], np.full((len(found["x"]), 2), np.nan))
    at, (left, right) = float(found["x"][row]), st.columns(2, gap="medium")
    real = reference_of(found).mean
    plane = trade_off(curves, turned.name, reference=real, at=at, height=370, dark=is_dark(), scale=scale())
    chart(plane, "knob_plane", place=left)
    axis = Axis(turned.name, (turned.low, turned.high))
    along(curves, axis, "knob_curves", at=at, heights=(225, 145), place=right)


def _shown(asked: TradeOff, run: str, found: Found, *, live: bool) -> int:
    """Draw the samples; returns the place at which they rest: while it is measured the newest, then the plain law."""
    turned = knob_of(asked.source)
    film = _reel(run, len(found["x"]), turned.name, found)
    first = float(found["x"][-1]) if live else turned.plain
    event = reel_player(
        film, key=f"knob:{run}:{live}", alt=f"Real images above generated ones; the {turned.name} is turned.",
        height=300, ends=(f"{found['x'][0]:g}", f"{found['x'][-1]:g}"), time=first, follow=live, report_time=True,
        speed=0.25, classroom=in_classroom(),
    )  # fmt: skip
    return int(np.abs(found["x"] - (first if event.shown is None else event.shown)).argmin())


@st.cache_resource(show_spinner=False, max_entries=16)
def _reel(run: str, places: int, name: str, _found: Found) -> Reel:
    """A row of real images above rows of generated ones, a frame for each place."""
    images = _found["images"]  # (P, SHOWN, C, H, W)
    generated = images.reshape(len(images), ROWS, SHOWN // ROWS, *images.shape[2:])
    frames = np.concatenate([_found["real"][:, None], generated], axis=1)
    return Reel(_found["x"], tiles(frames), row_labels=("real", "generated"), time_label=name)


def _said(found: Found, row: int, name: str) -> str:
    """The numbers of one place, in words."""
    precision, recall, density, coverage = found["values"][row]
    best = float(found["x"][found["frechet"].argmin()])
    return (
        f"At {name} {found['x'][row]:g}: precision {precision:.3f}, recall {recall:.3f}, density {density:.3f}, "
        f"coverage {coverage:.3f}, Fréchet distance {found['frechet'][row]:.4g} (the least of these places: at "
        f"{best:g}). {found['sizes'][0, 0]:.0f} real and {found['sizes'][0, 1]:.0f} generated images, 95 % bootstrap "
        "intervals."
    )


def _apply(preset: Preset) -> None:
    apply_settings(TradeOff, preset.settings, prefix=PREFIX)


def _take_home(asked: TradeOff, run: str | None) -> None:
    snapshot = runner().watch(run) if run else None
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(asked, rest_of_address(asked), key="link_knob")
        if snapshot is not None and snapshot.state == "done":
            found = joined([dict(arrays) for _, arrays in snapshot.previews])
            items = [
                Export("CSV", "trade-off.csv", "text/csv", lambda: trade_off_csv(found, knob_of(asked.source).name)),
                Export("Everything (NPZ)", "trade-off.npz", "application/octet-stream", lambda: _npz(str(run))),
            ]
            export_section(items, key="export_knob")
    code_section(_code(asked), key="code_knob")


def trade_off_csv(found: Found, name: str) -> bytes:
    """A row for each place: the four numbers with their intervals, and the Fréchet distance."""
    out = io.StringIO()
    writer = csv.writer(out)
    parts = [f"{number}{end}" for number in NAMES for end in ("", " low", " high")]
    writer.writerow([name, *parts, "frechet distance"])
    ends = np.stack([found["values"], found["low"], found["high"]], axis=-1).reshape(len(found["x"]), -1)
    for place, row, distance in zip(found["x"], ends, found["frechet"], strict=True):
        writer.writerow([f"{place:g}", *(f"{value:.10g}" for value in row), f"{distance:.10g}"])
    return out.getvalue().encode()


def _npz(run: str) -> bytes:
    return runner().store.load_artifact(run, "figures") or b""


def _code(asked: TradeOff) -> str:
    changed = asked.differences(TradeOff())
    fields = ", ".join(f"{name}={mine!r}" for name, (mine, _) in changed.items())
    return f"""from dgm_core.precision_recall import TradeOff
from dgm_core.precision_recall.curves import joined
import torch

view = TradeOff({fields})
found = joined([report.preview for report in view.train(view.build(), torch.device("cpu"))])
for place, (precision, recall, density, coverage) in zip(found["x"], found["values"]):
    print(f"{{place:g}}: precision {{precision:.3f}}, recall {{recall:.3f}}, {{density:.3f}}, {{coverage:.3f}}")
"""
