"""Files that are whole or absent, and what to do with one that is damaged."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

PARTIAL = ".partial"


class DamagedFileError(RuntimeError):
    """A file that cannot be read; its message names the file and says what was done with it."""


def write_with(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then put it in place in one step.

    Raises:
        OSError: when the disk is full or the folder is gone; ``path`` then still holds what it held.
    """
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=PARTIAL, dir=path.parent)
    os.close(handle)
    partial = Path(name)
    try:
        write(partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    write_with(path, lambda partial: _ignore(partial.write_bytes(content)))


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an npz file whole or not at all."""

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            np.savez_compressed(file, **dict(arrays))  # type: ignore[arg-type]

    write_with(path, write)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read an npz file, never unpickling.

    Raises:
        DamagedFileError: when it is not whole, not of this format, or holds Python objects.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile, zlib, struct and numpy each raise their own kinds on damaged bytes
        raise DamagedFileError(f"{path.name} is no whole npz file ({_short(error)})") from error


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file whole or not at all; tensors are moved to the CPU and made contiguous."""
    flat = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
    pointers: dict[int, str] = {}
    for name, tensor in flat.items():  # safetensors refuses tensors that share memory (tied weights)
        if tensor.numel() and pointers.setdefault(tensor.untyped_storage().data_ptr(), name) != name:
            flat[name] = tensor.clone()
    write_with(path, lambda partial: save_file(flat, partial, metadata=dict(metadata or {})))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        DamagedFileError: when it is not whole or not of this format.
    """
    try:
        return load_file(path)
    except (SafetensorError, ValueError, KeyError) as error:
        raise DamagedFileError(f"{path.name} is no whole safetensors file ({_short(error)})") from error


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; its header and length are checked, its tensors are not read.

    Raises:
        DamagedFileError: when it is not whole or not of this format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, ValueError, KeyError) as error:
        raise DamagedFileError(f"{path.name} is no whole safetensors file ({_short(error)})") from error


def set_aside(path: Path, folder: Path, label: str = "") -> Path:
    """Move a damaged file out of the way, to ``folder``, under a name that is free there."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{label}-{path.name}" if label else path.name
    place, number = folder / stem, 1
    while place.exists():
        place, number = folder / f"{stem}.{number}", number + 1
    shutil.move(path, place)
    return place


def remove_partial(folder: Path) -> None:
    """Remove what a killed process left half written."""
    for path in folder.rglob(f"*{PARTIAL}"):
        path.unlink(missing_ok=True)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # another thread has just replaced it
            continue
    return total


def _short(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:120]


def _ignore(_: object) -> None:
    return None
