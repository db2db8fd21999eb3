"""The page's Try sections on the hierarchy: predictions first, then a trained model shows it.

Numbers of what is shipped, and of mixtures of it, are measured again by a test; those of the model that takes a minute
or two to train, by ``python -m benchmarks vqvae``.
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
PAPER = (14.4, 28.8)
"""PSNR from the top alone and from both levels, when no level is ever left out in training."""
SIXTEEN = (22.3, 26.5)
"""The same of 16 codes a level instead of 256, 320 bits instead of 640."""

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
    Preset(
        name="never-left-out",
        question="No level is ever left out in training, as in the paper. What does the top of small pictures learn?",
        options=("More than before", "The same", "Nothing"),
        answer=2,
        reveal=f"Nothing: one single code of 256 is used, and the top alone gives {PAPER[0]} dB, less than the mean "
        f"colour's {MEAN}. The bottom tells a picture of 32 × 32 by itself, with {PAPER[1]} dB. Level dropout wakes "
        f"the top; it costs {PAPER[1] - SHIPPED[1]:.1f} dB.",
        settings={"dataset": "shapes"},
        against={"level_dropout": 0.0},
    ),
    Preset(
        name="sixteen",
        question="16 codes a level instead of 256: half the bits. What does it cost, with both levels?",
        options=("About 2 dB", "About 6 dB", "About 12 dB"),
        answer=0,
        reveal=f"{SIXTEEN[1]} dB instead of {SHIPPED[1]}, and from the top alone {SIXTEEN[0]} instead of {SHIPPED[0]}. "
        "The decoder looks at a code with its neighbours, so a place is told by more than its own four bits.",
        settings={"dataset": "shapes"},
        against={"codes": 16},
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
