"""The shelf: people's own data in files named by their content, so that a link can name them.

One file a piece, ``shelf/<first 16 hexadecimal digits of its SHA-256>.safetensors`` under `dgm_core.home.home`. A file
is written aside and then renamed, so it is whole or absent; it is checked against its name whenever it is read.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple, cast, get_args

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from dgm_core.data.densities import TARGETS
from dgm_core.data.pictures import image_target
from dgm_core.data.points import points_target
from dgm_core.data.series import Series, series_of_table
from dgm_core.data.target import Target
from dgm_core.data.words import word_target
from dgm_core.errors import DataError
from dgm_core.home import home

Kind = Literal["points", "image", "images", "series"]

MAX_TOTAL = 256 * 2**20
"""Bytes that the shelf may hold; beyond it what was not used for longest is dropped."""

MAX_PIECE = 16 * 2**20
"""Bytes of points, a picture or a series: a million points take 8 MB."""

MAX_IMAGES = 64 * 2**20
"""Bytes of a set of images: 20,000 of 32 × 32 in colour take 61 MB."""

IMAGE_SIDES = (4, 256)
"""The least and the largest side of images in a set."""


_DTYPES: dict[str, type | None] = {"images": None, "series": np.float64}
"""What is kept other than as float32: images as they come, since what they are is looked at; times with all digits."""


class Piece(NamedTuple):
    """Data from the shelf.

    Args:
        kind: ``"points"``, ``"image"`` or ``"images"``.
        array: float32 points (N, 2) in the window's coordinates; float32 ink (H, W), row 0 at the top; uint8 images
            (N, C, H, W), C is 1 or 3; a float64 table (N, 1 + D) of times and variables, NaN in the gaps.
    """

    kind: Kind
    array: np.ndarray


def put(array: np.ndarray, kind: Kind | None = None, *, max_total: int = MAX_TOTAL) -> str:
    """Keep points, a picture, a set of images or a series.

    Args:
        array: (N, 2) points in the window's coordinates or (H, W) ink, finite; (N, C, H, W) uint8 images, N ≥ 2; or a
            series' table, (N, 1 + D).
        kind: which of them; None takes an array of two columns for points, one of four dimensions for images.
        max_total: bytes that the shelf may hold afterwards.

    Returns:
        The key: 16 hexadecimal digits, the same for the same data.

    Raises:
        DataError: when the data are not of that kind, are too large, or the disk takes no more.
    """
    kind = kind or _kind_of(np.shape(array))
    array = np.ascontiguousarray(array, dtype=_DTYPES.get(kind, np.float32))
    most = MAX_IMAGES if kind == "images" else MAX_PIECE
    if array.nbytes > most:
        raise DataError(f"The data take {array.nbytes / 2**20:.0f} MiB; at most {most / 2**20:.0f} MiB are kept.")
    _require_good(Piece(kind, array))  # what could not be used when it is read back is refused now
    content = save({kind: array})
    key = hashlib.sha256(content).hexdigest()[:16]
    try:
        path = _path(key)
        _write(path, content)
        _prune(path, max_total)
    except OSError as error:
        raise DataError(
            f"The data cannot be kept ({error.strerror or error}); free some space under {home()}."
        ) from error
    return key


def get(key: str) -> Piece:
    """Read a piece, and note that it was used.

    Raises:
        DataError: when the key is none, nothing has it, or its file is damaged (which is then dropped).
    """
    if not re.fullmatch(r"[0-9a-f]{16}", key):
        raise DataError(f"“{key[:40]}” is no key of kept data; upload the file or draw the points again.")
    path = _path(key)
    try:
        content = path.read_bytes()
        os.utime(path)
    except OSError as error:
        raise DataError(f"The data {key} are not on this machine; upload the file or draw the points again.") from error
    try:
        if hashlib.sha256(content).hexdigest()[:16] != key:
            raise ValueError("content and name differ")
        ((kind, array),) = load(content).items()
        if kind not in get_args(Kind):
            raise ValueError("of no known kind")
        return Piece(cast("Kind", kind), array)
    except (SafetensorError, ValueError) as error:
        path.unlink(missing_ok=True)
        raise DataError(f"The kept data {key} are damaged and were dropped; upload the file or draw again.") from error


def holds(key: str) -> bool:
    """Whether there is a piece of that name; it is noted as used, its content is not looked at."""
    if not re.fullmatch(r"[0-9a-f]{16}", key):
        return False
    try:
        os.utime(_path(key))
    except OSError:
        return False
    return True


def images_of(key: str) -> np.ndarray:
    """A set of images.

    Returns:
        (N, C, H, W) uint8, N ≥ 2, C is 1 or 3.

    Raises:
        DataError: when the data are missing, damaged or of another kind.
    """
    piece = get(key)
    if piece.kind != "images":
        raise DataError(f"The data {key} are of the kind “{piece.kind}”, not “images”; upload images instead.")
    _require_good(piece)
    return piece.array


def series_of(key: str) -> Series:
    """A series; its variables' names are not kept.

    Raises:
        DataError: when the data are missing, damaged or of another kind.
    """
    piece = get(key)
    if piece.kind != "series":
        raise DataError(f"The data {key} are of the kind “{piece.kind}”, not “series”; upload a series instead.")
    return series_of_table(piece.array)


def target_of(name: str, word: str = "", data: str = "") -> Target:
    """The target that an Experiment's fields name.

    Args:
        name: one of `TARGETS`, ``"word"``, ``"image"`` or ``"points"``.
        word: for ``"word"``.
        data: the shelf's key, for ``"image"`` and ``"points"``.

    Raises:
        DataError: when there is no such target, the word cannot be drawn, or the data are missing, damaged or of the
            other kind.

    Example:
        >>> target_of("moons") is TARGETS["moons"]
        True
    """
    if name in TARGETS:
        return TARGETS[name]
    if name == "word":
        return word_target(word)
    if name not in ("image", "points"):
        raise DataError(f"There is no target “{name[:40]}”; there are {', '.join(TARGETS)}, word, image and points.")
    if not data:
        what = "draw points or upload a file of them" if name == "points" else "upload a picture"
        raise DataError(f"No data are chosen yet; {what}.")
    target = _kept_target(data)
    if target.name != name:
        raise DataError(f"The data {data} are of the kind “{target.name}”, not “{name}”; choose that target instead.")
    return target


@lru_cache(maxsize=16)
def _kept_target(key: str) -> Target:
    return _target(get(key))


def _target(piece: Piece) -> Target:
    if piece.kind in ("images", "series"):
        what = "a set of images" if piece.kind == "images" else "a series"
        raise DataError(f"The data are {what}, not points or one picture; choose a target for those.")
    return points_target(piece.array) if piece.kind == "points" else image_target(piece.array)


def _kind_of(shape: tuple[int, ...]) -> Kind:
    if len(shape) == 4:
        return "images"
    return "points" if len(shape) == 2 and shape[1] == 2 else "image"


def _require_good(piece: Piece) -> None:
    if piece.kind == "series":
        series_of_table(piece.array)
        return
    if piece.kind != "images":
        _target(piece)
        return
    shape, (least, most) = piece.array.shape, IMAGE_SIDES
    if piece.array.dtype != np.uint8 or len(shape) != 4 or shape[0] < 2 or shape[1] not in (1, 3):
        raise DataError(
            f"Images of type {piece.array.dtype} and shape {shape} are given; two or more, N × 1 or 3 × height × width"
            " bytes, are kept."
        )
    if not (least <= min(shape[2:]) and max(shape[2:]) <= most):
        raise DataError(f"Images of {shape[2]} × {shape[3]} pixels are given; sides of {least} to {most} are kept.")


def _path(key: str) -> Path:
    return home() / "shelf" / f"{key}.safetensors"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def _prune(newest: Path, max_total: int) -> None:
    """Drop what was not used for longest until the shelf fits; the newest piece stays."""
    used = []
    for path in newest.parent.glob("*.safetensors"):
        try:
            used.append((path.stat().st_mtime_ns, path.stat().st_size, path))
        except FileNotFoundError:  # another process pruned it just now
            continue
    total = sum(size for _, size, _ in used)
    for _, size, path in sorted(used):
        if total <= max_total:
            break
        if path != newest:
            path.unlink(missing_ok=True)
            total -= size
