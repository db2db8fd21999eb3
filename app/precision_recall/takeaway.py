"""What one takes home of the two sets: link, code, files."""

from __future__ import annotations

import csv
import io

import numpy as np
import streamlit as st

from app.furniture import Export, code_section, copy_link, export_section
from app.precision_recall.picture import manifolds_png
from app.precision_recall.settings import without_k
from app.takeaway import rest_of_address
from dgm_core.precision_recall.clouds import CloudPair
from dgm_core.precision_recall.views import PairChecks


def take_home(shown: PairChecks) -> None:
    """Draw link, files and code."""
    pair, k = without_k(shown), shown.k
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(shown, rest_of_address(shown), key="link_plane")
        export_section(
            [
                Export("PNG", "manifolds.png", "image/png", lambda: manifolds_png(pair.manifolds(), k)),
                Export("Curves (CSV)", "precision-recall.csv", "text/csv", lambda: curves_csv(pair)),
                Export("Points and radii (NPZ)", "manifolds.npz", "application/octet-stream", lambda: arrays_npz(pair)),
            ],
            key="export_plane",
        )
    code_section(code(shown), key="code_plane")


def curves_csv(pair: CloudPair) -> bytes:
    """A row a k: the four numbers."""
    curves, out = pair.manifolds().curves, io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["k", "precision", "recall", "density", "coverage"])
    for k, row in enumerate(curves.T, 1):
        writer.writerow([k, *(f"{value:.10g}" for value in row)])
    return out.getvalue().encode()


def arrays_npz(pair: CloudPair) -> bytes:
    """Points, radii and covering numbers of all k."""
    out = io.BytesIO()
    np.savez_compressed(out, **pair.manifolds().arrays())  # type: ignore[arg-type]
    return out.getvalue()


def code(shown: PairChecks) -> str:
    """Python that makes the numbers of the stage, as it stands."""
    changed = without_k(shown).differences(CloudPair())
    fields = ", ".join(f"{name}={mine!r}" for name, (mine, _) in changed.items())
    return f"""from dgm_core.metrics import frechet_distance, kid, prd_curve, prdc, prdc_curve
from dgm_core.precision_recall import CloudPair

real, fake = CloudPair({fields}).points()   # (N, 2) and (M, 2); any N × D arrays will do
print(prdc(real, fake, k={shown.k}))
curve = prdc_curve(real, fake, k_max={min(shown.k_max, shown.n - 1, shown.m - 1)})
print("precision at every k", curve.precision.round(3))
print("Frechet", frechet_distance(real, fake), kid(real, fake), "F8", prd_curve(real, fake).f_beta(8))
"""
