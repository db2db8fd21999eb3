"""What must hold of any quantiser, trained or not: nearest codes, a copied gradient, a one-hot posterior, means."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor
from torch.distributions import OneHotCategorical, kl_divergence

from dgm_core.checks import Check
from dgm_core.nn.code_usage import code_counts, perplexity
from dgm_core.nn.scalar_quantiser import FiniteScalarQuantizer
from dgm_core.nn.vector_quantiser import VectorQuantizer

Quantiser = VectorQuantizer | FiniteScalarQuantizer

OUTPUTS = 4_096
"""Encoder outputs that are looked at one by one."""
DIFFERENCES = 2**27
"""Numbers that the exhaustive search may go through: half a second; of many long codes fewer outputs are looked at."""
BATCHES = 10
"""Batches of the running means' check."""


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


def decoders_gradient(quantiser: Quantiser, z: Tensor, seed: int, of: str = "") -> list[Check]:
    """What arrives at z of a gradient g at the code: g itself, times the slope of what is done to z before.

    The rotation turns g, but keeps its part along the vector, scaled; with codes of length 1 that part is taken away.
    g is drawn at random, so the check is of the quantiser, whatever the decoder is.

    Args:
        quantiser: of K codes.
        z: (…, D).
        seed: of the gradients.
        of: which quantiser, where a table has several.
    """
    leaf = z.reshape(-1, quantiser.dimension)[:512].detach().requires_grad_(True)
    g = torch.randn(leaf.shape, generator=torch.Generator().manual_seed(seed)).to(leaf)
    q = quantiser(leaf).values
    arrived = torch.autograd.grad(q, leaf, g)[0]
    if not isinstance(quantiser, VectorQuantizer) or quantiser.gradient == "straight-through":
        expected = torch.autograd.grad(quantiser.compared(leaf), leaf, g)[0]
        return [_equal(f"{_of(of)}gradient at $z_e$, of the decoder at $z_q$", arrived, expected,
                       "van den Oord et al. 2017, section 3.2")]  # fmt: skip
    if quantiser.distance == "cosine":
        return []
    along_z = (arrived * leaf.detach()).sum(-1) / leaf.detach().norm(dim=-1)
    along_q = (g * q.detach()).sum(-1) / leaf.detach().norm(dim=-1)
    return [_equal(_of(of) + r"gradient along $z_e$, $\|q\|/\|z\|$ times the decoder's along $z_q$", along_z, along_q,
                   "Fifty et al. 2024, section 4")]  # fmt: skip


def even_use(quantiser: Quantiser, z: Tensor, of: str = "") -> list[Check]:
    """Perplexity of every code once is K; over the outputs it is at most K, and at most the outputs' number.

    Args:
        quantiser: of K codes.
        z: (…, D).
        of: which quantiser, where a table has several.
    """
    codes = quantiser.codes
    chosen = quantiser.nearest(z)
    most = min(codes, chosen.numel())
    return [
        Check(f"{_of(of)}perplexity of an even use", perplexity(torch.ones(codes)), codes, 1e-6 * codes, "tolerance",
              "codes", "exp H of a uniform law"),
        Check(f"{_of(of)}perplexity over these images", perplexity(code_counts(chosen, codes)), most, 1e-6 * most,
              "at most", "codes", "H is at most log K", f"{chosen.numel():,} outputs"),
    ]  # fmt: skip


def running_means(quantiser: VectorQuantizer, z: Tensor, of: str = "") -> Check:
    """A copy that wins the same outputs again and again: e = (γⁿ N₀ e₀ + (1 − γⁿ) Σz) / (γⁿ N₀ + (1 − γⁿ) n).

    Codes trained by the loss are moved by means too, for this check.

    Args:
        quantiser: of K codes.
        z: (…, D).
        of: which quantiser, where a table has several.
    """
    flat = z.reshape(-1, quantiser.dimension)
    copied = copy.deepcopy(quantiser).double()
    copied.by, copied.patience, rows = "ema", 0, flat.double()
    chosen, start, sizes = copied.nearest(rows), copied.codebook.detach().clone(), copied.sizes.detach().clone()
    for _ in range(BATCHES):
        copied.observe(rows, chosen)
    kept = copied.decay**BATCHES
    counts = code_counts(chosen, copied.codes).double()
    sums = torch.zeros_like(start).index_add_(0, chosen, rows)
    weights = kept * sizes + (1 - kept) * counts
    expected = (kept * sizes[:, None] * start + (1 - kept) * sums) / weights.clamp_min(1e-300)[:, None]
    won = counts > 0
    apart = float((copied.codebook.detach() - expected)[won].abs().max())
    return Check(
        f"{_of(of)}running means of what codes win, largest error", apart, 0.0, 1e-9, "at most", "",
        "van den Oord et al. 2017, appendix A.1", f"{int(won.sum()):,} codes, {BATCHES} batches, float64",
    )  # fmt: skip


def _equal(name: str, found: Tensor, expected: Tensor, source: str) -> Check:
    """The largest difference, 1e-5 of the largest value allowed."""
    apart, size = float((found - expected).abs().max()), float(expected.abs().max())
    return Check(f"{name}, largest difference", apart, 0.0, 1e-5 * size, "at most", "", source,
                 f"{len(found):,} random gradients")  # fmt: skip


def _of(quantiser: str) -> str:
    return f"{quantiser}: " if quantiser else ""
