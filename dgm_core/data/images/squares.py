"""One picture file of any size and mode as a square of bytes."""

from __future__ import annotations

import numpy as np
from PIL import Image

from dgm_core.data.image_files import DAMAGE, TURNS, complaint, open_picture, orientation
from dgm_core.errors import DataError


def square(name: str, content: bytes, size: int, colour: bool) -> tuple[np.ndarray, int]:
    """The middle square of a picture, upright, on white, resized by area.

    Args:
        name: the file's, for the messages.
        content: its bytes: PNG, JPEG, WebP or GIF (of an animation, the first frame).
        size: side of the result.
        colour: three channels (red, green, blue) or one (luminance).

    Returns:
        (C, size, size) uint8, and how many pixels were decoded for it.

    Raises:
        DataError: when it is no such picture, too large or damaged.
    """
    try:
        with open_picture(name, content, "RGB" if colour else "L", 2 * size) as picture:
            decoded = picture.width * picture.height
            small = _resized(_eight_bits(picture), size)
            turn = TURNS.get(orientation(picture))
            upright = small if turn is None else small.transpose(turn)
            image = np.asarray(_on_white(upright).convert("RGB" if colour else "L"))
    except DataError:
        raise
    except DAMAGE as error:
        raise complaint(name, error) from error
    return (image.transpose(2, 0, 1) if colour else image[None]).copy(), decoded


def _eight_bits(picture: Image.Image) -> Image.Image:
    """In one of the modes that resizing by area takes: L, RGB or, where anything is transparent, RGBA."""
    if picture.mode.startswith("I"):
        # Sixteen bits: Pillow's own conversion to eight would clip.
        return Image.fromarray(np.rint(np.asarray(picture, dtype=np.float32) / 257).clip(0, 255).astype(np.uint8))
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        return picture.convert("RGBA")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _resized(picture: Image.Image, size: int) -> Image.Image:
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return picture.resize((size, size), Image.Resampling.BOX, box=(left, top, left + side, top + side))


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
