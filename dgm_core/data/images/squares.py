"""One picture file of any size and mode as a square of bytes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from dgm_core.data.image_files import DAMAGE, TURNS, complaint, open_picture, orientation
from dgm_core.data.images.areas import area_means
from dgm_core.errors import DataError

LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Of red, green and blue (ITU-R BT.601)."""


def square(name: str, content: bytes, size: int, colour: bool, spend: Callable[[int], None]) -> np.ndarray:
    """The middle square of a picture, upright, on white, resized by area.

    Args:
        name: the file's, for the messages.
        content: its bytes: PNG, JPEG, WebP or GIF (of an animation, the first frame).
        size: side of the result.
        colour: three channels (red, green, blue) or one (luminance).
        spend: told how many pixels are about to be decoded, of damaged pictures too.

    Returns:
        (C, size, size) uint8.

    Raises:
        DataError: when it is no such picture, too large or damaged.
    """
    try:
        with open_picture(name, content, "RGB" if colour else "L", 2 * size) as picture:
            width, height = picture.size
            spend(width * height)
            side = min(width, height)
            means = area_means(_pixels(picture), (width - side) / 2, (height - side) / 2, side, size)
            image = _upright(np.rint(_channels(means, colour)).clip(0, 255).astype(np.uint8), orientation(picture))
    except DataError:
        raise
    except DAMAGE as error:
        raise complaint(name, error) from error
    return np.ascontiguousarray(image.transpose(2, 0, 1))


def _pixels(picture: Image.Image) -> np.ndarray:
    """(H, W, C), 0 to 255: grey, or red, green and blue, with opacity where anything is transparent."""
    if picture.mode.startswith("I"):
        # Sixteen bits: Pillow's own conversion to eight would clip.
        return np.asarray(picture, dtype=np.float32)[..., None] / 257
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        return np.asarray(picture.convert("RGBA"))
    if picture.mode in ("1", "L"):
        return np.asarray(picture.convert("L"))[..., None]
    return np.asarray(picture.convert("RGB"))


def _channels(means: np.ndarray, colour: bool) -> np.ndarray:
    if colour:
        return np.broadcast_to(means, (*means.shape[:2], 3))
    return means if means.shape[-1] == 1 else means @ LUMINANCE[:, None]


def _upright(image: np.ndarray, turn: int) -> np.ndarray:
    if turn not in TURNS:
        return image
    turned = [np.asarray(Image.fromarray(channel).transpose(TURNS[turn])) for channel in image.transpose(2, 0, 1)]
    return np.stack(turned, axis=2)
