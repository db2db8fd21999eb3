"""Packed arrays on the disk: xz instead of the gzip that browsers can undo, so that what is shipped stays small."""

from __future__ import annotations

import gzip
import lzma

from dgm_core.zoo.codec import TIGHT

GZIP, OURS = b"\x1f\x8b", b"gz>xz"
"""How gzip begins, and what stands before the xz that is written for it: other files may be xz by themselves."""


def tightened(content: bytes) -> bytes:
    """Gzipped bytes as xz where that is smaller; any others as they are.

    Example:
        >>> packed = gzip.compress(bytes(range(256)) * 64, compresslevel=1, mtime=0)
        >>> len(tightened(packed)) < len(packed), loosened(tightened(packed)) == packed
        (True, True)
    """
    if content[:2] != GZIP:
        return content
    return min(OURS + lzma.compress(gzip.decompress(content), preset=TIGHT), content, key=len)


def loosened(stored: bytes) -> bytes:
    """What `tightened` was given, as `dgm_core.pack` writes it.

    Raises:
        ValueError: when the bytes are not whole.
    """
    if stored[: len(OURS)] != OURS:
        return stored
    try:
        return gzip.compress(lzma.decompress(stored[len(OURS) :], format=lzma.FORMAT_XZ), compresslevel=1, mtime=0)
    except lzma.LZMAError as error:
        raise ValueError(f"this file is damaged: {error}") from error
