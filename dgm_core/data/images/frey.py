"""Frey faces: 1,965 frames of one face, 28 × 20 pixels, from a MATLAB file."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np

from dgm_core.data.images.folder import Files, first_file, read_exactly
from dgm_core.data.images.imageset import ImageSet, Info
from dgm_core.errors import DataError

FILE = "frey_rawface.mat"
HEIGHT, WIDTH = 28, 20
MAX_BYTES = 16 * 2**20
"""Of the file, and of what it unpacks to; the published faces are 1.1 MB, 8.8 as float64."""

MAX_FACES = 10_000
HELD_OUT = 0.1

INFO = Info("frey", "Frey faces", (1, HEIGHT, WIDTH), (), (1769, 196), "B. Frey and S. Roweis, from a video")

# What SciPy raises on files that are not MATLAB's or are damaged.
_DAMAGE = (
    ValueError, TypeError, KeyError, IndexError, EOFError, OSError, MemoryError, OverflowError, NotImplementedError,
    RuntimeError, AttributeError, AssertionError, zlib.error, struct.error,
)  # fmt: skip


def find(root: Path) -> Files:
    """The file, where it is there."""
    path = first_file(root, (f"FreyFaces/{FILE}", f"freyfaces/{FILE}", FILE))
    return {FILE: path} if path else {}


def missing(files: Files) -> list[str]:
    """The file, where it is not there."""
    return [] if files else [f"FreyFaces/{FILE}"]


def read(files: Files) -> ImageSet:
    """Read the faces; the last tenth is held out, since neighbouring frames of a video are all but equal.

    Raises:
        DataError: when the file is damaged or holds no such faces.
    """
    faces = _faces(_unpacked(files[FILE]))
    first = len(faces) - max(1, round(HELD_OUT * len(faces)))
    return ImageSet(INFO.name, INFO.title, faces[:first].copy(), faces[first:].copy())


def _faces(content: bytes) -> np.ndarray:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        found = loadmat(io.BytesIO(content), variable_names=["ff"]).get("ff")  # type: ignore[arg-type]
    except (*_DAMAGE, MatReadError, UnboundLocalError) as error:  # the last is how scipy's reader may stumble
        raise DataError(f"{FILE} is damaged or no file that MATLAB 4 to 7 saved; fetch it again.") from error
    if not isinstance(found, np.ndarray) or found.ndim != 2 or found.dtype.kind not in "uif":
        raise DataError(f"{FILE} holds no matrix named ff; the published file has one of 560 × 1965.")
    pixels, n = found.shape
    if pixels != HEIGHT * WIDTH or not 2 <= n <= MAX_FACES:
        raise DataError(
            f"{FILE} holds a matrix of {pixels} × {n}; {HEIGHT * WIDTH} rows and 2 or more faces are needed."
        )
    if not np.array_equal(found, np.clip(np.rint(found), 0, 255)):
        raise DataError(f"{FILE} holds values that are no bytes; the published pixels are whole numbers from 0 to 255.")
    return found.T.reshape(n, 1, HEIGHT, WIDTH).astype(np.uint8)


def _unpacked(path: Path) -> bytes:
    """The file with its compressed elements unpacked, so that SciPy never unpacks more than we have seen.

    References:
        MAT-file format, version 7.3, "Level 5": a header of 128 bytes, then elements of a tag (type, bytes) and data;
        type 15 holds another element, compressed by zlib.
    """
    try:
        size = path.stat().st_size
        if not 0 < size <= MAX_BYTES:
            raise DataError(f"{path.name} has {size:,} bytes; 1 to {MAX_BYTES:,} are read.")
        with path.open("rb") as file:
            content = bytes(read_exactly(path.name, file, size))
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror or error}).") from error
    if not content.startswith(b"MATLAB 5.0"):
        return content
    order = ">" if content[126:128] == b"MI" else "<"
    parts, position = [content[:128]], 128
    while position + 8 <= len(content):
        kind, length = struct.unpack_from(f"{order}II", content, position)
        body = content[position + 8 : position + 8 + length]
        if len(body) < length:
            raise DataError(f"{path.name} ends too early: an element of {length:,} bytes is cut short; fetch it again.")
        parts.append(_inflate(path.name, body) if kind == 15 else content[position : position + 8 + length])
        position += 8 + length
    unpacked = b"".join(parts)
    if len(unpacked) > MAX_BYTES:
        raise _too_large(path.name)
    return unpacked


def _inflate(name: str, packed: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(packed, MAX_BYTES)
    except zlib.error as error:
        raise DataError(f"{name} is damaged ({error}); fetch it again.") from error
    if stream.unconsumed_tail:
        raise _too_large(name)
    if not stream.eof:
        raise DataError(f"{name} is damaged: its compressed data end too early; fetch it again.")
    return content


def _too_large(name: str) -> DataError:
    return DataError(f"{name} unpacks to more than {MAX_BYTES // 2**20} MiB; the published faces take 9 at most.")
