"""The page's parts, one at a time: a switch at the top, kept in the link."""

from __future__ import annotations

from app.furniture import switch

PART = "part"
PARTS = {"plane": "In the plane", "codebook": "Codebook of images", "prior": "Prior"}


def parts() -> None:
    """Draw the switch and the part that it names; only that one is imported, so that the page opens at once."""
    part = switch("Part", PARTS, key=PART, default="codebook")
    if part == "plane":
        from app.vqvae.plane import plane

        plane()
    elif part == "prior":
        from app.vqvae.prior import prior

        prior()
    else:
        from app.vqvae.codebook import codebook

        codebook()
