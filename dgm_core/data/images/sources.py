"""Where people's own pictures lie: uploaded files, zips, folders; read one at a time and never further than bounds."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from dgm_core.data.files import MAX_BYTES
from dgm_core.errors import DataError

MAX_FILES = 50_000
"""Files that are looked at, in a zip, in a folder or uploaded."""

MAX_ZIP = 200 * 2**20
"""Bytes of a zip."""

MAX_TOTAL = 2**30
"""Bytes of all pictures together, as they come out of zips."""

Files = Sequence[tuple[str, bytes | BinaryIO]]
"""Names and contents."""

_DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, ValueError, EOFError, OSError, RuntimeError,
    NotImplementedError, OverflowError, KeyError, IndexError, TypeError,
)  # fmt: skip


def pictures_in(source: Path | Files, out: list[str]) -> Iterator[tuple[str, bytes]]:
    """The files that may be pictures, with their content.

    Args:
        source: a folder, a zip, a picture; or files, each of them a picture or a zip.
        out: where a sentence is put for each file that is left out.

    Raises:
        DataError: when the source is not there, is damaged, or holds too much.
    """
    allowance = _Allowance()
    found = _from_path(source, out, allowance) if isinstance(source, Path) else _each(source, out, allowance)
    for number, (name, content) in enumerate(found):
        if number >= MAX_FILES:
            raise DataError(f"There are more than {MAX_FILES:,} files; choose fewer.")
        yield name, content


def shown(name: str) -> str:
    """A file's name as messages give it: without folders and unprintable characters, of bearable length."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(character if character.isprintable() else "?" for character in last)[:40] or "a file without a name"


class _Allowance:
    """The bytes that may still be unpacked, whether or not they turn out to be pictures."""

    def __init__(self) -> None:
        self.left = MAX_TOTAL

    def take(self, size: int) -> None:
        """Count so many bytes.

        Raises:
            DataError: when that is more than is left.
        """
        self.left -= size
        if self.left < 0:
            raise DataError(f"The files take more than {MAX_TOTAL // 2**20:,} MiB unpacked; choose fewer.")


def _each(files: Files, out: list[str], allowance: _Allowance) -> Iterator[tuple[str, bytes]]:
    for name, blob in files:
        content = _bytes(blob, MAX_ZIP)
        if content.startswith(b"PK"):
            yield from _from_zip(shown(name), content, out, allowance)
        elif len(content) > MAX_BYTES:
            out.append(_too_large(name))
        else:
            allowance.take(len(content))
            yield name, content


def _from_path(path: Path, out: list[str], allowance: _Allowance) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            yield from _from_folder(path, out, allowance)
        else:
            with path.open("rb") as file:
                yield from _each([(path.name, file)], out, allowance)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}).") from error


def _from_folder(folder: Path, out: list[str], allowance: _Allowance) -> Iterator[tuple[str, bytes]]:
    """All files below a folder, in the order of their names; links to folders and hidden files are passed over."""
    looked_at = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            looked_at += 1
            if looked_at > MAX_FILES:
                raise DataError(f"{folder} holds more than {MAX_FILES:,} files; choose a smaller folder.")
            if name.startswith(".") or not path.is_file():  # a pipe or a device would be read for ever
                continue
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
            if len(content) > MAX_BYTES:
                out.append(_too_large(name))
            else:
                allowance.take(len(content))
                yield name, content


def _from_zip(name: str, content: bytes, out: list[str], allowance: _Allowance) -> Iterator[tuple[str, bytes]]:
    """The members of a zip in the order of their names; names only serve for order and messages."""
    if len(content) > MAX_ZIP:
        raise DataError(f"{name} is larger than {MAX_ZIP // 2**20} MiB; choose fewer pictures or smaller ones.")
    # Before the directory is read, which would take memory for each entry.
    if content.count(b"PK\x01\x02") > MAX_FILES:
        raise DataError(f"{name} holds more than {MAX_FILES:,} files; choose fewer pictures.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except _DAMAGE as error:
        raise DataError(f"{name} is damaged or no zip; make it again.") from error
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        parts = info.filename.replace("\\", "/").split("/")
        if info.is_dir() or parts[0] == "__MACOSX" or parts[-1].startswith("."):
            continue
        if info.file_size > MAX_BYTES:
            out.append(_too_large(info.filename))
            continue
        # Before it is unpacked: one with a wrong checksum is refused only at its end, and costs as much.
        allowance.take(info.file_size)
        try:
            yield info.filename, _member(archive, info)
        except DataError as error:
            out.append(str(error))


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    label = shown(info.filename)
    if info.flag_bits & 1:
        raise DataError(f"{label} is encrypted; save it without a password.")
    # Other methods may take memory by the gigabyte before the first byte comes out.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{label} is compressed in an unusual way; make the zip with “deflate”.")
    try:
        with archive.open(info) as file:
            # Not all there is: without a number zipfile unpacks up to 2 GiB before it looks at the declared size.
            return file.read(info.file_size)
    except _DAMAGE as error:
        raise DataError(f"{label} is damaged in the zip.") from error


def _bytes(blob: bytes | BinaryIO, most: int) -> bytes:
    if isinstance(blob, bytes | bytearray | memoryview):
        return bytes(blob)
    if blob.seekable():
        blob.seek(0)
    return blob.read(most + 1)


def _too_large(name: str) -> str:
    return f"{shown(name)} is larger than {MAX_BYTES // 2**20} MiB."
