"""The IDX format of MNIST and of the sets that follow it.

A file is two zero bytes, the type (8: unsigned byte), the number of dimensions, each dimension as a big-endian uint32,
then the values, the last dimension fastest.

References:
    Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits, "File formats".
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np

from dgm_core.data.images.folder import Files, first_file, open_unpacked, read_exactly
from dgm_core.data.images.imageset import ImageSet, Info
from dgm_core.errors import DataError

MAX_IMAGES = 100_000
"""More items than that are refused from the header alone."""

SIDE = 28

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}

FOLDERS = {
    "mnist": ("MNIST/raw", "MNIST", "mnist", "."),
    "fashion-mnist": ("FashionMNIST/raw", "FashionMNIST", "fashion-mnist"),
}
"""Where the four files may lie in the data folder; the first is where torchvision puts them, and so does `fetch`."""


_TEN = tuple("0123456789")
_CLOTHES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")

INFO = {
    "mnist": Info("mnist", "MNIST", (1, SIDE, SIDE), _TEN, (60_000, 10_000), "LeCun, Cortes and Burges, 1998"),
    "fashion-mnist": Info(
        "fashion-mnist", "Fashion-MNIST", (1, SIDE, SIDE), _CLOTHES, (60_000, 10_000), "Xiao, Rasul and Vollgraf, 2017"
    ),
}


def find(name: str, root: Path) -> Files:
    """The files of one set that are there, by their published names; from the folder that has most of them."""
    found = [_in_folder(root / folder) for folder in FOLDERS[name]]
    return max(found, key=len)


def missing(name: str, files: Files) -> list[str]:
    """The published names of those that are not there."""
    return [f"{FOLDERS[name][0]}/{file}.gz" for pair in FILES.values() for file in pair if file not in files]


def read(name: str, files: Files) -> ImageSet:
    """Read both halves; the note says so where they are not as large as published.

    Raises:
        DataError: when a file is damaged, none of the format, or labels do not match images.
    """
    info = INFO[name]
    (train, labels), (test, labels_test) = read_split(files, "train"), read_split(files, "test")
    note = ""
    if (len(train), len(test)) != info.sizes:
        note = f"These files of {info.title} hold {len(train):,} images to train with and {len(test):,} held out."
    return ImageSet(name, info.title, train, test, labels, labels_test, note=note, classes=info.classes)


def _in_folder(folder: Path) -> Files:
    spellings = {
        file: (file, f"{file}.gz", file.replace("-idx", ".idx"), file.replace("-idx", ".idx") + ".gz")
        for pair in FILES.values()
        for file in pair
    }
    there = {file: first_file(folder, names) for file, names in spellings.items()}
    return {file: path for file, path in there.items() if path is not None}


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Read a file of unsigned bytes.

    Args:
        path: with or without .gz.
        dimensions: 3 for images (N, H, W), 1 for labels (N,).

    Returns:
        uint8 in the declared shape.

    Raises:
        DataError: when it is no such file, declares more than `MAX_IMAGES` items or other sides than 28, or does not
            hold what it declares.
    """
    try:
        with open_unpacked(path) as file:
            head = 4 + 4 * dimensions
            zeros, kind, count, *shape = struct.unpack(
                f">HBB{dimensions}I", read_exactly(path.name, file, head, to_end=False)
            )
            _require(path, (zeros, kind, count), tuple(shape), dimensions)
            return np.frombuffer(read_exactly(path.name, file, math.prod(shape)), dtype=np.uint8).reshape(shape)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror or error}).") from error


def _require(path: Path, head: tuple[int, int, int], shape: tuple[int, ...], dimensions: int) -> None:
    if head != (0, 8, dimensions):
        what = "images" if dimensions == 3 else "labels"
        raise DataError(f"{path.name} is no IDX file of {what}: it begins with other bytes; fetch it again.")
    if not 1 <= shape[0] <= MAX_IMAGES:
        raise DataError(f"{path.name} declares {shape[0]:,} items; 1 to {MAX_IMAGES:,} are read.")
    if any(side != SIDE for side in shape[1:]):
        sides = " × ".join(map(str, shape[1:]))
        raise DataError(f"{path.name} declares images of {sides} pixels; {SIDE} × {SIDE} are needed.")


def read_split(files: Files, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of one half.

    Returns:
        (N, 1, 28, 28) uint8 and (N,) int64 in 0…9.

    Raises:
        DataError: as `read_idx`, or when images and labels do not match.
    """
    images, labels = (files[name] for name in FILES[split])
    pixels, classes = read_idx(images, 3), read_idx(labels, 1)
    if len(pixels) != len(classes):
        raise DataError(f"{images.name} has {len(pixels):,} images but {labels.name} {len(classes):,} labels.")
    if classes.max() > 9:
        raise DataError(f"{labels.name} has the label {classes.max()}; labels run from 0 to 9.")
    return pixels[:, None], classes.astype(np.int64)
