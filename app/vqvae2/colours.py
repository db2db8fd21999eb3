"""Colours for codes: codes whose vectors are near each other look alike."""

from __future__ import annotations

import numpy as np

LIGHTNESS, CHROMA = (38.0, 84.0), 62.0
"""Range of L*, and the largest |a*| and |b*|, of CIE L*a*b*."""
_XYZ = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
"""From CIE XYZ (D65) to linear sRGB."""
_WHITE = np.array([0.95047, 1.0, 1.08883])


def code_colours(vectors: np.ndarray) -> np.ndarray:
    """A colour for each code: its rank along the first three principal axes as L*, a* and b*.

    Ranks, not coordinates, so that a few far codes do not make all others one colour.

    Args:
        vectors: (K, D) of the codebook.

    Returns:
        (K, 3) uint8, sRGB.

    Example:
        >>> code_colours(np.eye(16)).shape
        (16, 3)
    """
    count = len(vectors)
    centred = np.nan_to_num(np.asarray(vectors, np.float64))
    centred = centred - centred.mean(0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    shares = np.full((count, 3), 0.5)
    found = min(3, int((size > 1e-6 * max(size[0], 1e-30)).sum()))  # an axis without extent has no order
    ranks = np.argsort(np.argsort(left[:, :found], axis=0, kind="stable"), axis=0)
    shares[:, :found] = ranks / max(count - 1, 1)
    low, high = LIGHTNESS
    lab = np.stack([low + (high - low) * shares[:, 0], *(CHROMA * (2 * shares[:, k] - 1) for k in (1, 2))], axis=1)
    return _srgb(lab)


def _srgb(lab: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (K, 3) as sRGB bytes, clipped; CIE 15:2004 and IEC 61966-2-1."""
    y = (lab[:, 0] + 16) / 116
    f = np.stack([y + lab[:, 1] / 500, y, y - lab[:, 2] / 200], axis=1)
    xyz = _WHITE * np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    linear = np.clip(xyz @ _XYZ.T, 0, 1)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    found: np.ndarray = np.rint(255 * coded).astype(np.uint8)
    return found
