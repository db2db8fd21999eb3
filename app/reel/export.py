"""Reels as files that play anywhere: GIF, MP4, one frame as PNG, and the arrays as NPZ. Arrays in, bytes out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import numpy as np
from PIL import Image

from app.film.writers import MP4_RATE, gif, mp4, png, timeline
from app.reel.raster import Look, inks, layout, lettering, mosaic, picture
from dgm_core.reel import Reel

FRAME, REST = 1 / 15, 0.7
"""Seconds that a frame is shown, and the first and the last one."""
LEAST = 1.5
"""Seconds from the first frame to the last, however few there are."""
LETTERS = 9
"""Colours of a GIF for the ground and for letters that stand on it."""
IMAGES = 255 - LETTERS
"""Colours of a GIF for the images; one index is left free, since Pillow marks with it what does not change."""


def reel_png(reel: Reel, index: int = -1, **look: Any) -> bytes:
    """One frame as PNG, its pixels as they are in the reel.

    Args:
        reel: the reel.
        index: the frame; negative counts from the end.
        look: fields of `app.reel.raster.Look`.

    Raises:
        IndexError: when the reel has no such frame.
        ValueError: for a look that cannot be drawn.
    """
    frames = len(reel.times)
    if not -frames <= index < frames:
        raise IndexError(f"the reel has {frames} frames; there is no frame {index}")
    return png(picture(reel, index % frames, Look(**look)))


def reel_gif(reel: Reel, *, ping_pong: bool = True, **look: Any) -> bytes:
    """The reel as an endless GIF; its greys are within one level of 255, a photograph's colours approximated.

    Args:
        reel: the reel.
        ping_pong: to the end and back again; otherwise forward only.
        look: fields of `app.reel.raster.Look`; 640 pixels unless ``size`` says otherwise.

    Raises:
        ValueError: for a look that cannot be drawn.
    """
    chosen = Look(**{"size": 640, **look})
    palette, tiles = indexed(reel.frames)
    ramp = inks(chosen.dark, np.linspace(0, 1, LETTERS))
    colours = np.vstack([ramp, palette]).tobytes()
    once = [_image(reel, tiles[k], k, colours, chosen) for k in range(len(reel.times))]
    order = [int(k) for k in timeline(len(once), 1, ping_pong)]
    return gif([once[k] for k in order], [round(1000 * seconds(reel, k)) for k in order])


def reel_mp4(reel: Reel, *, ping_pong: bool = True, crf: int = 16, **look: Any) -> bytes:
    """The reel as H.264 in an MP4 that starts to play before it is loaded whole.

    Args:
        reel: the reel.
        ping_pong: to the end and back again; otherwise forward only.
        crf: x264's constant rate factor, 0 to 51; lower is finer and larger.
        look: fields of `app.reel.raster.Look`.

    Raises:
        ValueError: for a look that cannot be drawn.
    """
    chosen = Look(**look)
    order = [int(k) for k in timeline(len(reel.times), 1, ping_pong)]

    def pictures() -> Iterator[np.ndarray]:
        shown = (repeat(picture(reel, k, chosen), round(MP4_RATE * seconds(reel, k))) for k in order)
        return chain.from_iterable(shown)

    return mp4(pictures(), layout(reel, chosen).shape, crf)


def reel_npz(reel: Reel) -> bytes:
    """The reel's arrays and words as NPZ, which ``numpy.load`` reads without pickle."""
    out = io.BytesIO()
    rows, columns = (np.array(labels, dtype=np.str_) for labels in (reel.row_labels, reel.column_labels))
    np.savez_compressed(
        out, times=reel.times, frames=reel.frames, row_labels=rows, column_labels=columns,
        time_label=np.array(reel.time_label), note=np.array(reel.note),
    )  # fmt: skip
    return out.getvalue()


def seconds(reel: Reel, index: int) -> float:
    """How long a frame is shown: the first and the last one rest, and a short reel is slower.

    Example:
        >>> reel = Reel(np.arange(61.0), np.zeros((61, 1, 1, 4, 4), np.uint8))
        >>> [round(15 * seconds(reel, k), 2) for k in (0, 1, 60)]
        [10.5, 1.0, 10.5]
    """
    last = len(reel.times) - 1
    return REST if index in (0, last) else max(FRAME, LEAST / last)


def indexed(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images in at most `IMAGES` colours, the same for all frames, none of them dithered.

    Args:
        frames: (T, R, C, H, W) or (T, R, C, H, W, 3) uint8.

    Returns:
        The colours (M, 3) uint8, and (T, R, C, H, W) uint8, each pixel's index among all colours of the GIF, the
        first `LETTERS` of which are for ground and letters.
    """
    if frames.ndim == 5:
        levels = np.rint(np.linspace(0, 255, IMAGES)).astype(np.uint8)
        nearest = np.rint(np.arange(256) * (IMAGES - 1) / 255).astype(np.uint8) + LETTERS
        return np.repeat(levels[:, None], 3, axis=1), nearest[frames]
    flat = Image.fromarray(frames.reshape(-1, frames.shape[4], 3))
    reduced = flat.quantize(IMAGES, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = np.array(reduced.getpalette(), np.uint8).reshape(-1, 3)[:IMAGES]
    return palette, (np.asarray(reduced) + np.uint8(LETTERS)).reshape(frames.shape[:5])


def _image(reel: Reel, tiles: np.ndarray, index: int, colours: bytes, look: Look) -> Image.Image:
    where = layout(reel, look)
    pixels = mosaic(tiles, where, 0)
    if look.words:
        cover = lettering(reel, index, where)
        np.maximum(pixels, np.rint(cover * ((LETTERS - 1) / 255)).astype(np.uint8), out=pixels)
    image = Image.fromarray(pixels)
    image.putpalette(colours)
    return image
