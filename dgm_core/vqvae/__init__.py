"""Vector-quantised autoencoders: the quantiser, a plane where it can be watched, image models, codebooks, priors."""

from __future__ import annotations

from dgm_core.nn.code_usage import code_counts, perplexity, share_used
from dgm_core.nn.nearest import nearest_code, nearest_two
from dgm_core.nn.scalar_quantiser import FiniteScalarQuantizer
from dgm_core.nn.vector_quantiser import Quantised, VectorQuantizer

__all__ = [
    "FiniteScalarQuantizer",
    "Quantised",
    "VectorQuantizer",
    "code_counts",
    "nearest_code",
    "nearest_two",
    "perplexity",
    "share_used",
]
