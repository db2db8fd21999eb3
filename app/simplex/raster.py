"""Samples in the triangle as a picture: PNG pixels and SVG, from the same places."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from app.figures.palette import GROUND, MUTED
from app.simplex.settings import HUES

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, -(0.75**0.5)]])
"""Of categories 1, 2 and 3, the side being 1, y downwards as on a screen."""
MARGIN = 0.08
FINER = 2
"""Drawn so much larger and then reduced, for smooth edges."""


def places(z: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray]:
    """Where samples z (N, 3) and the corners lie in a square picture: (N, 2) and (3, 2) pixels.

    Example:
        >>> places(np.eye(3), 100.0)[0].round(1).tolist()
        [[8.0, 86.4], [92.0, 86.4], [50.0, 13.6]]
    """
    length = (1 - 2 * MARGIN) * side
    base = np.array([MARGIN * side, side / 2 + length * 0.75**0.5 / 2])
    corners = base + length * CORNERS
    return z @ corners, corners


def triangle(z: np.ndarray, side: int, *, dark: bool = False, dot: float = 2.0) -> Image.Image:
    """Samples z (N, 3), each in the hue of its largest entry, in a triangle on a square of ``side`` pixels."""
    points, corners = places(z, FINER * side)
    picture = Image.new("RGB", (FINER * side, FINER * side), GROUND.on(dark))
    draw = ImageDraw.Draw(picture)
    draw.polygon([(float(x), float(y)) for x, y in corners], outline=MUTED.on(dark), width=FINER)
    radius = FINER * dot
    for (x, y), k in zip(points, z.argmax(1), strict=True):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=HUES[k].on(dark))
    return picture.resize((side, side), Image.Resampling.LANCZOS)


def triangle_png(z: np.ndarray, side: int = 1200, *, dark: bool = False) -> bytes:
    """The picture as PNG."""
    out = BytesIO()
    triangle(z, side, dark=dark, dot=side / 300).save(out, "PNG", optimize=True)
    return out.getvalue()


def triangle_svg(z: np.ndarray, side: int = 600, *, dark: bool = False) -> bytes:
    """The picture as SVG."""
    points, corners = places(z, side)
    outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    dots = "".join(
        f'<circle cx="{x:.2f}" cy="{y:.2f}" r="2" fill="{HUES[k].on(dark)}"/>'
        for (x, y), k in zip(points, z.argmax(1), strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<rect width="{side}" height="{side}" fill="{GROUND.on(dark)}"/>'
        f'<polygon points="{outline}" fill="none" stroke="{MUTED.on(dark)}"/>{dots}</svg>'
    ).encode()
