"""CIFAR-10, binary version, from its folder or straight from its archive.

A record is one byte of label, then 1024 bytes each of red, green and blue, row by row; a file holds 10,000 records.

References:
    A. Krizhevsky: Learning multiple layers of features from tiny images, 2009; "Binary version" on the set's page.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import numpy as np

from dgm_core.data.images.folder import Files, read_exactly
from dgm_core.data.images.imageset import ImageSet, Info
from dgm_core.errors import DataError

FOLDER, ARCHIVE = "cifar-10-batches-bin", "cifar-10-binary.tar.gz"
BATCHES = tuple(f"data_batch_{k}.bin" for k in range(1, 6))
TEST = "test_batch.bin"
RECORD = 1 + 3 * 32 * 32
MAX_RECORDS = 10_000
"""In one file."""

MAX_UNPACKED = 192 * 2**20
"""Bytes that are unpacked from the archive; the published one holds 184.4 MB."""

MAX_MEMBERS = 50

INFO = Info(
    "cifar10", "CIFAR-10", (3, 32, 32),
    ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    (50_000, 10_000), "Krizhevsky, 2009",
)  # fmt: skip


def find(root: Path) -> Files:
    """The files of the folder ``cifar-10-batches-bin`` that are there; the archive where it has more."""
    files = {name: root / FOLDER / name for name in (*BATCHES, TEST) if (root / FOLDER / name).is_file()}
    if len(files) <= len(BATCHES) and (root / ARCHIVE).is_file():
        files = {ARCHIVE: root / ARCHIVE}
    return files


def missing(files: Files) -> list[str]:
    """What would have to be there: a part of the training images and of the held-out ones is enough."""
    if ARCHIVE in files:
        return []
    if not files:
        return [ARCHIVE]
    lacks = [] if any(name in files for name in BATCHES) else [f"{FOLDER}/{BATCHES[0]}"]
    return lacks if TEST in files else [*lacks, f"{FOLDER}/{TEST}"]


def read(files: Files) -> ImageSet:
    """Read what was found; the note says how much that is.

    Raises:
        DataError: when a file is damaged or none of the format.
    """
    batches = dict(_from_archive(files[ARCHIVE])) if ARCHIVE in files else _from_folder(files)
    train = [batches[name] for name in BATCHES if name in batches]
    if not train or TEST not in batches:
        raise DataError(f"{ARCHIVE} lacks {TEST if train else BATCHES[0]}; fetch it again.")
    (x, y), (held, held_y) = _split(np.concatenate(train)), _split(batches[TEST])
    return ImageSet(INFO.name, INFO.title, x, held, y, held_y, note=_note(len(x), len(held)), classes=INFO.classes)


def _note(train: int, test: int) -> str:
    published = INFO.sizes or (train, test)
    if (train, test) == published:
        return ""
    return (
        f"A part of CIFAR-10 was found: {train:,} of {published[0]:,} images to train with"
        f" and {test:,} of {published[1]:,} held out."
    )


def _split(records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3073) bytes as (N, 3, 32, 32) uint8 and (N,) int64, neither holding on to the other's memory."""
    return np.ascontiguousarray(records[:, 1:]).reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


def _from_folder(files: Files) -> dict[str, np.ndarray]:
    batches = {}
    for name, path in files.items():
        try:
            with path.open("rb") as file:
                batches[name] = _records(name, file, path.stat().st_size)
        except OSError as error:
            raise DataError(f"{name} cannot be read ({error.strerror or error}).") from error
    return batches


def _from_archive(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The batches in the archive, one at a time; nothing is written to disk, other members are passed over."""
    try:
        with gzip.open(path) as packed:
            bounded = io.BufferedReader(_Bounded(cast("IO[bytes]", packed), path.name))
            with tarfile.open(fileobj=bounded, mode="r|") as archive:
                for number, member in enumerate(archive):
                    if number >= MAX_MEMBERS:
                        raise DataError(f"{path.name} holds more than {MAX_MEMBERS} files; CIFAR-10's holds eight.")
                    folder, _, name = member.name.rpartition("/")
                    file = archive.extractfile(member) if member.isreg() and folder in (FOLDER, f"./{FOLDER}") else None
                    if file is not None and name in (*BATCHES, TEST):
                        yield name, _records(name, file, member.size)
            while bounded.read(2**20):  # to the end, where gzip compares its checksum
                pass
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path.name} is damaged or cut short ({error}); fetch it again.") from error


def _records(name: str, file: IO[bytes], size: int) -> np.ndarray:
    """(N, 3073) uint8 of a file of ``size`` bytes."""
    if not size or size % RECORD or size > MAX_RECORDS * RECORD:
        raise DataError(
            f"{name} has {size:,} bytes; 1 to {MAX_RECORDS:,} records of {RECORD:,} bytes are needed: fetch it again."
        )
    records = np.frombuffer(read_exactly(name, file, size), dtype=np.uint8).reshape(-1, RECORD)
    if records[:, 0].max() > 9:
        raise DataError(f"{name} has the label {records[:, 0].max()}; labels run from 0 to 9: fetch it again.")
    return records


class _Bounded(io.RawIOBase):
    """A file that refuses to unpack more than `MAX_UNPACKED` bytes.

    Args:
        file: what is read.
        name: for the message.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.file, self.name, self.left = file, name, MAX_UNPACKED

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as the file goes.

        Raises:
            DataError: when there is more than the limit.
        """
        block = self.file.read(len(buffer))
        self.left -= len(block)
        if self.left < 0:
            raise DataError(f"{self.name} unpacks to more than {MAX_UNPACKED // 2**20} MiB; CIFAR-10 takes 176.")
        buffer[: len(block)] = block
        return len(block)
