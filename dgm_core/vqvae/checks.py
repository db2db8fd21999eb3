"""What theory fixes about a quantiser beside what this trained model gives: the page's Check table."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor

from dgm_core.checks import Check
from dgm_core.data.pixels import as_floats
from dgm_core.metrics.patch_baselines import constant_patches
from dgm_core.nn.code_usage import code_counts, perplexity
from dgm_core.nn.quantiser_checks import OUTPUTS, exhaustive_search, kl_to_uniform
from dgm_core.nn.threads import alone
from dgm_core.nn.vector_quantiser import VectorQuantizer
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.training import held_out_figures

BATCHES = 10
"""Batches of the running means' check."""


def codebook_checks(model: QuantisedAutoencoder, train: Tensor, test: Tensor, seed: int = 0) -> list[Check]:
    """All checks, in the page's order.

    Args:
        model: trained.
        train: images to learn from, (N, C, H, W) uint8.
        test: held-out images, (M, C, H, W) uint8.
        seed: of what is drawn.
    """
    quantiser = model.quantiser
    with alone():
        with torch.no_grad():
            z = model.encode(as_floats(test[: -(-OUTPUTS // math.prod(model.grid))]))
        found = [
            exhaustive_search(quantiser, z), *decoders_gradient(model, z, seed), *kl_to_uniform(quantiser, z),
            *even_use(model, z),
        ]  # fmt: skip
        if isinstance(quantiser, VectorQuantizer) and quantiser.distance == "euclidean":
            found.append(running_means(quantiser, z))
        return [*found, no_further_than_it_reaches(model, z, seed), better_than_colours(model, train, test, seed)]


def decoders_gradient(model: QuantisedAutoencoder, z: Tensor, seed: int) -> list[Check]:
    """What arrives at z of a gradient g at the code: g itself, times the slope of what is done to z before.

    The rotation turns g, but keeps its part along the vector, scaled; with codes of length 1 that part is taken away.
    g is drawn at random, so the check is of the quantiser, whatever the decoder is.
    """
    quantiser = model.quantiser
    leaf = z.reshape(-1, quantiser.dimension)[:512].detach().requires_grad_(True)
    g = torch.randn(leaf.shape, generator=torch.Generator().manual_seed(seed)).to(leaf)
    q = quantiser(leaf).values
    arrived = torch.autograd.grad(q, leaf, g)[0]
    if not isinstance(quantiser, VectorQuantizer) or quantiser.gradient == "straight-through":
        expected = torch.autograd.grad(quantiser.compared(leaf), leaf, g)[0]
        return [_equal("gradient at $z_e$, of the decoder at $z_q$", arrived, expected,
                       "van den Oord et al. 2017, section 3.2")]  # fmt: skip
    if quantiser.distance == "cosine":
        return []
    along_z = (arrived * leaf.detach()).sum(-1) / leaf.detach().norm(dim=-1)
    along_q = (g * q.detach()).sum(-1) / leaf.detach().norm(dim=-1)
    return [_equal(r"gradient along $z_e$, $\|q\|/\|z\|$ times the decoder's along $z_q$", along_z, along_q,
                   "Fifty et al. 2024, section 4")]  # fmt: skip


def even_use(model: QuantisedAutoencoder, z: Tensor) -> list[Check]:
    """Perplexity of every code once is K; over the outputs it is at most K, and at most the outputs' number."""
    codes = model.quantiser.codes
    chosen = model.quantiser.nearest(z)
    most = min(codes, chosen.numel())
    return [
        Check("perplexity of an even use", perplexity(torch.ones(codes)), codes, 1e-6 * codes, "tolerance", "codes",
              "exp H of a uniform law"),
        Check("perplexity over these images", perplexity(code_counts(chosen, codes)), most, 1e-6 * most, "at most",
              "codes", "H is at most log K", f"{chosen.numel():,} outputs"),
    ]  # fmt: skip


def running_means(quantiser: VectorQuantizer, z: Tensor) -> Check:
    """A copy that wins the same outputs again and again: e = (γⁿ N₀ e₀ + (1 − γⁿ) Σz) / (γⁿ N₀ + (1 − γⁿ) n).

    Codes trained by the loss are moved by means too, for this check.
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
        "running means of what codes win, largest error", apart, 0.0, 1e-9, "at most", "",
        "van den Oord et al. 2017, appendix A.1", f"{int(won.sum()):,} codes, {BATCHES} batches, float64",
    )  # fmt: skip


def no_further_than_it_reaches(model: QuantisedAutoencoder, z: Tensor, seed: int) -> Check:
    """One code of each map replaced by chance: pixels beyond the decoder's reach stay as they are, to the last bit."""
    codes = model.quantiser.nearest(z)[:8]
    generator = torch.Generator().manual_seed(seed)
    rows, columns = (torch.randint(side, (len(codes),), generator=generator) for side in model.grid)
    edited, each = codes.clone(), torch.arange(len(codes))
    edited[each, rows, columns] = (codes[each, rows, columns] + 1) % model.quantiser.codes
    changed = (model.decode_codes(codes) - model.decode_codes(edited)).abs().amax(1)
    down, across = (torch.arange(side * model.patch) // model.patch for side in model.grid)
    far = ((down[None] - rows[:, None]).abs() > model.reach)[:, :, None] | (
        (across[None] - columns[:, None]).abs() > model.reach
    )[:, None, :]
    note = f"{int(far.sum()):,} pixels further than {model.reach} codes away"
    return Check("change far from a repainted code", float((changed * far).max()), 0.0, 1e-6, "at most", "",
                 "the decoder's 3 × 3 convolutions", note)  # fmt: skip


def better_than_colours(model: QuantisedAutoencoder, train: Tensor, test: Tensor, seed: int) -> Check:
    """The best constant colours at the same rate ≤ this model: no theorem, but what a network is for."""
    figures, _ = held_out_figures(model, test)
    colours = constant_patches(train, test, model.patch, model.quantiser.codes, seed)
    bits = math.prod(model.grid) * math.log2(model.quantiser.codes)
    return Check(
        "PSNR of the best constant patches, of this model", colours, figures["psnr"], 0.0, "at most", "dB",
        "the same rate", f"{bits:,.0f} bits an image",
    )  # fmt: skip


def _equal(name: str, found: Tensor, expected: Tensor, source: str) -> Check:
    """The largest difference, 1e-5 of the largest value allowed."""
    apart, size = float((found - expected).abs().max()), float(expected.abs().max())
    return Check(f"{name}, largest difference", apart, 0.0, 1e-5 * size, "at most", "", source,
                 f"{len(found):,} random gradients")  # fmt: skip
