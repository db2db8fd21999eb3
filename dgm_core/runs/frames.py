"""Messages over a pipe: an eight-byte length, then packed metadata and arrays (`dgm_core.pack`). No pickle."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from dgm_core.pack import pack, unpack

LENGTH = struct.Struct("<Q")
LONGEST = 1 << 31
Message = tuple[dict[str, Any], dict[str, np.ndarray]]


def write_frame(stream: BinaryIO, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> None:
    """Write one message and push it out.

    Raises:
        OSError: when the other end is gone.
        ValueError: for arrays that `pack` does not know.
    """
    content = pack(meta, arrays or {})
    stream.write(LENGTH.pack(len(content)) + content)
    stream.flush()


def read_frame(stream: BinaryIO) -> Message | None:
    """Read one message; None when the other end is gone, also in the middle of a message.

    Raises:
        ValueError: when what arrives is no message.

    Example:
        >>> import io
        >>> pipe = io.BytesIO()
        >>> write_frame(pipe, {"kind": "stop"})
        >>> _ = pipe.seek(0)
        >>> read_frame(pipe), read_frame(pipe)
        (({'kind': 'stop'}, {}), None)
    """
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    if length > LONGEST:
        raise ValueError(f"a message of {length} bytes is announced; the longest is {LONGEST}")
    content = stream.read(length)
    return unpack(content) if len(content) == length else None
