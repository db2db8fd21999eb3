"""What one takes home: the code runs as it stands, the files hold what the page shows."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from app.cnf.takeaway import code, film_npz
from app.takeaway import metrics_csv, weights
from app.trained import Trained
from dgm_core import zoo
from dgm_core.cnf import exhibit
from dgm_core.cnf.experiment import DensityFlow

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = Trained("shipped", "cnf-moons", zoo.experiment("cnf-moons"))
OWN = Trained("run", "a-run", DensityFlow(target="word", word="A", steps=20, width=16))


@pytest.mark.parametrize("trained", [SHIPPED, OWN], ids=["shipped", "run"])
def test_the_code_runs_as_it_stands(trained: Trained, tmp_path: Path) -> None:
    short = code(trained).replace("size=128, frames=60", "size=32, frames=3")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-"], input=short, text=True, cwd=tmp_path, env=environment, timeout=120)
    assert done.returncode == 0
    assert "plotly" in (tmp_path / "density.html").read_text()[:20_000]


def test_the_film_is_whole() -> None:
    film = exhibit.film("cnf-moons")
    with np.load(io.BytesIO(film_npz(film)), allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["log_prob"], film.log_prob)
        assert tuple(arrays["extent"]) == film.extent


def test_the_figures_are_a_table() -> None:
    rows = list(
        csv.DictReader(
            io.StringIO(metrics_csv({"step": np.array([1.0, 2.0]), "nll": np.array([np.nan, 2.5])}).decode())
        )
    )
    assert rows == [{"step": "1", "nll": ""}, {"step": "2", "nll": "2.5"}]


def test_the_weights_make_the_same_model() -> None:
    flow = zoo.load("cnf-moons")
    copy = SHIPPED.experiment.build()
    copy.load_state_dict(safetensors.torch.load(weights(flow, SHIPPED)))
    x = torch.zeros(3, 2)
    torch.testing.assert_close(copy.eval().log_prob(x), flow.log_prob(x))
