"""The nearest of K points, exactly and in bounded memory: what a vector quantiser does all day."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from dgm_core.nn.threads import spread

BLOCK, FEWEST, NUMBERS = 1024, 128, 2**20
"""Rows whose distances to all codes are held at once, fewer of more codes: so many numbers stay in a core's cache."""
_ON_DEVICE = 65_536
"""The same on a graphics card, where small blocks leave it idle."""


def nearest_code(z: Tensor, codebook: Tensor) -> Tensor:
    """The index of each row's nearest code: argmin_k ‖z − e_k‖² (van den Oord et al. 2017, equation 1).

    Exact up to the rounding of the dtype: ‖e‖² − 2 z·e is compared, with the codes' mean moved to the origin first.
    Never more than `BLOCK` × K distances are held.

    Args:
        z: (N, D) floating.
        codebook: (K, D) of the same dtype.

    Returns:
        (N,) int64, 0…K−1; of equally near codes the first on a CPU.

    Raises:
        ValueError: when the shapes do not fit, there is no code, or a number is NaN or infinite.

    References:
        Neural Discrete Representation Learning (van den Oord, Vinyals, Kavukcuoglu 2017).

    Example:
        >>> nearest_code(torch.tensor([[0.2, 0.0], [3.0, 3.0]]), torch.tensor([[0.0, 0.0], [2.0, 2.0]])).tolist()
        [0, 1]
    """
    require_codebook(codebook)
    require_vectors(z, codebook)
    return nearest_unchecked(z, codebook)


def nearest_unchecked(z: Tensor, codebook: Tensor) -> Tensor:
    """`nearest_code` without a look at the numbers, for a loop that meets NaN elsewhere."""
    found = torch.empty(len(z), dtype=torch.long, device=z.device)

    def first(scores: Tensor, rows: slice) -> None:
        found[rows] = scores.min(1).indices  # several times faster than argmin

    _in_blocks(z.detach(), codebook.detach(), first)
    return found


def nearest_two(z: Tensor, codebook: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest and the second nearest code of each row, with their squared distances.

    Args:
        z: (N, D) floating.
        codebook: (K, D) of the same dtype, K at least 2.

    Returns:
        (N, 2) int64 and (N, 2), ‖z − e‖² computed from the differences themselves.

    Raises:
        ValueError: as `nearest_code`, or when there is one code only.

    Example:
        >>> nearest_two(torch.tensor([[0.0]]), torch.tensor([[3.0], [1.0]]))
        (tensor([[1, 0]]), tensor([[1., 9.]]))
    """
    require_codebook(codebook)
    require_vectors(z, codebook)
    if len(codebook) < 2:
        raise ValueError("There is one code only, so no second nearest.")
    z, codebook = z.detach(), codebook.detach()
    found = torch.empty(len(z), 2, dtype=torch.long, device=z.device)

    def first_and_second(scores: Tensor, rows: slice) -> None:
        found[rows, 0] = scores.min(1).indices
        found[rows, 1] = scores.scatter_(1, found[rows, :1], torch.inf).min(1).indices

    _in_blocks(z, codebook, first_and_second)
    return found, torch.stack([(z - codebook[found[:, k]]).square().sum(1) for k in (0, 1)], 1)


def _in_blocks(z: Tensor, codebook: Tensor, take: Callable[[Tensor, slice], None]) -> None:
    """Hand ‖e‖² − 2 z·e, (rows, K), block by block to ``take``, the codes' mean being the origin."""
    middle = codebook.mean(0)
    centred = codebook - middle
    norms, doubled = centred.square().sum(1), (-2 * centred).T.contiguous()
    size = max(FEWEST, min(BLOCK, NUMBERS // len(codebook))) if z.device.type == "cpu" else _ON_DEVICE

    def work(_: int, share: slice) -> None:
        with torch.no_grad():  # it holds for one thread only
            for start in range(share.start, share.stop, size):
                rows = slice(start, min(start + size, share.stop))
                take(torch.addmm(norms, z[rows] - middle, doubled), rows)

    if z.device.type == "cpu":
        spread(work, len(z), 2 * BLOCK)
    else:
        work(0, slice(0, len(z)))


def require_codebook(codebook: Tensor) -> None:
    """Raise ValueError, in a sentence, unless ``codebook`` is (K, D) with K, D ≥ 1 and finite."""
    if codebook.ndim != 2 or 0 in codebook.shape:
        raise ValueError(f"A codebook has K rows of D numbers; this one has the shape {tuple(codebook.shape)}.")
    if not bool(torch.isfinite(codebook).all()):
        row = int((~torch.isfinite(codebook).all(1)).nonzero()[0])
        raise ValueError(f"Row {row} of the codebook holds a number that is NaN or infinite.")


def require_vectors(z: Tensor, codebook: Tensor) -> None:
    """Raise ValueError, in a sentence, unless ``z`` is (N, D), finite and of the codebook's D and dtype."""
    if z.ndim != 2 or z.shape[1] != codebook.shape[1]:
        raise ValueError(f"Codes have {codebook.shape[1]} numbers; vectors of the shape {tuple(z.shape)} do not fit.")
    if z.dtype != codebook.dtype:
        raise ValueError(f"Vectors are {z.dtype} and codes {codebook.dtype}; both must be the same.")
    # a sum is finite only where all are; it may overflow though all are finite, so then look closely
    if not bool(torch.isfinite(z.sum())) and not bool(torch.isfinite(z).all()):
        raise ValueError("A vector to be quantised holds a number that is NaN or infinite.")
