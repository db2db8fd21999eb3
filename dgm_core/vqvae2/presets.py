"""The page's Try sections on the hierarchy: predictions first, then a trained model shows it.

Numbers of what is shipped, and of mixtures of it, are measured again by a test.
"""

from __future__ import annotations

from dgm_core.presets import Preset

SHIPPED = (24.4, 28.1)
"""PSNR in dB from the top alone and from both levels, of the default model."""
BITS = (128, 512)
"""Of the top and of the bottom."""
THREE = (23.6, 27.2, 31.9)
"""PSNR from the first 1, 2, 3 levels, of the shipped model with three."""
THREE_BITS = (112, 448, 1_792)
MEAN = 15.3
"""PSNR of each image's own mean colour."""

LEVELS: tuple[Preset, ...] = (
    Preset(
        name="top-only",
        question="The top has 16 of the 80 codes, a fifth of the bits. How close do its codes alone come to all 80?",
        options=("Within 4 dB", "Within 10 dB", "Nothing can be seen"),
        answer=0,
        reveal=f"{SHIPPED[0]} dB from {BITS[0]} bits, {SHIPPED[1]} dB from {sum(BITS)}. Ground, colour and place of a "
        "shape are there; its edges are soft. The bottom adds the edges.",
        settings={"dataset": "shapes"},
    ),
    Preset(
        name="three",
        question="Three levels, 4 × 4, 8 × 8 and 16 × 16 codes. Which gives the most dB for each of its bits?",
        options=("The top", "The middle", "The bottom"),
        answer=0,
        reveal=f"The top lifts the picture from {MEAN} dB, each image's mean colour, to {THREE[0]} for {THREE_BITS[0]} "
        f"bits. The middle adds {THREE[1] - THREE[0]:.1f} dB for {THREE_BITS[1]}, the bottom {THREE[2] - THREE[1]:.1f} "
        f"for {THREE_BITS[2]:,}: each level costs four times as much as the one above it.",
        settings={"dataset": "shapes", "levels": 3, "patch": 2, "codes": 128, "width": 32},
    ),
)
"""For `VQVAE2`."""

TO_UPPER, TO_LOWER = 14.2, 20.5
"""PSNR in dB of mixtures against the images A, whose top they have, and B, whose bottom; the default model."""
APART = 11.8
"""PSNR of one image against another."""
CHANGED = 34
"""Per cent of the bottom codes that are others, when B is encoded again under A's top."""

MIX: tuple[Preset, ...] = (
    Preset(
        name="half-and-half",
        question="The top of A with the bottom of B. Whose picture does it look like?",
        options=("A's", "B's", "Neither's"),
        answer=1,
        reveal=f"B's: {TO_LOWER} dB from it, {TO_UPPER} dB from A, where two images are {APART} dB apart. The top "
        "tells the broad things, but the bottom tells them too, with four times the bits.",
        settings={"model": "vqvae2-shapes", "mixed": "grid", "lower": "as-is"},
    ),
    Preset(
        name="again",
        question="B is encoded again with A's top codes above it. How many of its bottom codes change?",
        options=("None", "A third", "Nearly all"),
        answer=1,
        reveal=f"{CHANGED} %. E_bottom is given e_top, so a bottom code says what the top has left out; under another "
        "top, something else is left out.",
        settings={"model": "vqvae2-shapes", "mixed": "grid", "lower": "again"},
    ),
)
"""For the mixtures; settings are the part's own."""
