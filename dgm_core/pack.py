"""One byte format for named arrays with a header: worker messages and what the browser's components read.

Layout: ``uint32`` little-endian header length, a JSON header, then the arrays' raw little-endian bytes. The header is
the caller's metadata plus ``parts``, a list of ``{name, dtype, shape, nbytes}``. No pickle is involved, so bytes from
anywhere are safe to unpack.
"""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

DTYPES = frozenset({"bool", "uint8", "uint16", "int32", "int64", "float16", "float32", "float64"})


def pack(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray], *, compress: bool = False) -> bytes:
    """Write metadata and named arrays as one block of bytes.

    Args:
        meta: JSON-serialisable; the key ``parts`` is reserved. NaN and infinity as Python's JSON writes them.
        arrays: any shapes; dtypes among `DTYPES`.
        compress: gzip at level 1, which browsers undo with ``DecompressionStream``.

    Raises:
        ValueError: for a reserved key or a dtype that no reader knows.

    Example:
        >>> meta, arrays = unpack(pack({"title": "film"}, {"x": np.arange(3, dtype=np.int32)}))
        >>> meta["title"], arrays["x"].tolist()
        ('film', [0, 1, 2])
    """
    if "parts" in meta:
        raise ValueError("the metadata key 'parts' is reserved")
    parts, blocks = [], []
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise ValueError(f"array {name!r} has dtype {array.dtype}; known are {', '.join(sorted(DTYPES))}")
        block = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
        parts.append({"name": name, "dtype": array.dtype.name, "shape": list(array.shape), "nbytes": len(block)})
        blocks.append(block)
    header = json.dumps({**meta, "parts": parts}).encode()
    packed = b"".join([struct.pack("<I", len(header)), header, *blocks])
    return gzip.compress(packed, compresslevel=1, mtime=0) if compress else packed


def unpack(packed: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `pack` wrote: the metadata and the named arrays (read-only views).

    Raises:
        ValueError: when the bytes are not whole or not of this format.
    """
    try:
        if packed[:2] == b"\x1f\x8b":
            packed = gzip.decompress(packed)
        (length,) = struct.unpack_from("<I", packed)
        meta = json.loads(packed[4 : 4 + length])
        offset, arrays = 4 + length, {}
        for part in meta.pop("parts"):
            if part["dtype"] not in DTYPES:
                raise ValueError(part["dtype"])
            block = packed[offset : offset + part["nbytes"]]
            arrays[part["name"]] = np.frombuffer(block, dtype=np.dtype(part["dtype"])).reshape(part["shape"])
            offset += part["nbytes"]
    except (struct.error, zlib.error, KeyError, TypeError, AttributeError, ValueError, EOFError, OSError) as error:
        raise ValueError(f"these bytes are no packed arrays: {error}") from error
    return meta, arrays
