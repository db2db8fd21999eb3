"""CIFAR-10's binary version, from its folder and from its archive: records written by hand, and whatever is wrong."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from dgm_core.data.images import available, cifar, load
from dgm_core.errors import DataError

PLACE = "cifar-10-batches-bin"
SIZES = {"data_batch_1.bin": 5, "data_batch_2.bin": 4, "test_batch.bin": 3}


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DGM_DATA", str(tmp_path))
    return tmp_path


def record(label: int, image: np.ndarray) -> bytes:
    """As the set's page describes it: the label, then all red, all green, all blue values, row by row."""
    return bytes([label]) + b"".join(image[:, :, channel].tobytes() for channel in range(3))


def batch(n: int, seed: int) -> tuple[bytes, np.ndarray, np.ndarray]:
    """The file's bytes, images (n, 32, 32, 3) and labels."""
    random = np.random.default_rng(seed)
    images, labels = random.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8), random.integers(0, 10, n)
    return b"".join(map(record, labels.tolist(), images)), images, labels


BATCHES = {name: batch(n, seed) for seed, (name, n) in enumerate(SIZES.items())}


def write_folder(root: Path, names: list[str]) -> None:
    (root / PLACE).mkdir(exist_ok=True)
    for name in names:
        (root / PLACE / name).write_bytes(BATCHES[name][0])


def packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


GOOD = {f"{PLACE}/{name}": content for name, (content, _, _) in BATCHES.items()}


def assert_these(names: list[str]) -> None:
    loaded = load("cifar10")
    train = np.concatenate([BATCHES[name][1] for name in names])
    assert np.array_equal(loaded.train.transpose(0, 2, 3, 1), train)
    assert loaded.labels_train is not None
    assert loaded.labels_train.tolist() == np.concatenate([BATCHES[name][2] for name in names]).tolist()
    assert np.array_equal(loaded.test.transpose(0, 2, 3, 1), BATCHES["test_batch.bin"][1])
    assert loaded.classes[:2] == ("airplane", "automobile")


def test_a_subset_is_read_from_the_folder_and_said(root: Path) -> None:
    assert "cifar-10-binary.tar.gz" in available("cifar10")
    write_folder(root, ["data_batch_2.bin", "test_batch.bin"])
    assert available("cifar10") == ""
    assert_these(["data_batch_2.bin"])
    note = load("cifar10").note
    assert "4 of 50,000" in note
    assert "3 of 10,000" in note
    write_folder(root, ["data_batch_1.bin"])
    assert_these(["data_batch_1.bin", "data_batch_2.bin"])


@pytest.mark.parametrize(
    ("there", "lacking"),
    [("data_batch_1.bin", "test_batch.bin not found"), ("test_batch.bin", "data_batch_1.bin not found")],
)
def test_half_of_it_is_not_enough(root: Path, there: str, lacking: str) -> None:
    write_folder(root, [there])
    assert lacking in available("cifar10")


def test_the_archive_is_read_without_being_unpacked_to_disk(root: Path) -> None:
    (root / cifar.ARCHIVE).write_bytes(packed({f"{PLACE}/readme.html": b"<p>"} | GOOD))
    assert available("cifar10") == ""
    assert_these(["data_batch_1.bin", "data_batch_2.bin"])
    assert [path.name for path in root.iterdir()] == [cifar.ARCHIVE]


def test_the_archive_goes_before_a_part_in_the_folder(root: Path) -> None:
    write_folder(root, ["data_batch_2.bin", "test_batch.bin"])
    (root / cifar.ARCHIVE).write_bytes(packed(GOOD))
    assert_these(["data_batch_1.bin", "data_batch_2.bin"])


def test_members_elsewhere_and_links_are_passed_over(root: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name in ("../../evil.bin", "/tmp/data_batch_3.bin", f"{PLACE}/../data_batch_3.bin", "data_batch_3.bin"):
            info = tarfile.TarInfo(name)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"bad"))
        link = tarfile.TarInfo(f"{PLACE}/data_batch_4.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        for name, content in GOOD.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    (root / cifar.ARCHIVE).write_bytes(file.getvalue())
    assert_these(["data_batch_1.bin", "data_batch_2.bin"])
    assert len(list(root.rglob("*"))) == 1


ONE = BATCHES["data_batch_1.bin"][0]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "0 bytes; 1 to 10,000 records of 3,073"),
        (ONE[:-1], "15,364 bytes"),
        (b"\x0a" + ONE[1:], "the label 10; labels run from 0 to 9"),
        (bytes(3073 * 10_001), "30,733,073 bytes"),
    ],
)
def test_a_wrong_batch_gets_its_sentence(root: Path, content: bytes, part: str) -> None:
    write_folder(root, ["test_batch.bin"])
    (root / PLACE / "data_batch_1.bin").write_bytes(content)
    with pytest.raises(DataError) as caught:
        load("cifar10")
    assert part in str(caught.value)
    (root / PLACE / "data_batch_1.bin").unlink()
    (root / cifar.ARCHIVE).write_bytes(packed(GOOD | {f"{PLACE}/data_batch_1.bin": content}))
    with pytest.raises(DataError) as caught:
        load("cifar10")
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "damaged or cut short"),
        (b"<html>404</html>", "damaged or cut short"),
        (gzip.compress(b"no archive at all" * 100), "damaged or cut short"),
        (packed(GOOD)[:-2000], "damaged or cut short"),
        (packed({"readme": b"-"}), "lacks data_batch_1.bin"),
        (packed({f"{PLACE}/data_batch_1.bin": ONE}), "lacks test_batch.bin"),
        (packed({f"{number}": b"" for number in range(60)} | GOOD), "more than 50 files"),
        (packed({"zeros": bytes(200 * 2**20)} | GOOD), "unpacks to more than 192 MiB"),
    ],
    ids=["empty", "html", "no tar", "cut", "none", "half", "many", "bomb"],
)
def test_a_wrong_archive_gets_its_sentence(root: Path, content: bytes, part: str) -> None:
    (root / cifar.ARCHIVE).write_bytes(content)
    with pytest.raises(DataError) as caught:
        load("cifar10")
    assert part in str(caught.value)


def test_a_changed_byte_in_the_archive_is_noticed(root: Path) -> None:
    content = bytearray(packed(GOOD))
    content[len(content) // 2] ^= 1
    (root / cifar.ARCHIVE).write_bytes(bytes(content))
    with pytest.raises(DataError):
        load("cifar10")
