"""Pictures as densities, constant on each pixel, as high as its ink; the checkerboard is one of 4 × 4 pixels."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from dgm_core.data.target import Target
from dgm_core.errors import DataError

BOX = 7.2
"""The longer side of a picture in the plane, centred at the origin."""


def pixel_target(name: str, title: str, ink: np.ndarray, width: float) -> Target:
    """The law with a density constant on each pixel: p(x) = ink(x) / (Σ ink · a), a the area of one pixel.

    Its entropy is exact: H = −Σ_i q_i log(q_i / a), q_i the probability of pixel i.

    Args:
        name, title: the target's.
        ink: (H, W), not negative, some of it positive; row 0 at the top, as pictures are stored.
        width: of the picture in the plane; its height follows, its centre is the origin.
    """
    rows, columns = ink.shape
    side = width / columns
    left, bottom = -width / 2, -side * rows / 2
    # Row 0 at the bottom from here on.
    q = torch.from_numpy(np.array(ink[::-1], dtype=np.float64, order="C")).flatten()
    q = q / q.sum()
    cumulative, log_density = q.cumsum(0), q.log() - 2 * math.log(side)

    def pixel(x: Tensor) -> tuple[Tensor, Tensor]:
        """Each point's pixel and whether it lies in the picture; float64, so that all callers agree on a border."""
        place = ((x.detach().to("cpu", torch.float64) - torch.tensor([left, bottom])) / side).floor()
        inside = ((place >= 0) & (place < torch.tensor([columns, rows]))).all(dim=1)
        column, row = place.where(inside[:, None], 0).long().unbind(dim=1)
        return row * columns + column, inside

    def draw(n: int, generator: torch.Generator) -> Tensor:
        u = torch.rand(n, generator=generator, dtype=torch.float64) * cumulative[-1]
        which = torch.searchsorted(cumulative, u, right=True).clamp(max=len(q) - 1)
        corner = torch.stack([which % columns, which // columns], dim=1) * side + torch.tensor([left, bottom])
        x = (corner + side * torch.rand(n, 2, generator=generator, dtype=torch.float64)).float()
        # Rounding to float32 lifts about one point in 10⁵ over the border, perhaps to where p = 0: back to the middle.
        found, inside = pixel(x)
        return x.where(((found == which) & inside)[:, None], (corner + side / 2).float())

    def log_prob(x: Tensor) -> Tensor:
        which, inside = pixel(x)
        return log_density[which].where(inside, -math.inf).to(x)

    entropy = float(-torch.special.xlogy(q, q).sum()) + 2 * math.log(side)
    return Target(name, title, draw, log_prob, entropy)


def checkerboard() -> Target:
    """Uniform on the eight dark squares of side 2 of a board over [−4, 4]²: entropy log 32 nats."""
    board = (np.add.outer(np.arange(4), np.arange(4)) % 2 == 0).astype(np.float64)
    return pixel_target("checkerboard", "Checkerboard", board[::-1], 8.0)


def image_target(ink: np.ndarray, name: str = "image", title: str = "Image") -> Target:
    """A picture's ink as a density, the longer side `BOX` wide.

    Args:
        ink: (H, W) finite and not negative, row 0 at the top; `dgm_core.data.files.read_image` makes one.
        name, title: the target's.

    Raises:
        DataError: when there is no ink, or the array is none.

    Example:
        >>> math.isclose(image_target(np.ones((10, 20))).entropy, math.log(7.2 * 3.6))
        True
    """
    ink = np.asarray(ink)
    if ink.ndim != 2 or not ink.size:
        raise DataError(f"The picture has shape {ink.shape}; rows × columns of ink are needed.")
    if not np.isfinite(ink).all() or (ink < 0).any() or not ink.any():
        raise DataError("The picture is blank or damaged; some of its pixels must hold ink, none less than nothing.")
    rows, columns = ink.shape
    return pixel_target(name, title, ink, BOX * columns / max(rows, columns))


def ink_of(luminance: np.ndarray, invert: bool | None = None) -> np.ndarray:
    """Luminance as ink in [0, 1], contrast stretched so that the paper carries none.

    Args:
        luminance: (H, W), any range, dark is small.
        invert: whether light is ink; None decides by the border: on a light border dark is ink, on a dark one light.

    Raises:
        DataError: when the picture is blank.
    """
    light = np.asarray(luminance, dtype=np.float64)
    low, high = light.min(), light.max()
    if not high - low > 1e-3 * max(abs(high), abs(low)):
        raise DataError(
            "The picture is blank: all its pixels have the same brightness; choose one that shows something."
        )
    light = (light - low) / (high - low)
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    ink = light if (border.mean() < 0.5 if invert is None else invert) else 1 - light
    paper, full = np.quantile(ink, [0.05, 0.995])
    if full - paper < 0.1:
        paper, full = 0.0, 1.0
    return np.clip((ink - paper) / (full - paper), 0, 1).astype(np.float32)


def photo_target(photo: str, title: str) -> Target:
    """One of the photos that ship with scikit-learn (``"china"``, ``"flower"``), 160 pixels wide."""
    from PIL import Image
    from sklearn.datasets import load_sample_image

    picture = Image.fromarray(load_sample_image(f"{photo}.jpg")).convert("L")
    picture.thumbnail((160, 160), Image.Resampling.BOX)
    return image_target(ink_of(np.asarray(picture)), f"photo-{photo}", title)
