"""Ink from picture files: sizes from headers first, JPEG scaled down while it is decoded."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Literal

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from dgm_core.data.pictures import ink_of
from dgm_core.errors import DataError

MAX_PIXELS = 25_000_000
"""Pixels that are decoded: 5,000 × 5,000."""

MAX_JPEG_PIXELS = 900_000_000
"""Pixels of a JPEG that can be scaled down to an eighth of each side while it is decoded: 30,000 × 30,000."""

MAX_SCANS = 100
"""Passes of a progressive JPEG over the picture; each costs time"""

SIDE = 256
"""Longer side of the ink, in pixels."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its EXIF orientation (Exif 2.3, tag 274)."""

DAMAGE = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OSError, SyntaxError, OverflowError,
    MemoryError, NotImplementedError, RuntimeError, UnidentifiedImageError, Image.DecompressionBombError, struct.error,
    zlib.error,
)  # fmt: skip
"""What Pillow raises on files that are damaged."""


def ink_from_image(name: str, content: bytes, invert: bool | None) -> np.ndarray:
    """A picture file's ink.

    Args:
        name: the file's, for the messages.
        content: its bytes.
        invert: whether light is ink; None decides by the border.

    Returns:
        (H, W) float32 in [0, 1], row 0 at the top, longer side at most 256.

    Raises:
        DataError: when it is no PNG, JPEG, WebP or GIF, too large, damaged or blank.
    """
    try:
        with open_picture(name, content) as picture:
            light, alpha = _luminance_and_alpha(picture)
    except DataError:
        raise
    except DAMAGE as error:
        raise complaint(name, error) from error
    try:
        return ink_of(light, invert)
    except DataError as error:
        # A black or white drawing on nothing: what is opaque is ink.
        if alpha is not None and np.ptp(alpha) > 0.1:
            return alpha
        raise DataError(
            f"{name} is blank: all its pixels have the same brightness; choose one with a drawing."
        ) from error


def open_picture(name: str, content: bytes, mode: Literal["L", "RGB"] = "L", side: int = SIDE) -> Image.Image:
    """The picture, its header read and its size found bearable, its pixels not yet decoded.

    Args:
        name: the file's, for the messages.
        content: its bytes.
        mode: what a JPEG is decoded to.
        side: of a JPEG scaled down while it is decoded, both sides stay at least that long.

    Raises:
        DataError: when it has too many pixels.
        Exception: one of `DAMAGE`, which `complaint` puts into a sentence.
    """
    if content.startswith(b"\xff\xd8\xff"):
        return _open_jpeg(name, content, mode, side)
    # Pillow's WebP reader takes memory for the whole canvas as soon as it opens a file.
    if content[8:12] == b"WEBP" and _webp_pixels(content) > MAX_PIXELS:
        raise _too_large(name)
    picture = Image.open(io.BytesIO(content), formats=("PNG", "WEBP", "GIF"))
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_large(name)
    return picture


def complaint(name: str, error: BaseException) -> DataError:
    """The sentence for one of `DAMAGE`."""
    if isinstance(error, DataError):
        return error
    if isinstance(error, Image.DecompressionBombError):
        return _too_large(name)
    return DataError(f"{name} is damaged or no picture; PNG, JPEG, WebP and GIF are read.")


def _open_jpeg(name: str, content: bytes, mode: Literal["L", "RGB"], side: int) -> Image.Image:
    # Not by Image.open, which refuses large pictures before they can be scaled down.
    picture = JpegImageFile(io.BytesIO(content))
    # A file of several scans needs the coefficients of the whole picture in memory, however small it comes out.
    one_scan = _is_one_scan(content)
    if picture.width * picture.height > (MAX_JPEG_PIXELS if one_scan else MAX_PIXELS):
        raise _too_large(name)
    if not one_scan and content.count(b"\xff\xda") > MAX_SCANS:
        raise DataError(f"{name} is a JPEG of very many scans; save it as a plain (baseline) JPEG.")
    picture.draft(mode, (side, side))
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_large(name)
    return picture


def _is_one_scan(content: bytes) -> bool:
    """Whether a JPEG is sequential and its first scan has all components (ITU-T T.81, B.2.2 and B.2.3)."""
    position, components = 2, 0
    while position + 10 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if marker in (0xC0, 0xC1):
            components = content[position + 9]
        if marker == 0xDA:
            return components > 0 and content[position + 4] == components
        position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return False


def _webp_pixels(content: bytes) -> int:
    """Width × height from a WebP header; 0 where it is none (RFC 9649, sections 2.5 to 2.7)."""
    chunk, body = content[12:16], content[20:30]
    if len(body) < 10:
        return 0
    if chunk == b"VP8X":
        return (1 + int.from_bytes(body[4:7], "little")) * (1 + int.from_bytes(body[7:10], "little"))
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (1 + (bits & 0x3FFF)) * (1 + (bits >> 14 & 0x3FFF))
    return (int.from_bytes(body[6:8], "little") & 0x3FFF) * (int.from_bytes(body[8:10], "little") & 0x3FFF)


def _luminance_and_alpha(picture: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Decode, shrink and turn upright: luminance on white paper, and opacity in [0, 1] where the file has any."""
    if picture.mode.startswith("I"):
        # Sixteen bits and more: Pillow's own conversion to eight would clip.
        small = Image.fromarray(np.asarray(picture, dtype=np.float32))
    else:
        transparent = picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info
        small = picture.convert("LA" if transparent else "L")
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    turn = TURNS.get(orientation(picture))
    upright = np.asarray(small if turn is None else small.transpose(turn), dtype=np.float64)
    if upright.ndim == 2:
        return upright, None
    light, alpha = upright[..., 0] / 255, upright[..., 1] / 255
    return light * alpha + (1 - alpha), alpha.astype(np.float32)


def orientation(picture: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1, upright, where none is given."""
    try:
        return int(picture.getexif().get(0x0112, 1))
    except DAMAGE:
        # A picture with a damaged note about its orientation is still a picture.
        return 1


def _too_large(name: str) -> DataError:
    return DataError(
        f"{name} has too many pixels; at most {MAX_PIXELS // 10**6} megapixels are read"
        " (of a plain JPEG more, since it can be scaled down first): make it smaller."
    )
