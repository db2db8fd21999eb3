"""The page's parts, one at a time, so that each has the whole room: a switch at the top, kept in the link."""

from __future__ import annotations

from app.furniture import switch
from app.gumbel.categories import categories
from app.gumbel.estimators import estimators
from app.gumbel.simplex import simplex

PART = "part"
PARTS = {"simplex": "Three categories", "categories": "K categories", "estimators": "Estimators"}
DRAW = {"simplex": simplex, "categories": categories, "estimators": estimators}


def parts() -> None:
    """Draw the switch and the part that it names."""
    part = switch("Part", PARTS, key=PART, default="simplex")
    DRAW[part or "simplex"]()
