"""The published files themselves, where they are here: `DGM_DATA`, or shared/data beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from dgm_core.data.images import INFO, available, load

BESIDE = Path(__file__).resolve().parents[4] / "shared" / "data"
PLACE = os.environ.get("DGM_DATA") or (str(BESIDE) if BESIDE.is_dir() else "")


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> None:
    if not PLACE:
        pytest.skip("neither DGM_DATA nor shared/data is there")
    monkeypatch.setenv("DGM_DATA", PLACE)


def require(name: str) -> None:
    if sentence := available(name):
        pytest.skip(sentence)


def test_mnist() -> None:
    require("mnist")
    images = load("mnist")
    assert (len(images.train), len(images.test)) == INFO["mnist"].sizes
    assert images.labels_train is not None
    # The first labels and the number of each digit, as the literature gives them.
    assert images.labels_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(images.labels_train).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    assert images.train.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert images.train.std(dtype=np.float64) / 255 == pytest.approx(0.3081, abs=1e-4)


def test_cifar() -> None:
    require("cifar10")
    images = load("cifar10")
    assert images.labels_train is not None
    assert images.labels_test is not None
    assert len(images.train) % 10_000 == 0
    # A frog, two trucks, a deer; a cat, two ships, a plane: the set's first images, in either split.
    assert [images.classes[label] for label in images.labels_train[:5]] == [
        "frog",
        "truck",
        "truck",
        "deer",
        "automobile",
    ]
    assert [images.classes[label] for label in images.labels_test[:4]] == ["cat", "ship", "ship", "airplane"]
    whole = (len(images.train), len(images.test)) == INFO["cifar10"].sizes
    assert bool(images.note) != whole
    # The means of the channels that everyone normalises with: red, green, blue.
    assert np.allclose(images.train.mean(axis=(0, 2, 3)) / 255, (0.4914, 0.4822, 0.4465), atol=0.005)
    # Planes, not interleaved pixels, and rows, not columns: neighbours are alike along both axes.
    some = images.train[:500].astype(float)
    steps = [np.abs(np.diff(some, axis=axis)).mean() for axis in (2, 3)]
    assert max(steps) < 0.3 * np.abs(some - some[::-1]).mean()


def test_frey() -> None:
    require("frey")
    images = load("frey")
    assert (len(images.train), len(images.test)) == INFO["frey"].sizes
    faces = images.train.astype(float)
    shuffled = np.random.default_rng(0).permutation(len(faces))
    # A film: neighbouring frames are far more alike than any two; and neighbouring pixels than distant ones.
    assert np.abs(np.diff(faces, axis=0)).mean() < 0.7 * np.abs(faces - faces[shuffled]).mean()
    assert np.abs(np.diff(faces, axis=3)).mean() < 0.5 * np.abs(faces - faces[:, :, :, ::-1]).mean() + 10
