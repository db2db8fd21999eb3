"""Embedded sets from files: any N × D numbers, kept under a key made from their content."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from dgm_core.data.array_files import points_from_npy, points_from_npz
from dgm_core.data.text_files import points_from_text
from dgm_core.errors import DataError
from dgm_core.home import home
from dgm_core.metrics.clouds import as_points

MAX_BYTES = 256 * 2**20
"""Of an uploaded file, of an array, and of all that are kept."""
MAX_ROWS = 1_000_000


def read_vectors(name: str, blob: bytes | BinaryIO) -> np.ndarray:
    """N × D numbers from NPY, NPZ (its first array of two axes) or, for D = 2, CSV; the content decides which.

    Args:
        name: the file's, for the messages.
        blob: its content, or a binary file.

    Returns:
        (N, D) float32, finite.

    Raises:
        DataError: when there are no such numbers, with one plain sentence.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> np.save(file, np.eye(3))
        >>> read_vectors("eye.npy", file.getvalue()).shape
        (3, 3)
    """
    if not isinstance(blob, bytes | bytearray | memoryview):
        if blob.seekable():
            blob.seek(0)
        blob = blob.read(MAX_BYTES + 1)
    content = bytes(blob)
    if len(content) > MAX_BYTES:
        raise DataError(f"{name} is larger than {MAX_BYTES // 2**20} MiB; choose fewer rows of it.")
    if content.startswith(b"\x93NUMPY"):
        array = points_from_npy(name, content, MAX_ROWS, columns=None)
    elif content.startswith(b"PK"):
        array = points_from_npz(name, content, MAX_ROWS, columns=None)
    else:
        array = points_from_text(name, content, MAX_ROWS)
    with np.errstate(over="ignore"):
        return as_points(array.astype(np.float32), name).astype(np.float32)


def put(array: np.ndarray) -> str:
    """Keep (N, D) numbers; returns their key, the same for the same numbers.

    Raises:
        DataError: when they are too many, or the disk takes no more.
    """
    array = np.ascontiguousarray(as_points(array), dtype=np.float32)
    if array.nbytes > MAX_BYTES:
        raise DataError(f"{len(array):,} × {array.shape[1]:,} numbers are more than {MAX_BYTES // 2**20} MiB.")
    content = save({"vectors": array})
    key = hashlib.sha256(content).hexdigest()[:16]
    try:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        _prune(folder, MAX_BYTES - len(content))
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(content)
        os.replace(file.name, folder / f"{key}.safetensors")
    except OSError as error:
        raise DataError(f"The numbers cannot be kept ({error.strerror or error}); free some space.") from error
    return key


def get(key: str) -> np.ndarray:
    """What was kept under a key, (N, D) float32.

    Raises:
        DataError: when there is nothing, or it is damaged.
    """
    if not re.fullmatch(r"[0-9a-f]{16}", key):
        raise DataError(f"“{key[:40]}” is no key of kept numbers; upload the file again.")
    path = _folder() / f"{key}.safetensors"
    try:
        content = path.read_bytes()
        os.utime(path)
        if hashlib.sha256(content).hexdigest()[:16] != key:
            raise ValueError("content and name differ")
        return as_points(load(content)["vectors"]).astype(np.float32)
    except OSError as error:
        raise DataError(f"The numbers {key} are not on this machine; upload the file again.") from error
    except (SafetensorError, KeyError, ValueError) as error:
        path.unlink(missing_ok=True)
        raise DataError(f"The numbers {key} are damaged and were dropped; upload the file again.") from error


def _folder() -> Path:
    return home() / "vectors"


def _prune(folder: Path, most: int) -> None:
    """Drop what was not used for longest until so many bytes are left."""
    files = sorted(folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for path in files:
        total += path.stat().st_size
        if total > most:
            path.unlink(missing_ok=True)
