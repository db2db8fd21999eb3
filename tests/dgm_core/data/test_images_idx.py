"""Files in MNIST's format: what is written by hand is read back, and whatever is wrong gets its sentence."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dgm_core.data.images import available, idx, load
from dgm_core.errors import DataError

PUBLISHED = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", 7),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 3),
}


def idx_bytes(array: np.ndarray, kind: int = 8) -> bytes:
    head = bytes([0, 0, kind, array.ndim]) + b"".join(struct.pack(">I", side) for side in array.shape)
    return head + array.tobytes()


def write_set(folder: Path, packed: bool, seed: int = 0) -> dict[str, np.ndarray]:
    """A small set in the published layout; returns the arrays by file name."""
    random, arrays = np.random.default_rng(seed), {}
    folder.mkdir(parents=True, exist_ok=True)
    for images, labels, n in PUBLISHED.values():
        arrays[images] = random.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        arrays[labels] = random.integers(0, 10, n, dtype=np.uint8)
    for name, array in arrays.items():
        content = idx_bytes(array)
        (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(content) if packed else content)
    return arrays


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DGM_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("name", "place"),
    [("mnist", "MNIST/raw"), ("mnist", "."), ("mnist", "mnist"), ("fashion-mnist", "FashionMNIST/raw")],
)
def test_what_was_written_is_read(root: Path, packed: bool, name: str, place: str):
    assert available(name)
    arrays = write_set(root / place, packed)
    assert available(name) == ""
    loaded = load(name)
    for split, (images, labels, n) in PUBLISHED.items():
        assert loaded.images(split).shape == (n, 1, 28, 28)
        assert loaded.images(split).dtype == np.uint8
        assert np.array_equal(loaded.images(split)[:, 0], arrays[images])
        assert loaded.labels(split).tolist() == arrays[labels].tolist()
    assert loaded.shape == (1, 28, 28)
    assert np.allclose(loaded.floats("test").numpy()[:, 0], arrays["t10k-images-idx3-ubyte"] / 255, atol=1e-7)
    with pytest.raises(ValueError, match="read-only"):
        loaded.train[0, 0, 0, 0] = 1
    assert load(name) is loaded


def test_a_changed_file_is_read_again(root: Path):
    first = write_set(root / "MNIST/raw", True)
    before = load("mnist").train.copy()
    second = write_set(root / "MNIST/raw", True, seed=1)
    assert not np.array_equal(*(arrays["train-images-idx3-ubyte"] for arrays in (first, second)))
    assert np.array_equal(before[:, 0], first["train-images-idx3-ubyte"])
    assert np.array_equal(load("mnist").train[:, 0], second["train-images-idx3-ubyte"])


def test_what_is_missing_is_named(root: Path):
    write_set(root / "MNIST/raw", True)
    (root / "MNIST/raw/t10k-labels-idx1-ubyte.gz").unlink()
    sentence = available("mnist")
    assert "t10k-labels-idx1-ubyte.gz" in sentence
    assert "train-images" not in sentence
    with pytest.raises(DataError) as caught:
        load("mnist")
    assert str(caught.value) == sentence
    with pytest.raises(DataError, match="There is no image data set “imagenet”"):
        load("imagenet")


IMAGES = np.zeros((2, 28, 28), np.uint8)
BOMB = idx_bytes(IMAGES) + bytes(50_000_000)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "ends too early"),
        (idx_bytes(IMAGES)[:-1], "ends too early: 1,567 of 1,568"),
        (idx_bytes(IMAGES) + b"x", "goes on after the 1,568 bytes"),
        (BOMB, "goes on after"),
        (idx_bytes(IMAGES, kind=13), "no IDX file of images"),
        (idx_bytes(np.zeros(784, np.uint8)) + bytes(20), "no IDX file of images"),
        (idx_bytes(np.zeros((2, 28, 29), np.uint8)), "28 × 29 pixels; 28 × 28 are needed"),
        (idx_bytes(np.zeros((0, 28, 28), np.uint8)), "declares 0 items"),
        (b"\0\0\x08\x03" + struct.pack(">3I", 2**32 - 1, 28, 28), "4,294,967,295 items; 1 to 100,000 are read"),
        (b"<html>404 not found</html>", "no IDX file"),
    ],
)
def test_a_wrong_file_gets_its_sentence(tmp_path: Path, content: bytes, part: str):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(content, 1))
    with pytest.raises(DataError) as caught:
        idx.read_idx(path, 3)
    assert part in str(caught.value)
    assert str(caught.value).endswith(".")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), byte=st.integers(1, 255), cut=st.booleans())
def test_damage_to_a_packed_file_is_noticed(tmp_path: Path, place: int, byte: int, cut: bool):
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    content = bytearray(gzip.compress(idx_bytes(images), mtime=0))
    place %= len(content)
    if cut:
        del content[place:]
    else:
        content[place] ^= byte
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    try:
        read = idx.read_idx(path, 3)
    except DataError:
        return
    # Only gzip's own header may change without a trace: date, system, flags.
    assert not cut
    assert place < 10
    assert np.array_equal(read, images)


def test_a_plain_file_of_the_wrong_length_gets_its_sentence(tmp_path: Path):
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(idx_bytes(np.zeros(5, np.uint8))[:-2])
    with pytest.raises(DataError, match="ends too early: 3 of 5 bytes"):
        idx.read_idx(path, 1)


def test_images_and_labels_must_match(root: Path):
    write_set(root / "MNIST/raw", False)
    labels = root / "MNIST/raw/train-labels-idx1-ubyte"
    labels.write_bytes(idx_bytes(np.zeros(6, np.uint8)))
    with pytest.raises(DataError, match=r"7 images but .* 6 labels"):
        load("mnist")
    labels.write_bytes(idx_bytes(np.full(7, 10, np.uint8)))
    with pytest.raises(DataError, match="the label 10; labels run from 0 to 9"):
        load("mnist")
