"""What theory fixes about a quantiser beside what this trained model gives: the page's Check table."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dgm_core.checks import Check
from dgm_core.data.pixels import as_floats
from dgm_core.metrics.patch_baselines import constant_patches
from dgm_core.nn.quantiser_checks import (
    OUTPUTS,
    decoders_gradient,
    even_use,
    exhaustive_search,
    kl_to_uniform,
    running_means,
)
from dgm_core.nn.threads import alone
from dgm_core.nn.vector_quantiser import VectorQuantizer
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.training import held_out_figures


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
            exhaustive_search(quantiser, z), *decoders_gradient(quantiser, z, seed), *kl_to_uniform(quantiser, z),
            *even_use(quantiser, z),
        ]  # fmt: skip
        if isinstance(quantiser, VectorQuantizer) and quantiser.distance == "euclidean":
            found.append(running_means(quantiser, z))
        return [*found, no_further_than_it_reaches(model, z, seed), better_than_colours(model, train, test, seed)]


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
