"""``python -m dgm_core data``: what is here, what cannot be fetched, a folder of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dgm_core.cli import main
from dgm_core.data.images import INFO, load


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DGM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DGM_DATA", raising=False)


@pytest.mark.parametrize("words", [["data"], ["data", "list"]])
def test_all_sets_are_listed(words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(words) == 0
    told = capsys.readouterr().out
    rows = {line.split()[0]: line for line in told.splitlines() if line.split()[:1] and line.split()[0] in INFO}
    assert set(rows) == set(INFO)
    assert " yes " in rows["digits"]
    assert " no " in rows["mnist"]
    assert str(tmp_path / "home" / "data") in told


def test_a_folder_becomes_a_set_that_its_key_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for grey in (10, 20, 30):
        Image.new("L", (30, 20), grey).save(tmp_path / f"{grey}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    assert main(["data", "own", str(tmp_path), "--size", "16", "--grey"]) == 0
    out, err = capsys.readouterr()
    images = load("own", out.strip())
    assert images.shape == (1, 16, 16)
    assert sorted(np.concatenate([images.train, images.test])[:, 0, 0, 0].tolist()) == [10, 20, 30]
    assert "notes.txt" in err


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (["fetch", "frey"], 1, "no checksum"),
        (["fetch", "imagenet"], 2, "there is no image data set 'imagenet'"),
        (["fetch"], 2, "name"),
        (["own", "/nowhere/at/all"], 1, "cannot be read"),
        (["own", ".", "--size", "1"], 1, "sides of 4 to 256"),
        (["bake"], 2, "bake"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    words: list[str], status: int, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", *words]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert part in err
    assert err.startswith("dgm_core: ")


def test_what_is_here_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "fetch", "digits"]) == 0
    assert "1,438 images to train with and 359 held out" in capsys.readouterr().out
