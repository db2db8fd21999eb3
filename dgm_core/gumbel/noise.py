"""Gumbel noise that is never infinite, and Gumbels given which of them won.

References:
    Gumbel, Statistical theory of extreme values and some practical applications (1954).
    Maddison, Tarlow, Minka, A* sampling (2014): top-down sampling of Gumbels.
    Paulus, Maddison, Krause, Rao-Blackwellizing the straight-through Gumbel-Softmax gradient estimator (2021).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

EULER = 0.57721566490153286061
"""γ, the mean of the standard Gumbel law; its variance is π²/6."""


def sample_gumbel(
    shape: Sequence[int],
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Tensor:
    """Standard Gumbel noise, G = −log(−log u) with u uniform.

    In float32 it lies between −2.81 and 16.64, see `gumbel_from_uniform`.

    Args:
        shape: of the result.
        generator: torch's global one where there is none.
        dtype: of the result; half precision is drawn in float32.
        device: the generator's own where there is none.

    Returns:
        ``shape``, every entry finite.

    Example:
        >>> sample_gumbel((2, 3), torch.Generator().manual_seed(0)).shape
        torch.Size([2, 3])
    """
    # As `gumbel_from_uniform`, without its copies.
    u = uniform(shape, generator, dtype, device)
    return inside(u).log_().neg_().log_().neg_().to(dtype)


def uniform(
    shape: Sequence[int],
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Tensor:
    """Uniform noise in [0, 1), in float32 at least, on the generator's device unless another is named."""
    if device is None and generator is not None:
        device = generator.device
    exact = torch.float64 if dtype == torch.float64 else torch.float32
    return torch.rand(tuple(shape), generator=generator, dtype=exact, device=device)


def inside(u: Tensor) -> Tensor:
    """u moved into [ε/2, 1 − ε/2], ε = 2⁻²³ in float32: the lattice of ``torch.rand`` without its 0.

    ``torch.rand`` gives multiples of 2⁻²⁴ (2⁻⁵³ in float64) in [0, 1). Only u = 0 moves, to the next point of that
    lattice, which changes the law by 2⁻²⁴ in total variation; a u = 1 from elsewhere moves to the largest u below.

    Example:
        >>> inside(torch.tensor([0.0, 0.5, 1.0])).tolist() == [2**-24, 0.5, 1 - 2**-24]
        True
    """
    half = torch.finfo(u.dtype).eps / 2
    return u.clamp(half, 1 - half)


def gumbel_from_uniform(u: Tensor) -> Tensor:
    """G = −log(−log u), the inverse of the distribution function exp(−exp(−G)); finite for every u in [0, 1].

    Args:
        u: any shape, in float32 or float64.

    Returns:
        u's shape: from −2.81 to 16.64 in float32, from −3.60 to 36.74 in float64.
    """
    return -torch.log(-torch.log(inside(u)))


def as_printed(u: Tensor) -> Tensor:
    """−log(log u), as the lecture's slide prints it: NaN for every u in (0, 1), since log u is negative.

    Example:
        >>> as_printed(torch.tensor([0.1, 0.5, 0.9])).isnan().all().item()
        True
    """
    return -torch.log(torch.log(u))


def winner(perturbed: Tensor) -> tuple[Tensor, Tensor]:
    """Which entry is the largest: as indices (…, 1) and as one-hot rows (…, K)."""
    index = perturbed.max(-1, keepdim=True).indices
    return index, torch.zeros_like(perturbed).scatter_(-1, index, 1.0)


def arrivals_given_winner(
    log_pi: Tensor, index: Tensor, generator: torch.Generator | None = None, samples: int = 1
) -> Tensor:
    """exp(−z) of z = log π + G given that entry k of z is the largest: E_k for k, E_j/π_j + E_k for every other j.

    exp(−z) are arrival times of a race at rates π; the first arrival has its own law, whoever it is, and from then on
    the others race on as if they had just begun. All E are independent exponentials.

    Args:
        log_pi: (R, K), normalised; −∞ where π_j = 0, which never arrives.
        index: (R, 1), the winner k.
        generator: of the exponentials.
        samples: M.

    Returns:
        (K, M, R): categories come first, so that what follows runs along rows however few categories there are.

    References:
        Maddison et al. 2014; Tucker et al. 2017; Paulus et al. 2021.
    """
    rows, categories = log_pi.shape
    u = uniform((categories, samples, rows), generator, log_pi.dtype, log_pi.device)
    exponential = inside(u).log_().neg_()
    chosen = index.T.expand(1, samples, rows)
    first = exponential.gather(0, chosen)
    slowness = torch.exp(-log_pi).T.unsqueeze(1)
    return torch.addcmul(first, exponential, slowness).scatter_(0, chosen, first)


def perturbed_given_winner(
    log_pi: Tensor, index: Tensor, generator: torch.Generator | None = None, samples: int = 1
) -> Tensor:
    """log π + G given that entry k is the largest, for any shape: see `arrivals_given_winner`.

    Args:
        log_pi: (…, K), normalised.
        index: (…, 1), the winner k.
        generator: of the noise.
        samples: M.

    Returns:
        (M, …, K), −∞ where π_j = 0.
    """
    rows, winners = log_pi.reshape(-1, log_pi.shape[-1]), index.reshape(-1, 1)
    arrivals = arrivals_given_winner(rows, winners, generator, samples)
    return -torch.log(arrivals.permute(1, 2, 0)).reshape(samples, *log_pi.shape)
