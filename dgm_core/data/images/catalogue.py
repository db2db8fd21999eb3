"""The image data sets by name: what they are, whether they are here, and loading them once a process."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path

from dgm_core.data.images import idx
from dgm_core.data.images.digits import digits
from dgm_core.data.images.folder import data_folder
from dgm_core.data.images.imageset import ImageSet, Info
from dgm_core.errors import DataError

_TEN = tuple("0123456789")
_CLOTHES = (
    "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip

INFO: dict[str, Info] = {
    info.name: info
    for info in (
        Info("digits", "Digits 8 × 8", (1, 8, 8), _TEN, (1438, 359), "UCI digits, as shipped with scikit-learn"),
        Info("mnist", "MNIST", (1, 28, 28), _TEN, (60_000, 10_000), "LeCun, Cortes and Burges, 1998"),
        Info(
            "fashion-mnist", "Fashion-MNIST", (1, 28, 28), _CLOTHES, (60_000, 10_000), "Xiao, Rasul and Vollgraf, 2017"
        ),
    )
}
"""What is known of each set before it is loaded, in the order in which lists show them."""

_LOCK = threading.Lock()


def available(name: str, data: str = "") -> str:
    """Whether a set can be loaded now.

    Args:
        name: one of `INFO`.
        data: the shelf's key, for ``"own"``.

    Returns:
        Nothing when it can; else one sentence: what is missing and how to get it.

    Raises:
        DataError: when there is no such set.

    Example:
        >>> available("digits")
        ''
    """
    _require_known(name)
    return _missing(name, list(_files(name)))


def load(name: str, data: str = "") -> ImageSet:
    """Load a set; once a process for the same files.

    Args:
        name: one of `INFO`.
        data: the shelf's key, for ``"own"``.

    Raises:
        DataError: when there is no such set, its files are missing, or they are not what they should be.

    Example:
        >>> load("digits").shape
        (1, 8, 8)
    """
    _require_known(name)
    files = _files(name)
    if sentence := _missing(name, list(files)):
        raise DataError(sentence)
    stamps = tuple((file, str(path), path.stat().st_mtime_ns, path.stat().st_size) for file, path in files.items())
    with _LOCK:  # two sessions that ask at once unpack once
        return _load(name, stamps)


@lru_cache(maxsize=6)
def _load(name: str, stamps: tuple[tuple[str, str, int, int], ...]) -> ImageSet:
    files = {file: Path(path) for file, path, _, _ in stamps}
    if name == "digits":
        return digits()
    info = INFO[name]
    train, labels_train = idx.read_split(files, "train")
    test, labels_test = idx.read_split(files, "test")
    return ImageSet(name, info.title, train, test, labels_train, labels_test, classes=info.classes)


def _files(name: str) -> dict[str, Path]:
    return idx.find(name, data_folder()) if name in idx.FOLDERS else {}


def _missing(name: str, found: list[str]) -> str:
    if name not in idx.FOLDERS:
        return ""
    missing = [file for pair in idx.FILES.values() for file in pair if file not in found]
    if not missing:
        return ""
    place = data_folder() / idx.FOLDERS[name][0]
    return f"{INFO[name].title} is not here: {', '.join(f'{file}.gz' for file in missing)} belong into {place}."


def _require_known(name: str) -> None:
    if name not in INFO:
        raise DataError(f"There is no image data set “{name[:40]}”; there are {', '.join(INFO)}.")
