"""The page gumbel without a browser: every part runs, whatever the address says; files and code are what they say."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

from app.gumbel.categories import _code as categories_code
from app.gumbel.estimators import _code as estimators_code
from app.gumbel.samples import samples_csv, samples_npz
from app.gumbel.simplex import _code as simplex_code
from app.simplex import stage_noise
from app.simplex.raster import triangle_png, triangle_svg
from app.simplex.settings import HUES
from dgm_core.gumbel.presets import CATEGORIES, ESTIMATORS, SIMPLEX
from dgm_core.gumbel.views import CategoryChecks, ConcreteChecks, EstimatorBench
from tests.app.test_pages import no_failure, opened, said

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("part", ["simplex", "categories", "estimators", "vae"])
def test_every_part_opens(part: str) -> None:
    no_failure(opened("gumbel", {"part": part}))


HOSTILE = [
    {"part": "<b>"},
    {"s_weights": "0,0,0"},
    {"s_weights": "1,1"},
    {"s_weights": "-1,1,1"},
    {"s_weights": "9" * 500},
    {"s_tau": "nan"},
    {"s_tau": "-1", "classroom": "true"},
    {"s_tau": "1e9"},
    {"part": "categories", "k_weights": "1"},
    {"part": "categories", "k_weights": ",".join("1" * 21)},
    {"part": "categories", "k_weights": "1,0,0", "k_tau": "0"},
    {"part": "estimators", "e_objective": "evil", "e_tau": "7"},
    {"part": "estimators", "e_categories": "400"},
    {"part": "vae", "latents": "0"},
    {"part": "vae", "dataset": "own", "data": "../../etc/passwd"},
    {"part": "vae", "dataset": "own", "data": "0" * 16},
    {"part": "vae", "dataset": "mnist"},
    {"part": "vae", "tau": "0.1", "tau_min": "5"},
]


@pytest.mark.parametrize("query", HOSTILE, ids=lambda query: ",".join(f"{k}={v[:12]}" for k, v in query.items()))
def test_a_hostile_address_opens_the_page(query: dict[str, str]) -> None:
    app = opened("gumbel", query)
    no_failure(app)
    assert app.title


@pytest.mark.parametrize("query", [{"s_weights": "0,0,0"}, {"s_weights": "1,-1,1"}, {"part": "vae", "latents": "0"}])
def test_what_is_ignored_is_said(query: dict[str, str]) -> None:
    app = opened("gumbel", query)
    no_failure(app)
    assert "is ignored" in said(app)


@pytest.mark.parametrize("tau", [0.0, 0.5, 20.0])
def test_samples_are_the_stages(tau: float) -> None:
    """The files hold softmax((log π + G)/τ) of the noise that the browser has; NumPy in float64 is the oracle."""
    now = ConcreteChecks(weights="0.6,0.4,0", tau=tau, seed=5)
    with np.load(io.BytesIO(samples_npz(now)), allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    noise = stage_noise(5).astype(np.float64)[:2000]
    with np.errstate(divide="ignore"):
        y = np.log([0.6, 0.4, 0.0]) + noise
    wanted = np.eye(3)[y.argmax(1)] if tau == 0 else softmax(y / tau, axis=1)
    assert np.abs(found["z"] - wanted).max() < 1e-5
    rows = list(csv.reader(io.StringIO(samples_csv(now).decode())))
    assert len(rows) == 2001
    assert [int(row[-1]) - 1 for row in rows[1:]] == y.argmax(1).tolist()


SHOWN: list[tuple[str, Any]] = [
    ("simplex", simplex_code(ConcreteChecks(tau=0.7, seed=1))),
    ("argmax", simplex_code(ConcreteChecks(weights="1,0,0", tau=0.0))),
    ("categories", categories_code(CategoryChecks())),
    ("estimators", estimators_code(EstimatorBench(objective="linear", samples=200), 0.5)),
]


@pytest.mark.parametrize(("name", "code"), SHOWN, ids=[name for name, _ in SHOWN])
def test_the_code_runs_as_it_stands(name: str, code: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout


@pytest.mark.parametrize("presets", [SIMPLEX, CATEGORIES, ESTIMATORS])
def test_predictions_are_asked(presets: Any) -> None:
    assert len(presets) >= 2
    for preset in presets:
        assert preset.options[preset.answer]
        assert preset.reveal


def test_pictures_show_every_sample_where_it_is() -> None:
    """The SVG's circles against barycentric coordinates; the PNG has each hue at its corner."""
    z = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [0.2, 0.3, 0.5]])
    root = ElementTree.fromstring(triangle_svg(z, 600))
    circles = [
        (float(c.get("cx", "")), float(c.get("cy", ""))) for c in root.iter("{http://www.w3.org/2000/svg}circle")
    ]
    corners = np.array(circles[:3])
    np.testing.assert_allclose(circles[3], z[3] @ corners, atol=0.02)
    np.testing.assert_allclose(np.linalg.norm(corners - np.roll(corners, 1, 0), axis=1), 504, atol=0.1)
    with Image.open(io.BytesIO(triangle_png(z, 600))) as picture:
        for (x, y), hue in zip(corners, HUES, strict=True):
            seen = np.array(picture.getpixel((round(x), round(y))))
            wanted = np.array([int(hue.light[k : k + 2], 16) for k in (1, 3, 5)])
            assert np.abs(seen - wanted).max() <= 30
