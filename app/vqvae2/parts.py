"""The page's parts, one at a time: a switch at the top, kept in the link."""

from __future__ import annotations

from app.furniture import switch

PART = "part"
PARTS = {"levels": "Levels", "mix": "Mix", "prior": "Prior", "diversity": "Diversity"}


def parts() -> None:
    """Draw the switch and the part that it names; only that one is imported, so that the page opens at once."""
    part = switch("Part", PARTS, key=PART, default="levels")
    if part == "mix":
        from app.vqvae2.mix import mix

        mix()
    elif part == "prior":
        from app.vqvae2.prior import prior

        prior()
    elif part == "diversity":
        from app.vqvae2.diversity import diversity

        diversity()
    else:
        from app.vqvae2.levels import levels

        levels()
