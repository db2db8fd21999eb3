"""One moment of a film as an array of pixels, drawn as the player draws it, without a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from app.figures.colourmaps import ColourMap, table
from app.figures.palette import GROUND, MODEL
from dgm_core.film import Film

RADIUS, RIM_WIDTH = 1.7, 0.75
"""Of a particle and of the rim that parts it from any colour of the map, in pixels of a picture of 480."""
CROWD = 1200
"""More particles than that are drawn smaller."""
RIM_COLOUR, RIM_OPACITY = "#ffffff", 0.8


@dataclass(frozen=True)
class Look:
    """What a picture of a film shows, and how.

    Args:
        size: pixels of the longer side.
        colours: colour map.
        scale: colours by p or by ln p.
        normalise: the brightest colour is the peak of each frame, or of the whole film.
        log_range: nats below the brightest that the logarithmic scale spans.
        density: whether the density is drawn; without it the particles stand on the page's ground.
        particles: whether the particles are drawn, where the film has any.
        dark: the page's ground, dark or light; it shows where no density is drawn.
    """

    size: int = 512
    colours: ColourMap = "viridis"
    scale: Literal["linear", "log"] = "linear"
    normalise: Literal["frame", "global"] = "frame"
    log_range: float = 10.0
    density: bool = True
    particles: bool = True
    dark: bool = True

    def __post_init__(self) -> None:
        if not 16 <= self.size <= 4096:
            raise ValueError(f"a picture of {self.size} pixels cannot be made; choose 16 to 4096")
        if self.scale not in ("linear", "log") or self.normalise not in ("frame", "global"):
            raise ValueError(f"there is no colour scale {self.scale!r} by {self.normalise!r}")
        if not self.log_range > 0:
            raise ValueError(f"a logarithmic scale over {self.log_range} nats is empty; choose a positive number")

    def shape(self, film: Film) -> tuple[int, int]:
        """Height and width in pixels, both even, as H.264 needs them."""
        xmin, xmax, ymin, ymax = film.extent
        unit = self.size / max(xmax - xmin, ymax - ymin) / 2
        return 2 * max(1, round((ymax - ymin) * unit)), 2 * max(1, round((xmax - xmin) * unit))

    def accent(self) -> np.ndarray:
        """The particles' colour: a density is a dark ground in either theme."""
        return rgb(MODEL.on(self.density or self.dark))


def levels(film: Film, moment: float, look: Look) -> np.ndarray:
    """How far up its colour scale each pixel is.

    Between two frames densities are blended linearly, log-densities on the logarithmic scale.

    Args:
        film: the film.
        moment: a frame's index, or a number between two.
        look: how.

    Returns:
        (height, width) float32 in [0, 1], row 0 at the top, that is at ymax.
    """
    low = min(int(moment), len(film.times) - 1)
    share = moment - low if low + 1 < len(film.times) else 0.0
    frames = film.log_prob[[low, low + 1]] if share else film.log_prob[[low]]
    weights = np.array([1 - share, share]) if share else np.ones(1)
    top = _brightest(film.log_prob if look.normalise == "global" else frames, weights, look)
    cells = sum(w * _level(frame, top, look) for w, frame in zip(weights, frames, strict=True))
    height, width = look.shape(film)
    image = Image.fromarray(np.asarray(cells, np.float32)[::-1])
    return np.clip(np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)), 0, 1)


def dots(film: Film, moment: float, look: Look) -> tuple[np.ndarray, np.ndarray]:
    """How much of each pixel particles cover, and their rims.

    Returns:
        Two (height, width) float32 in [0, 1].
    """
    height, width = look.shape(film)
    cover, rims = np.zeros((2, height, width), np.float32)
    if film.particles is None or not look.particles:
        return cover, rims
    low = min(int(moment), len(film.times) - 1)
    high, share = min(low + 1, len(film.times) - 1), moment - low
    places = (1 - share) * film.particles[low] + share * film.particles[high]
    xmin, xmax, ymin, ymax = film.extent
    pixels = (places - [xmin, ymax]) * [width / (xmax - xmin), -height / (ymax - ymin)] - 0.5
    scale = max(width, height) / 480
    radius = max(RADIUS * scale * min(1.0, max(0.6, (CROWD / max(len(pixels), 1)) ** 0.5)), 0.8)
    _stamp(cover, pixels, radius)
    if look.density:
        _stamp(rims, pixels, radius + max(RIM_WIDTH * scale, 0.6))
    return cover, rims


def picture(film: Film, moment: float, look: Look) -> np.ndarray:
    """A moment of a film in colours.

    Returns:
        (height, width, 3) uint8, row 0 at the top.
    """
    cover, rims = dots(film, moment, look)
    if look.density:
        pixels = table(look.colours)[np.rint(255 * levels(film, moment, look)).astype(np.uint8)]
    else:
        pixels = np.broadcast_to(rgb(GROUND.on(look.dark)), (*cover.shape, 3)).copy()
    touched = np.maximum(cover, rims) > 0  # few pixels, so that long films are made in seconds
    over = RIM_OPACITY * rims[touched][:, None]
    ground = pixels[touched] * (1 - over) + over * rgb(RIM_COLOUR)
    pixels[touched] = np.rint(ground + cover[touched][:, None] * (look.accent() - ground)).astype(np.uint8)
    return pixels


def _brightest(frames: np.ndarray, weights: np.ndarray, look: Look) -> float:
    """ln p that gets the brightest colour; 0 where no density is finite."""
    peaks = np.max(frames, axis=(1, 2), where=np.isfinite(frames), initial=-np.inf)
    if look.normalise == "global":
        top = float(peaks.max())
    else:
        with np.errstate(divide="ignore"):
            top = float(np.logaddexp.reduce(peaks + np.log(weights)))
    return top if np.isfinite(top) else 0.0


def _level(log_prob: np.ndarray, top: float, look: Look) -> np.ndarray:
    """Cells of one frame on the scale; what is not finite is no density."""
    below = np.where(np.isfinite(log_prob), log_prob, -np.inf) - np.float32(top)
    return np.clip(1 + below / look.log_range if look.scale == "log" else np.exp(np.minimum(below, 0)), 0, 1)


def _stamp(cover: np.ndarray, centres: np.ndarray, radius: float) -> None:
    """Draw discs with smooth edges into ``cover``; centres (N, 2) are (column, row), those far outside left out."""
    height, width = cover.shape
    near = np.isfinite(centres).all(1) & (np.abs(centres - [width / 2, height / 2]) < 2 * max(width, height)).all(1)
    centres, reach = centres[near], int(np.ceil(radius + 0.5))
    around = np.arange(-reach, reach + 1)
    offsets = np.stack(np.meshgrid(around, around), -1).reshape(-1, 2)
    pixels = np.rint(centres).astype(int)[:, None] + offsets
    share = np.clip(radius + 0.5 - np.linalg.norm(pixels - centres[:, None], axis=-1), 0, 1).astype(np.float32)
    column, row = pixels[..., 0], pixels[..., 1]
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (share > 0)
    np.maximum.at(cover, (row[inside], column[inside]), share[inside])


def rgb(colour: str) -> np.ndarray:
    """``#rrggbb`` as three numbers."""
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], np.uint8)
