"""The page's parts, one at a time, so that each has the whole room: a switch at the top, kept in the link."""

from __future__ import annotations

from app.furniture import switch

PART = "part"
PARTS = {"simplex": "Three categories", "categories": "K categories", "estimators": "Estimators", "vae": "Discrete VAE"}


def parts() -> None:
    """Draw the switch and the part that it names; only that one is imported, so that the page opens at once."""
    part = switch("Part", PARTS, key=PART, default="simplex")
    if part == "categories":
        from app.gumbel.categories import categories

        categories()
    elif part == "estimators":
        from app.gumbel.estimators import estimators

        estimators()
    elif part == "vae":
        from app.gumbel.vae import vae

        vae()
    else:
        from app.gumbel.simplex import simplex

        simplex()
