"""The image data sets by name: what they are, whether they are here, loading them once a process, fetching them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from dgm_core.data.images import cifar, digits, frey, idx, own, photos, shapes
from dgm_core.data.images.download import REMOTES, Report, fetch_files
from dgm_core.data.images.folder import Files, data_folder
from dgm_core.data.images.imageset import ImageSet, Info
from dgm_core.errors import DataError


@dataclass(frozen=True)
class Source:
    """Where a set comes from.

    Args:
        info: what is known of it.
        read: its files to images.
        find: the data folder to its files; a set that needs none has none.
        missing: its files to the places, relative to the data folder, where something must be put.
    """

    info: Info
    read: Callable[[Files], ImageSet]
    find: Callable[[Path], Files] = lambda root: {}
    missing: Callable[[Files], list[str]] = lambda files: []


def _idx(name: str) -> Source:
    return Source(idx.INFO[name], partial(idx.read, name), partial(idx.find, name), partial(idx.missing, name))


_SOURCES: Mapping[str, Source] = {
    source.info.name: source
    for source in (
        Source(digits.INFO, lambda files: digits.digits()),
        _idx("mnist"),
        _idx("fashion-mnist"),
        Source(cifar.INFO, cifar.read, cifar.find, cifar.missing),
        Source(frey.INFO, frey.read, frey.find, frey.missing),
        Source(photos.INFO, lambda files: photos.photo_crops()),
        Source(shapes.INFO, lambda files: shapes.draw_shapes()),
    )
}

INFO: Mapping[str, Info] = {name: source.info for name, source in _SOURCES.items()} | {own.INFO.name: own.INFO}
"""What is known of each set before it is loaded, in the order in which lists show them."""

_LOCK = threading.Lock()


def available(name: str, data: str = "") -> str:
    """Whether a set can be loaded now.

    Args:
        name: one of `INFO`.
        data: the shelf's key, for ``"own"``.

    Returns:
        Nothing when it can; else a sentence: what is missing and how to get it.

    Raises:
        DataError: when there is no such set.

    Example:
        >>> available("digits")
        ''
    """
    if name == own.INFO.name:
        return own.missing(data) or _complaint_about_own(data)
    source, root = _source(name), data_folder()
    missing = source.missing(source.find(root))
    if not missing:
        return ""
    them = "it" if len(missing) == 1 else "them"
    how = f"fetch {them} with “python -m dgm_core data fetch {name}” or put {them} there"
    if name not in REMOTES:
        how = f"put {them} there (its publisher gives no checksum, so it is not fetched)"
    return f"The data set {source.info.title} is not on this machine: {', '.join(missing)} not found in {root}; {how}."


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
    if sentence := available(name, data):
        raise DataError(sentence)
    if name == own.INFO.name:
        return _own(data)
    files = _source(name).find(data_folder())
    stamps = tuple((file, str(path), path.stat().st_mtime_ns, path.stat().st_size) for file, path in files.items())
    with _LOCK:  # two sessions that ask at once unpack once
        return _load(name, stamps)


def fetch(name: str, report: Report | None = None) -> None:
    """Download what is not there of a set into the data folder, each file checked against its published checksum.

    Where a set is there but damaged, its files are compared with their checksums, and those that differ are replaced.

    Args:
        name: one of `INFO`.
        report: told of progress.

    Raises:
        DataError: when the set cannot be fetched, there is no network, a file is not what was published, or the folder
            takes none.
    """
    missing, complaint, whole = available(name), "", False
    if not missing:
        try:
            whole = not load(name).note
        except DataError as error:
            complaint = str(error)
    if whole or (name not in REMOTES and not missing and not complaint):
        return
    if name not in REMOTES:
        raise DataError(missing or complaint)
    there = {} if complaint else _source(name).find(data_folder())
    wanted = [remote for remote in REMOTES[name] if Path(remote.place).name.removesuffix(".gz") not in there]
    fetch_files(wanted, report)
    if complaint:
        load(name)  # a damaged file in another place than that of the fetched one is named


@lru_cache(maxsize=8)
def _load(name: str, stamps: tuple[tuple[str, str, int, int], ...]) -> ImageSet:
    return _source(name).read({file: Path(path) for file, path, _, _ in stamps})


@lru_cache(maxsize=4)
def _load_own(data: str) -> ImageSet:
    return own.read_own(data)


def _own(data: str) -> ImageSet:
    with _LOCK:
        return _load_own(data)


def _complaint_about_own(data: str) -> str:
    try:
        _own(data)
    except DataError as error:
        return str(error)
    return ""


def _source(name: str) -> Source:
    if name not in _SOURCES:
        raise DataError(f"There is no image data set “{name[:40]}”; there are {', '.join(INFO)}.")
    return _SOURCES[name]
