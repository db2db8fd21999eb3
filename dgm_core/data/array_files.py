"""Points from NumPy's files, NPY and NPZ: headers first, bounded reads, never a pickle."""

from __future__ import annotations

import io
import math
import struct
import zipfile
import zlib
from tokenize import TokenError
from typing import IO, NamedTuple

import numpy as np
from numpy.lib import format as npy

from dgm_core.errors import DataError

MAX_HEADER = 10_000
"""Characters of an NPY header; NumPy's own default."""

MAX_MEMBERS = 1_000
"""Files in an NPZ, before even their names are read."""

# What NumPy's header parser, zipfile and zlib raise on bytes that are not theirs.
_DAMAGE = (
    ValueError, TypeError, KeyError, IndexError, EOFError, OSError, SyntaxError, TokenError, OverflowError, MemoryError,
    RuntimeError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip


class Header(NamedTuple):
    """What an NPY header declares."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype


def points_from_npy(name: str, content: bytes, max_points: int, columns: int | None = 2) -> np.ndarray:
    """Read an N × 2 array of real numbers, any byte order, either memory order.

    Args:
        name: the file's, for the messages.
        content: its bytes.
        max_points: more rows are refused from the header alone.
        columns: how many there must be; None for any number.

    Returns:
        (N, columns) float64.

    Raises:
        DataError: when that is not what the file holds.
    """
    file = io.BytesIO(content)
    header, start = _read_header(name, file)
    _require_points(name, header, max_points, columns)
    return _read_rest(name, file, header, start)


def points_from_npz(name: str, content: bytes, max_points: int, columns: int | None = 2) -> np.ndarray:
    """Read the first N × 2 array of an NPZ.

    Only headers are unpacked until an array fits, and of that one no more than it declares: a zip bomb stays packed.

    Args:
        name: the file's, for the messages.
        content: its bytes.
        max_points: arrays with more rows do not fit.
        columns: how many there must be; None for any number.

    Returns:
        (N, columns) float64.

    Raises:
        DataError: when there is no such array, or the first one is damaged.
    """
    if content.count(b"PK\x01\x02") > MAX_MEMBERS:
        raise DataError(f"{name} holds more than {MAX_MEMBERS:,} files; an NPZ with one N × 2 array is needed.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
    except _DAMAGE as error:
        raise _damaged(name) from error
    if not members:
        raise DataError(
            f"{name} is a zip archive without NumPy arrays; an NPZ with an N × 2 array, or a CSV, is needed."
        )
    refusals: list[DataError] = []
    for info in members:
        label = f"“{info.filename.removesuffix('.npy')[:40]}” in {name}"
        try:
            with _open_member(label, archive, info) as file:
                header, start = _read_header(label, file)
                try:
                    _require_points(label, header, max_points, columns)
                except DataError as refusal:
                    refusals.append(refusal)
                    continue
                return _read_rest(label, file, header, start)
        except _DAMAGE as error:
            raise error if isinstance(error, DataError) else _damaged(label) from error
    if len(refusals) == 1:
        raise refusals[0]
    raise DataError(f"None of the {len(refusals):,} arrays in {name} will do. The first: {refusals[0]}")


def _open_member(label: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    if info.flag_bits & 1:
        raise DataError(f"{label} is encrypted; save it without a password.")
    # Other methods may take memory by the gigabyte before the first byte comes out.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{label} is compressed in an unusual way; save it with numpy.savez_compressed.")
    return archive.open(info)


def _read_header(label: str, file: IO[bytes]) -> tuple[Header, bytes]:
    """The header, and the array's first bytes, which were read along with it.

    NumPy's reader asks for as many bytes as a header says it is long, up to 4 GiB; it is given ten thousand and a few.
    """
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    try:
        start = io.BytesIO(file.read(MAX_HEADER + 12))
        version = npy.read_magic(start)
        # Version 3 is for structured types with unusual names, which would be refused anyway.
        shape, fortran, dtype = readers[version](start, max_header_size=MAX_HEADER)
    except _DAMAGE as error:
        raise _damaged(label) from error
    return Header(shape, fortran, dtype), start.read()


def _read_rest(label: str, file: IO[bytes], header: Header, start: bytes) -> np.ndarray:
    size = math.prod(header.shape) * header.dtype.itemsize
    content = start[:size] + file.read(max(0, size - len(start)))
    if len(content) < size:
        raise DataError(f"{label} ends too early: {len(content):,} of {size:,} bytes are there; save it again.")
    flat = np.frombuffer(content, header.dtype)
    points = flat.reshape(header.shape[::-1]).T if header.fortran else flat.reshape(header.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        return points.astype(np.float64, order="C")


def _require_points(label: str, header: Header, max_points: int, columns: int | None) -> None:
    shape, dtype = header.shape, header.dtype
    shown = str(shape) if len(str(shape)) < 60 else f"{str(shape)[:56]} …)"
    if dtype.hasobject:
        raise DataError(f"{label} holds pickled Python objects, which are never opened; save plain numbers (float64).")
    if dtype.kind == "c":
        raise DataError(f"{label} holds complex numbers; save real and imaginary part as two columns.")
    if dtype.kind not in "iuf":
        raise DataError(f"{label} holds values of type {dtype.name}; numbers (float or integer) are needed.")
    wanted = f"N × {columns or 'D'}"
    if columns and len(shape) == 2 and shape[0] == columns and shape[1] > columns:
        raise DataError(f"{label} has shape {shown}; transpose it: one row for each point, {wanted}.")
    if len(shape) != 2 or shape[1] != (columns or shape[1]) or min(shape) < 0:
        raise DataError(f"{label} has shape {shown}; {wanted} is needed, one row for each point.")
    if shape[0] > max_points:
        count = f"{shape[0]:,}" if shape[0] < 10**15 else "absurdly many"
        raise DataError(f"{label} has {count} rows; keep at most {max_points:,} of them.")


def _damaged(label: str) -> DataError:
    return DataError(f"{label} is damaged or no NumPy file; save it again with numpy.save or numpy.savez.")
