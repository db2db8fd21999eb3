"""Vector-quantised autoencoders: the quantiser, a plane where it can be watched, image models, codebooks, priors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dgm_core.nn.code_usage import code_counts, perplexity, share_used
from dgm_core.nn.nearest import nearest_code, nearest_two
from dgm_core.nn.scalar_quantiser import FiniteScalarQuantizer
from dgm_core.nn.vector_quantiser import Quantised, VectorQuantizer

if TYPE_CHECKING:
    from dgm_core.vqvae.experiment import VQVAE

__all__ = [
    "VQVAE",
    "FiniteScalarQuantizer",
    "Quantised",
    "VectorQuantizer",
    "code_counts",
    "nearest_code",
    "nearest_two",
    "perplexity",
    "share_used",
]


def __getattr__(name: str) -> object:
    """The declaration, imported when asked for: who wants the mathematics needs no pydantic."""
    if name == "VQVAE":
        from dgm_core.vqvae.experiment import VQVAE

        return VQVAE
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
