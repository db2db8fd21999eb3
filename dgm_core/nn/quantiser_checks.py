"""What must hold of any quantiser: its codes are the nearest ones, and its posterior is one-hot."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import OneHotCategorical, kl_divergence

from dgm_core.checks import Check
from dgm_core.nn.scalar_quantiser import FiniteScalarQuantizer
from dgm_core.nn.vector_quantiser import VectorQuantizer

Quantiser = VectorQuantizer | FiniteScalarQuantizer

OUTPUTS = 4_096
"""Encoder outputs that are looked at one by one."""
DIFFERENCES = 2**27
"""Numbers that the exhaustive search may go through: half a second; of many long codes fewer outputs are looked at."""


def exhaustive_search(quantiser: Quantiser, z: Tensor, of: str = "") -> Check:
    """The chosen code against all K distances from the differences themselves, in float64.

    Rounding may choose between two codes that are equally near: 1e-5 of ‖z‖² + ‖e‖² is allowed.

    Args:
        quantiser: of K codes.
        z: (…, D).
        of: which quantiser, where a table has several.
    """
    most = min(OUTPUTS, DIFFERENCES // (quantiser.codes * quantiser.dimension))
    flat = quantiser.compared(z).reshape(-1, quantiser.dimension).double()[:most]
    vectors, chosen = quantiser.vectors().detach().double(), quantiser.nearest(z).reshape(-1)[:most]
    worst, scale = 0.0, float(flat.square().sum(1).max() + vectors.square().sum(1).max())
    for rows, codes in zip(flat.split(64), chosen.split(64), strict=True):
        squared = (rows[:, None] - vectors[None]).square().sum(-1)
        worst = max(worst, float((squared.gather(1, codes[:, None])[:, 0] - squared.min(1).values).max()))
    return Check(
        _of(of) + r"$\|z - e_{\mathrm{chosen}}\|^2 - \min_k \|z - e_k\|^2$, the largest", worst, 0.0, 1e-5 * scale,
        "at most", "", "exhaustive search in float64", f"{len(flat):,} outputs, {quantiser.codes:,} codes",
    )  # fmt: skip


def kl_to_uniform(quantiser: Quantiser, z: Tensor, of: str = "") -> list[Check]:
    """KL(q(z|x) ‖ uniform) of the one-hot posterior, by `torch.distributions` in float64.

    Args:
        quantiser: of K codes.
        z: (B, h, w, D).
        of: which quantiser, where a table has several.
    """
    codes = quantiser.nearest(z)[:8]
    one_hot = torch.nn.functional.one_hot(codes, quantiser.codes).double()
    uniform = OneHotCategorical(torch.full_like(one_hot, 1 / quantiser.codes))
    kl = kl_divergence(OneHotCategorical(one_hot, validate_args=False), uniform)
    height, width = z.shape[1:3]
    each, source = math.log(quantiser.codes), "van den Oord et al. 2017, section 3.1"
    return [
        Check(f"{_of(of)}KL to the uniform prior, a code", float(kl.mean()), each, 1e-9, "tolerance", "nats",
              source, "log K"),
        Check(f"{_of(of)}KL to the uniform prior, an image", float(kl.sum((1, 2)).mean()), height * width * each, 1e-6,
              "tolerance", "nats", source, f"{height} · {width} · log K"),
    ]  # fmt: skip


def _of(quantiser: str) -> str:
    return f"{quantiser}: " if quantiser else ""
