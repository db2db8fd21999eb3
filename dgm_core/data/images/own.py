"""People's own images: a set of squares from the pictures of an upload, a zip or a folder; and loading it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dgm_core.data import shelf
from dgm_core.data.images.imageset import ImageSet, Info
from dgm_core.data.images.sources import Files, pictures_in, shown
from dgm_core.data.images.squares import square
from dgm_core.errors import DataError

HELD_OUT = 0.2
MAX_PIXELS = 2_000_000_000
"""Pixels that are decoded for one set, all pictures together: a minute or less."""

INFO = Info("own", "My images", None, (), None, "uploaded")


@dataclass(frozen=True, eq=False)
class OwnImages:
    """What was read.

    Args:
        images: (N, C, size, size) uint8, N ≥ 2.
        note: what was left out and why; may be empty.
    """

    images: np.ndarray
    note: str


def read_images(source: Path | Files, size: int = 32, colour: bool = True) -> OwnImages:
    """Read pictures of any size and mode as squares, in the order of the files and of the names in a zip or folder.

    Each is turned upright as its EXIF says, laid on white where it is transparent, cut to its middle square and resized
    by area. Nothing is unpacked to disk; what is no picture is left out and named.

    Args:
        source: a folder, a zip, a picture; or files as (name, content), each of them a picture or a zip.
        size: side of the images, 4 to 256.
        colour: three channels (red, green, blue) or one (luminance).

    Raises:
        DataError: when there are fewer than two pictures, or the source or the size cannot be used.

    Example:
        >>> from io import BytesIO
        >>> from PIL import Image
        >>> files = [(f"{grey}.png", BytesIO()) for grey in (0, 255)]
        >>> for grey, (_, file) in zip((0, 255), files):
        ...     Image.new("L", (40, 30), grey).save(file, "PNG")
        >>> read_images(files, size=8, colour=False).images.mean(axis=(1, 2, 3)).tolist()
        [0.0, 255.0]
    """
    least, most = shelf.IMAGE_SIDES
    if not least <= size <= most:
        raise DataError(f"Images of {size} × {size} pixels are asked for; sides of {least} to {most} are made.")
    fit = shelf.MAX_IMAGES // ((3 if colour else 1) * size * size)
    images: list[np.ndarray] = []
    out: list[str] = []
    pixels, cut = 0, ""

    def spend(decoded: int) -> None:
        nonlocal pixels
        pixels += decoded

    for name, content in pictures_in(source, out):
        if len(images) >= fit:
            cut = f"Only the first {fit:,} pictures were read; more do not fit at {size} × {size} pixels."
            break
        if pixels > MAX_PIXELS:
            cut = f"Only the first {len(images):,} pictures were read; the rest have too many pixels altogether."
            break
        try:
            images.append(square(shown(name), content, size, colour, spend))
        except DataError as error:
            out.append(str(error))
    note = " ".join(part for part in (_left_out(out), cut) if part)
    if len(images) < 2:
        there = "No picture was" if not images else "Only one picture was"
        raise DataError(f"{there} found; a zip or several files with two or more are needed. {note}".strip())
    return OwnImages(np.stack(images), note)


def keep(images: np.ndarray) -> str:
    """Put a set on the shelf: (N, C, H, W) uint8; returns the key that `load("own", data=key)` takes."""
    return shelf.put(images, "images")


def missing(data: str) -> str:
    """A sentence when there is no set under that key; nothing where there is."""
    if not data:
        return "No images are chosen yet; upload a zip or several pictures."
    return "" if shelf.holds(data) else f"The images {data[:40]} are not on this machine; upload them again."


def read_own(data: str) -> ImageSet:
    """A kept set, a fifth held out at random; the same split everywhere and for ever.

    Raises:
        DataError: when it is missing, damaged or no set of images.
    """
    images = shelf.images_of(data)
    order = np.random.RandomState(0).permutation(len(images))  # its stream is frozen (NEP 19)
    held_out = max(1, round(HELD_OUT * len(images)))
    note = f"{len(images):,} images are few to learn from." if len(images) < 100 else ""
    return ImageSet(INFO.name, INFO.title, images[order[held_out:]], images[order[:held_out]], note=note)


def _left_out(sentences: list[str]) -> str:
    if not sentences:
        return ""
    files = "One file was" if len(sentences) == 1 else f"{len(sentences):,} files were"
    more = f" And {len(sentences) - 2:,} more." if len(sentences) > 2 else ""
    return f"{files} left out. {' '.join(sentences[:2])}{more}"
