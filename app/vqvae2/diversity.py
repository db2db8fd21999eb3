"""Diversity: what the temperature of the laws gives to fidelity and takes from variety, or the other way round."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.bones.notes import notes
from app.controls import apply_settings, controls
from app.figures.figure import Figure
from app.figures.montage import montage, tiles
from app.figures.vqvae2 import against_temperature
from app.film.writers import png
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
from app.services import runner
from app.takeaway import rest_of_address
from app.trained import Trained, seen_by_view
from app.vqvae2.choose import autoencoder, held, prior_of, whole
from dgm_core.precision_recall.curves import joined
from dgm_core.precision_recall.trade_off import TradeOff, reference_of
from dgm_core.presets import Preset
from dgm_core.vqvae2.prior import HierarchicalPrior
from dgm_core.vqvae2.prior_presets import DIVERSITY

PREFIX, POLL = "q_", 0.4
MEASURES = ("precision", "recall", "density", "coverage")
TEMPERATURE = "t"
DOMAIN = (HierarchicalPrior.knob.low, HierarchicalPrior.knob.high)
Found = Mapping[str, np.ndarray]


def diversity() -> None:
    """Draw the part."""
    picture, panel = st.columns([7, 2], gap="medium")
    with panel:
        law = prior_of(autoencoder())
        temperature = held("Temperature of the samples", *DOMAIN, 1.0, step=0.25, key=TEMPERATURE)
        n = whole("Images n", 100, 1_000, 300, key="images_n", about="Drawn at each temperature, and held-out ones.")
        chosen = controls(TradeOff, prefix=PREFIX, only=("embed", "components", "k", "seed"))
    if law is None:
        picture.caption("No law of this model's codes is trained yet; the part Prior trains one.")
        return
    asked = TradeOff(**{**chosen.model_dump(), **seen_by_view(law), "n": n})
    run = asked_for(asked)
    found = _measured(asked, run.id, temperature, picture) if run is not None else None
    st.header("Check", anchor="check")
    measured_checks(asked, key="diversity")
    st.header("Try", anchor="try")
    try_section(DIVERSITY, _apply, key="try_diversity")
    st.header("Take it home", anchor="home")
    _take_home(asked, law, found, temperature)


def _measured(asked: TradeOff, run: str, temperature: float, picture: DeltaGenerator) -> Found | None:
    """The curves and the samples as far as they are measured; the page follows by itself."""
    live = runner().watch(run).live

    @st.fragment(run_every=POLL if live else None)
    def growing() -> None:
        snapshot = runner().watch(run)
        _draw(joined([dict(arrays) for _, arrays in snapshot.previews]) if snapshot.previews else None, temperature)
        if snapshot.live:
            st.progress(min(1.0, snapshot.step / max(1, snapshot.total)), text="Drawing and comparing…")
        elif snapshot.state != "done":
            notes([snapshot.reason])
        if live and not snapshot.live:
            st.rerun()

    with picture:
        growing()
    snapshot = runner().watch(run)
    return joined([dict(arrays) for _, arrays in snapshot.previews]) if snapshot.previews else None


def _draw(found: Found | None, temperature: float) -> None:
    """The four measures on the left, what is drawn at the chosen temperature and real images on the right.

    The axes stand from the start, so that nothing moves when the first place is measured.
    """
    curves, pictures = st.columns([3, 2], gap="medium")
    with curves:
        for row in range(2):
            for cell, number in zip(st.columns(2), range(2 * row, 2 * row + 2), strict=True):
                with cell:
                    chart(_curve(found, number, temperature), f"diversity_{MEASURES[number]}")
    if found is None:
        return
    with pictures:
        at = int(np.argmin(np.abs(found["x"] - temperature)))
        st.image(_sheet(found["images"][at]), caption=f"Drawn at temperature {found['x'][at]:g}", width="stretch")
        st.image(_sheet(found["real"][0]), caption="Held-out images", width="stretch")
    st.caption(verdict(found, temperature))


def _curve(found: Found | None, number: int, temperature: float) -> Figure:
    """One measure, as far as it is known."""
    known = found if found is not None else {name: np.zeros((0, 4)) for name in ("values", "low", "high")}
    marks = {} if found is None else {"real images": float(reference_of(found).mean[number])}
    return against_temperature(
        MEASURES[number], np.zeros(0) if found is None else found["x"],
        *(known[name][:, number] for name in ("values", "low", "high")), marks=marks, chosen=temperature,
        domain=DOMAIN, dark=is_dark(), scale=scale(),
    )  # fmt: skip


def verdict(found: Found, temperature: float) -> str:
    """What the chosen temperature trades against temperature 1, as one line of text.

    Example:
        >>> values = np.array([[0.9, 0.2, 1.0, 0.5], [0.7, 0.6, 1.0, 0.7]])
        >>> verdict({"x": np.array([0.5, 1.0]), "values": values}, 0.5)
        'At temperature 0.5: precision 0.90, recall 0.20; at 1, the law itself: 0.70 and 0.60.'
    """
    at, plain = (int(np.argmin(np.abs(found["x"] - place))) for place in (temperature, 1.0))
    (p, r), (p1, r1) = (found["values"][index, :2] for index in (at, plain))
    said = f"At temperature {found['x'][at]:g}: precision {p:.2f}, recall {r:.2f}"
    return f"{said}." if at == plain else f"{said}; at 1, the law itself: {p1:.2f} and {r1:.2f}."


def _sheet(images: np.ndarray) -> np.ndarray:
    grown = tiles(images).repeat(2, 1).repeat(2, 2)
    return montage(grown, columns=8, dark=is_dark())


def _apply(preset: Preset) -> None:
    settings = dict(preset.settings)
    apply_settings(TradeOff, {"embed": settings.pop("embed")}, prefix=PREFIX)
    for name, value in settings.items():
        st.session_state[name] = value


def _take_home(asked: TradeOff, law: Trained, found: Found | None, temperature: float) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(asked, rest_of_address(asked), key="link_diversity")
        if found is not None:
            at = int(np.argmin(np.abs(found["x"] - temperature)))
            export_section(
                [
                    Export("Samples (PNG)", "samples.png", "image/png", lambda: png(_sheet(found["images"][at]))),
                    Export("Curves (CSV)", "diversity.csv", "text/csv", lambda: curves_csv(found)),
                    Export("All (NPZ)", "diversity.npz", "application/octet-stream", lambda: _npz(found)),
                ],
                key="export_diversity",
            )
    code_section(_code(asked), key="code_diversity")


def curves_csv(found: Found) -> bytes:
    """A row a temperature: the four measures with their intervals."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["temperature", *(f"{name}{end}" for name in MEASURES for end in ("", "_low", "_high"))])
    for k, x in enumerate(found["x"]):
        numbers = [found[name][k, number] for number in range(4) for name in ("values", "low", "high")]
        writer.writerow([f"{x:g}", *(f"{value:.10g}" for value in numbers)])
    return out.getvalue().encode()


def _npz(found: Found) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **found)  # type: ignore[arg-type]
    return out.getvalue()


def _code(asked: TradeOff) -> str:
    changed = asked.differences(TradeOff())
    fields = ", ".join(f"{name}={mine!r}" for name, (mine, _) in changed.items())
    return f"""from dgm_core.precision_recall.curves import joined
from dgm_core.precision_recall.trade_off import TradeOff
import torch

view = TradeOff({fields})
found = joined([report.preview for report in view.train(view.build(), torch.device("cpu"))])
for x, (precision, recall, density, coverage) in zip(found["x"], found["values"]):
    print(f"temperature {{x:g}}: precision {{precision:.2f}}, recall {{recall:.2f}}, coverage {{coverage:.2f}}")
"""
