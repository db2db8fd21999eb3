"""The page vqvae without a browser: every part runs, whatever the address says; drawings grow as they should."""

from __future__ import annotations

import numpy as np
import pytest

from app.figures.vqvae import bits_bars, codebook_curve, next_code
from app.trained import Trained
from app.vqvae.drawing import _growing, drawn
from app.vqvae.plane import _code as plane_code
from app.vqvae.train import figures_line
from dgm_core import zoo
from dgm_core.vqvae.layout import has_umap
from dgm_core.vqvae.plane_view import CodebookPlane
from tests.app.test_pages import no_failure, opened

PRIOR = Trained("shipped", "vqvae-shapes-prior", zoo.experiment("vqvae-shapes-prior"))
HOSTILE = [
    {"part": "<b>"},
    {"part": "plane", "p_codes": "1"},
    {"part": "plane", "p_start": "data", "p_codes": "64", "p_count": "20"},
    {"codes": "17000"},
    {"patch": "5"},
    {"dataset": "own", "data": "../../etc/passwd"},
    {"dataset": "own", "data": "0" * 16},
    {"dataset": "cifar10"},
    {"part": "prior", "r_kind": "oracle"},
    {"part": "prior", "r_source": "run:../../x"},
]


@pytest.mark.parametrize("part", ["plane", "codebook", "prior"])
def test_every_part_opens(part: str) -> None:
    no_failure(opened("vqvae", {"part": part}))


@pytest.mark.parametrize("query", HOSTILE, ids=lambda query: ",".join(f"{k}={v[:12]}" for k, v in query.items()))
def test_a_hostile_address_opens_the_page(query: dict[str, str]) -> None:
    app = opened("vqvae", query)
    no_failure(app)
    assert app.title


def test_the_prior_opens_on_a_shipped_law() -> None:
    app = opened("vqvae", {"part": "prior"})
    no_failure(app)
    assert not any("not trained yet" in caption.value for caption in app.caption)


def test_a_drawing_grows_cell_by_cell() -> None:
    """Frame t shows what is given and the first t missing cells in raster order, grey elsewhere."""
    images = np.arange(2 * 3 * 4 * 6, dtype=np.uint8).reshape(2, 3, 4, 6)
    missing = np.array([[False, True, True], [True, False, True]])
    frames = _growing(images, missing)
    assert frames.shape == (5, 1, 2, 4, 6, 3)
    for t, frame in enumerate(frames):
        covered = np.flatnonzero(missing)[t:]
        for cell in range(6):
            row, column = divmod(cell, 3)
            part = (slice(2 * row, 2 * row + 2), slice(2 * column, 2 * column + 2))
            for image in range(2):
                wanted = 96 if cell in covered else np.moveaxis(images[image], 0, -1)[part]
                assert (frame[0, image][part] == wanted).all()


def test_a_drawing_is_a_draw() -> None:
    """Each code has a probability under what it was drawn from, and the frames begin with nothing."""
    found = drawn(PRIOR, 1.0, 0, 3)
    assert not isinstance(found, str)
    np.testing.assert_allclose(found.probabilities.sum(1), 1, atol=1e-4)
    assert (found.probabilities[np.arange(64), found.codes] > 0).all()
    assert found.reel.times.tolist() == list(range(65))
    again = drawn(PRIOR, 1.0, 0, 3)
    assert not isinstance(again, str)
    np.testing.assert_array_equal(found.codes, again.codes)


def test_top_k_leaves_others_out() -> None:
    found = drawn(PRIOR, 1.0, 5, 0)
    assert not isinstance(found, str)
    assert (found.probabilities > 0).sum(1).max() <= 5


def test_figures_hold_the_numbers() -> None:
    steps = np.arange(1, 5)
    curve = codebook_curve(steps, steps + 20.0, steps * 10.0, 256, total=9)
    np.testing.assert_array_equal(curve.tables["psnr"]["value"], steps + 20.0)
    np.testing.assert_array_equal(curve.tables["perplexity"]["value"], steps * 10.0)
    bars = bits_bars(["a", "b"], np.array([10.0, 5.0]), np.array([0.0, 1.0])).tables["bits"]
    np.testing.assert_array_equal(bars["high"] - bars["low"], [0.0, 4.0])
    law = np.array([0.1, 0.6, 0.0, 0.3])
    shown = next_code(law, 2, most=2).tables["codes"]
    assert shown["code"].tolist() == [1, 2]
    assert shown["kind"].tolist() == ["other", "drawn"]
    assert figures_line({"psnr": np.array([20.0, np.nan])}) == "PSNR 20.00 dB"


def test_the_planes_code_runs(capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    exec(plane_code(CodebookPlane(steps=5, count=40)), {})
    assert "k-means" in capsys.readouterr().out
    assert (tmp_path / "plane.html").exists()


@pytest.mark.parametrize("asked", ["tsne", "umap", "<b>"])
def test_another_projection_is_asked_for(asked: str) -> None:
    """The switch has UMAP only where it is installed, and whatever is no projection means PCA."""
    app = opened("vqvae", {"projection": asked})
    no_failure(app)
    known = {"pca", "tsne", *(["umap"] if has_umap() else [])}
    assert app.session_state["projection"] == (asked if asked in known else "pca")
    told = [caption.value for caption in app.caption]
    assert any("groups mean nothing" in text or text == "It is made …" for text in told) == (asked in known)
