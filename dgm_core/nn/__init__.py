"""What several topics' models share: solvers, splines, quantisers of vectors, laws of code maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dgm_core.nn.causal_transformer import CausalTransformer
    from dgm_core.nn.pixelcnn import PixelCNN
    from dgm_core.nn.pixelsnail import PixelSNAIL

__all__ = ["CausalTransformer", "PixelCNN", "PixelSNAIL"]


def __getattr__(name: str) -> object:
    """The laws of code maps, imported when asked for: other topics need none of them."""
    if name == "CausalTransformer":
        from dgm_core.nn.causal_transformer import CausalTransformer

        return CausalTransformer
    if name == "PixelCNN":
        from dgm_core.nn.pixelcnn import PixelCNN

        return PixelCNN
    if name == "PixelSNAIL":
        from dgm_core.nn.pixelsnail import PixelSNAIL

        return PixelSNAIL
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
