"""Hierarchies of codes (VQ-VAE-2): an image as a coarse map of codes and finer ones below it, and laws of the maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dgm_core.vqvae2.experiment import VQVAE2
    from dgm_core.vqvae2.model import HierarchicalAutoencoder

__all__ = ["VQVAE2", "HierarchicalAutoencoder"]


def __getattr__(name: str) -> object:
    """What is asked for, imported then."""
    if name == "VQVAE2":
        from dgm_core.vqvae2.experiment import VQVAE2

        return VQVAE2
    if name == "HierarchicalAutoencoder":
        from dgm_core.vqvae2.model import HierarchicalAutoencoder

        return HierarchicalAutoencoder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
