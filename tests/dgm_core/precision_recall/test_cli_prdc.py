"""``python -m dgm_core prdc`` on files of numbers and folders of pictures."""

import json

import numpy as np
import pytest
from PIL import Image

from dgm_core.cli import main
from dgm_core.metrics import prdc


def test_files_of_numbers(tmp_path, capsys):
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(80, 6)).astype(np.float32), random.normal(size=(70, 6)).astype(np.float32)
    np.savez(tmp_path / "real.npz", real)
    np.save(tmp_path / "fake.npy", fake)
    assert main(["prdc", str(tmp_path / "real.npz"), str(tmp_path / "fake.npy"), "--k", "4"]) == 0
    found = json.loads(capsys.readouterr().out)
    expected = prdc(real, fake, 4)
    assert found["precision"] == expected.precision
    assert found["coverage"] == expected.coverage
    assert (found["real"], found["fake"], found["dimensions"], found["k"]) == (80, 70, 6, 4)


@pytest.mark.parametrize("embed", ["pixels", "classifier"])
def test_folders_of_pictures(tmp_path, capsys, embed):
    random = np.random.default_rng(0)
    for name in ("real", "fake"):
        (tmp_path / name).mkdir()
        for number in range(12):
            Image.fromarray(random.integers(0, 255, (20, 24, 3), np.uint8)).save(tmp_path / name / f"{number}.png")
    words = ["prdc", str(tmp_path / "real"), str(tmp_path / "fake"), "--k", "3", "--size", "16", "--embed", embed]
    assert main([*words, "--network", "zoo:precision_recall-digits"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["dimensions"] == (16 * 16 * 3 if embed == "pixels" else 32)


def test_a_million_rows_are_thinned_and_that_is_said(tmp_path, capsys):
    random = np.random.default_rng(0)
    np.save(tmp_path / "many.npy", random.normal(size=(1_000_000, 2)).astype(np.float32))
    np.save(tmp_path / "few.npy", random.normal(size=(400, 2)).astype(np.float32))
    assert main(["prdc", str(tmp_path / "many.npy"), str(tmp_path / "few.npy"), "--most", "500"]) == 0
    told = capsys.readouterr()
    assert "500 of 1,000,000 rows" in told.err
    assert json.loads(told.out)["real"] == 500


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["nowhere", "nowhere"], 1, "There is no"),
        (["few.npy", "few.npy", "--k", "9"], 1, "have at most 2 neighbours"),
        (["few.npy", "few.npy", "--k", "0"], 2, "--k"),
        (["few.npy"], 2, "FAKE"),
        (["nan.npy", "few.npy"], 1, "NaN"),
        (["few.npy", "wide.npy", "--k", "1"], 1, "both need the same"),
    ],
)
def test_bad_words_are_a_sentence(tmp_path, monkeypatch, capsys, words, status, said):
    monkeypatch.chdir(tmp_path)
    np.save("few.npy", np.arange(6.0).reshape(3, 2))
    np.save("wide.npy", np.arange(9.0).reshape(3, 3))
    np.save("nan.npy", np.full((3, 2), np.nan))
    assert main(["prdc", *words]) == status
    assert said in capsys.readouterr().err
