"""The nearest code and the whole quantiser as other libraries' users compute them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable

import torch
from torch import Tensor

from dgm_core.nn.threads import spread

Work = Callable[[], object]


def expanded(z: Tensor, codebook: Tensor) -> Tensor:
    """‖z‖² − 2 z·e + ‖e‖² for all pairs at once, then argmax of its negative: rosinality's VQ-VAE-2."""
    distance = z.pow(2).sum(1, keepdim=True) - 2 * z @ codebook.T + codebook.T.pow(2).sum(0, keepdim=True)
    return (-distance).max(1).indices


def by_cdist(z: Tensor, codebook: Tensor) -> Tensor:
    """`torch.cdist`, then argmin."""
    return torch.cdist(z, codebook).argmin(1)


def bare_product(z: Tensor, codebook: Tensor, rows: int, *, spreading: bool) -> Work:
    """The product z eᵀ alone, in blocks of rows that overwrite each other: what no exact search is faster than.

    Args:
        z, codebook: (N, D), (K, D).
        rows: of a block.
        spreading: blocks shared among Python threads; else every block by all of torch's.
    """

    def share(_: int, part: slice) -> None:
        block = torch.empty(rows, len(codebook), dtype=z.dtype)
        for start in range(part.start, part.stop, rows):
            few = z[start : min(start + rows, part.stop)]
            torch.mm(few, codebook.T, out=block[: len(few)])

    def work() -> bool:
        if spreading:
            spread(share, len(z), rows)
        else:
            share(0, slice(0, len(z)))
        return True

    return work


def faiss_search(z: Tensor, codebook: Tensor) -> Work | None:
    """faiss' exact index, where the package is installed."""
    if importlib.util.find_spec("faiss") is None:
        return None
    faiss = importlib.import_module("faiss")
    index = faiss.IndexFlatL2(codebook.shape[1])
    index.add(codebook.numpy())
    return lambda: index.search(z.numpy(), 1)


def lucidrains(z: Tensor, codes: int, *, training: bool) -> Work | None:
    """vector-quantize-pytorch's module with its defaults, running means; forward, in training backward too."""
    if importlib.util.find_spec("vector_quantize_pytorch") is None:
        return None
    peer = importlib.import_module("vector_quantize_pytorch")
    module = peer.VectorQuantize(dim=z.shape[1], codebook_size=codes, decay=0.99, commitment_weight=0.25)
    module.train(training)

    def work() -> bool:
        rows = z.detach().unsqueeze(0).requires_grad_(training)
        with torch.set_grad_enabled(training):
            values, _, loss = module(rows)
        if training:
            (values.square().mean() + loss.sum()).backward()
        return True

    return work
