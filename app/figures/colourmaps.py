"""Colour maps as tables of 256 colours: perceptually even, readable by colour-blind people, never jet."""

from __future__ import annotations

from functools import cache
from typing import Literal, get_args

import numpy as np
from plotly.colors import sequential

ColourMap = Literal["viridis", "magma", "inferno", "cividis"]
COLOUR_MAPS: tuple[str, ...] = get_args(ColourMap)


@cache
def table(name: str) -> np.ndarray:
    """The 256 colours of a map, dark for little and bright for much: (256, 3) uint8, read-only.

    Between Plotly's ten samples of the map the colours are interpolated linearly in sRGB.

    Args:
        name: one of `COLOUR_MAPS`.

    Raises:
        ValueError: for a name that is no map of this project.

    Example:
        >>> table("viridis").shape, table("viridis")[0].tolist()
        ((256, 3), [68, 1, 84])
    """
    if name not in COLOUR_MAPS:
        raise ValueError(f"there is no colour map {name!r}; choose one of {', '.join(COLOUR_MAPS)}")
    samples = np.array([_rgb(colour) for colour in getattr(sequential, name.capitalize())], dtype=float)
    at = np.linspace(0, 1, len(samples))
    colours = np.stack([np.interp(np.linspace(0, 1, 256), at, channel) for channel in samples.T], axis=1)
    out = np.rint(colours).astype(np.uint8)
    out.setflags(write=False)
    return out


def _rgb(colour: str) -> tuple[int, int, int]:
    """``#440154`` as three numbers."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
