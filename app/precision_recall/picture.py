"""The two manifolds as a PNG: true unions of balls, drawn four times as large and scaled down."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from app.figures.palette import DATA, GROUND, INK, MODEL
from dgm_core.metrics.manifolds import Manifolds

SIDE, GAP, FINE = 900, 40, 3
"""Pixels of a picture and between the two; how much finer they are drawn."""
MARGIN, INSIDE = 0.12, 44
"""Room around the points, as a share of their extent; the balls' opacity of 255."""


def manifolds_png(manifolds: Manifolds, k: int, *, dark: bool = False) -> bytes:
    """Real and approximated manifold beside each other.

    Args:
        manifolds: both sets with their balls.
        k: neighbours.
        dark: on a dark ground.
    """
    ground = GROUND.on(dark)
    sheet = Image.new("RGB", (2 * SIDE + GAP, SIDE), ground)
    data, model = DATA.on(dark), MODEL.on(dark)
    at = k - 1
    left = _panel(manifolds, manifolds.real, manifolds.real_radii[:, at], data, ground)
    _dots(left, manifolds, manifolds.real, np.ones(len(manifolds.real), bool), data, ground, 2.2)
    _dots(left, manifolds, manifolds.fake, manifolds.fake_at <= at, model, ground, 4.5)
    right = _panel(manifolds, manifolds.fake, manifolds.fake_radii[:, at], model, ground)
    _dots(right, manifolds, manifolds.fake, np.ones(len(manifolds.fake), bool), model, ground, 2.2)
    _dots(right, manifolds, manifolds.real, manifolds.real_at <= at, data, ground, 4.5)
    for index, panel in enumerate((left, right)):
        sheet.paste(panel.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (index * (SIDE + GAP), 0))
    draw = ImageDraw.Draw(sheet)
    precision, recall = manifolds.curves[0, at], manifolds.curves[1, at]
    for x, text in ((8, f"precision {precision:.3f}, k = {k}"), (SIDE + GAP + 8, f"recall {recall:.3f}")):
        draw.text((x, 6), text, fill=INK.on(dark), font_size=26)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _places(manifolds: Manifolds, points: np.ndarray) -> tuple[np.ndarray, float]:
    """Where points lie on the fine picture, and pixels a unit."""
    everything = np.concatenate([manifolds.real, manifolds.fake]).astype(float)
    low, high = everything.min(0), everything.max(0)
    scale = SIDE * FINE / (float((high - low).max() or 1.0) * (1 + 2 * MARGIN))
    return (points - (low + high) / 2) * (scale, -scale) + SIDE * FINE / 2, scale


def _panel(manifolds: Manifolds, centres: np.ndarray, radii: np.ndarray, colour: str, ground: str) -> Image.Image:
    side = SIDE * FINE
    inside = Image.new("L", (side, side), 0)
    places, scale = _places(manifolds, centres)
    fill = ImageDraw.Draw(inside)
    for (x, y), radius in zip(places, radii * scale, strict=True):
        fill.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    panel = Image.new("RGB", (side, side), ground)
    panel.paste(colour, mask=inside.point(lambda value: INSIDE if value else 0))
    mask = np.asarray(inside) > 0
    panel.paste(colour, mask=Image.fromarray((_rim(mask, FINE) * 220).astype(np.uint8)))
    return panel


def _rim(mask: np.ndarray, width: int) -> np.ndarray:
    """The inside's pixels that are at most so far from the outside."""
    inner = mask.copy()
    for _ in range(width):
        eroded = inner.copy()
        eroded[1:] &= inner[:-1]
        eroded[:-1] &= inner[1:]
        eroded[:, 1:] &= inner[:, :-1]
        eroded[:, :-1] &= inner[:, 1:]
        inner = eroded
    rim: np.ndarray = mask & ~inner
    return rim


def _dots(
    panel: Image.Image, manifolds: Manifolds, points: np.ndarray, filled: np.ndarray, colour: str, ground: str,
    size: float,
) -> None:  # fmt: skip
    draw, (places, _) = ImageDraw.Draw(panel), _places(manifolds, points)
    radius = size * FINE
    for (x, y), full in zip(places, filled, strict=True):
        box = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(
            box, fill=colour if full else ground, outline=ground if full else colour, width=FINE if full else 4
        )
