"""The page's parts, one at a time, so that each has the whole room: a switch at the top, kept in the link."""

from __future__ import annotations

from app.furniture import switch
from app.precision_recall.curves import curves
from app.precision_recall.knob import knob
from app.precision_recall.plane import plane
from app.precision_recall.sets import sets

PART = "part"
PARTS = {
    "plane": "In the plane",
    "curves": "Against k, n, D, temperature",
    "knob": "A generator's knob",
    "sets": "Your sets and images",
}
DRAW = {"plane": plane, "curves": curves, "knob": knob, "sets": sets}


def parts() -> None:
    """Draw the switch and the part that it names."""
    part = switch("Part", PARTS, key=PART, default="plane")
    DRAW[part or "plane"]()
