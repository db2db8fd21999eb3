"""The folder of data sets, and reading from its files no more than is wanted."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, cast

from dgm_core.errors import DataError
from dgm_core.home import home

Files = Mapping[str, Path]
"""Files of a data set that are there, by their published names."""


def data_folder() -> Path:
    """Where published data sets lie: ``DGM_DATA`` where that is set, else ``data`` under `dgm_core.home.home`."""
    chosen = os.environ.get("DGM_DATA", "").strip()
    return Path(chosen).expanduser() if chosen else home() / "data"


def first_file(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The first of several spellings of a file's name that is there."""
    return next((folder / name for name in names if (folder / name).is_file()), None)


def open_unpacked(path: Path) -> IO[bytes]:
    """The file, unpacked while it is read where its name ends in .gz."""
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def read_exactly(name: str, file: IO[bytes], size: int, *, to_end: bool = True) -> bytearray:
    """So many bytes of a file; memory for more is never taken, whatever the file unpacks to.

    Args:
        name: the file's, for the messages.
        file: open, at the place to read from.
        size: bytes to read.
        to_end: the file must end there, which also makes gzip compare its checksum.

    Raises:
        DataError: when the file ends before or goes on after, or is damaged.
    """
    content = bytearray()
    try:
        while len(content) < size:
            block = file.read(min(size - len(content), 2**24))
            if not block:
                raise DataError(f"{name} ends too early: {len(content):,} of {size:,} bytes are there; fetch it again.")
            content += block
        if to_end and file.read(1):
            raise DataError(f"{name} goes on after the {size:,} bytes that it declares; fetch it again.")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name} is damaged or cut short ({error}); fetch it again.") from error
    return content
