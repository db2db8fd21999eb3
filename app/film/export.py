"""Films as files that play anywhere: GIF, MP4, and one frame as PNG. Arrays in, bytes out."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from app.figures.colourmaps import table
from app.figures.palette import GROUND
from app.film.raster import RIM_COLOUR, Look, dots, levels, picture, rgb
from app.film.writers import gif, mp4, png, timeline
from dgm_core.film import Film

GIF_FRAME, GIF_REST = 70, 700
"""Milliseconds that a GIF shows a frame, and the first and the last one."""
MP4_BETWEEN = 2
"""Pictures of an MP4 from one frame of the film to the next: 15 frames a second, as played."""


def frame_png(film: Film, index: int, **look: Any) -> bytes:
    """One frame as PNG.

    Args:
        film: the film.
        index: the frame; negative counts from the end.
        look: fields of `app.film.raster.Look`; 512 pixels unless ``size`` says otherwise.

    Raises:
        IndexError: when the film has no such frame.
        ValueError: for a look that cannot be drawn.
    """
    frames = len(film.times)
    if not -frames <= index < frames:
        raise IndexError(f"the film has {frames} frames; there is no frame {index}")
    return png(picture(film, index % frames, Look(**look)))


def film_gif(film: Film, *, ping_pong: bool = True, **look: Any) -> bytes:
    """The film as an endless GIF, with exactly the colours of the map: none is dithered or approximated.

    Args:
        film: the film.
        ping_pong: to the end and back again; otherwise forward only.
        look: fields of `app.film.raster.Look`; 384 pixels unless ``size`` says otherwise.

    Raises:
        ValueError: for a look that cannot be drawn, or a film without frames.
    """
    chosen = Look(**{"size": 384, **look})
    order = timeline(len(film.times), 1, ping_pong)
    once = [_indexed(film, k, chosen) for k in range(len(film.times))]
    images = [once[int(k)] for k in order]
    ends = (0, len(film.times) - 1)
    return gif(images, [GIF_REST if k in ends else GIF_FRAME for k in order])


def film_mp4(film: Film, *, ping_pong: bool = True, crf: int = 16, **look: Any) -> bytes:
    """The film as H.264 in an MP4 that starts to play before it is loaded whole.

    Args:
        film: the film.
        ping_pong: to the end and back again; otherwise forward only.
        crf: x264's constant rate factor, 0 to 51; lower is finer and larger.
        look: fields of `app.film.raster.Look`; 512 pixels unless ``size`` says otherwise.

    Raises:
        ValueError: for a look that cannot be drawn, or a film without frames.
    """
    chosen = Look(**look)
    order = timeline(len(film.times), MP4_BETWEEN, ping_pong)
    return mp4((picture(film, moment, chosen) for moment in order), chosen.shape(film), crf)


def _indexed(film: Film, frame: int, look: Look) -> Image.Image:
    """A frame in at most 255 fixed colours: those of the map and, where there are particles, a few of their edges.

    One index is left free, since Pillow marks with it what does not change from frame to frame.
    """
    soft = _edges(look) if film.particles is not None and look.particles else np.zeros((0, 3))
    if look.density:
        count = 255 - len(soft)
        palette = table(look.colours)[np.rint(np.linspace(0, 255, count)).astype(int)]
        indices = np.rint((count - 1) * levels(film, frame, look)).astype(np.uint8)
    else:
        palette = rgb(GROUND.on(look.dark))[None]
        indices = np.zeros(look.shape(film), np.uint8)
    palette = np.vstack([palette, soft])
    if len(soft):
        touched = np.maximum(*dots(film, frame, look)) > 0
        wanted = picture(film, frame, look)[touched].astype(np.float32)
        indices[touched] = nearest(wanted, palette.astype(np.float32))
    image = Image.fromarray(indices)
    image.putpalette(palette.astype(np.uint8).tobytes())
    return image


def _edges(look: Look) -> np.ndarray:
    """Colours of particles, their rims, and both half covering what lies beneath: (M, 3)."""
    beneath = table(look.colours)[[0, 51, 102, 153, 204, 255]] if look.density else rgb(GROUND.on(look.dark))[None]
    dot, around = look.accent().astype(float), rgb(RIM_COLOUR) if look.density else beneath[0]
    shares = np.array([0.2, 0.4, 0.6, 0.8])[:, None, None]
    rims = beneath + shares * (around - beneath.astype(float))
    return np.rint(np.vstack([rims.reshape(-1, 3), dot + np.array([[0], *shares[:, 0]]) * (around - dot)]))


def nearest(colours: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """For each colour (N, 3) the index of the palette's (M, 3) that is nearest to it: (N,).

    Example:
        >>> nearest(np.array([[9.0, 0, 0], [200, 200, 200]]), np.array([[0.0, 0, 0], [255, 255, 255]])).tolist()
        [0, 1]
    """
    return np.argmin((palette**2).sum(1) - 2 * colours @ palette.T, axis=1)
