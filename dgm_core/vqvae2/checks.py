"""What theory fixes about a hierarchy of codes beside what this trained model gives: the page's Check table."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor

from dgm_core.checks import Check
from dgm_core.data.pixels import as_floats
from dgm_core.metrics.patch_baselines import constant_patches
from dgm_core.nn.quantiser_checks import (
    OUTPUTS,
    decoders_gradient,
    exhaustive_search,
    kl_to_uniform,
    running_means,
)
from dgm_core.nn.threads import alone
from dgm_core.vqvae2.levels import changed_share
from dgm_core.vqvae2.model import HierarchicalAutoencoder
from dgm_core.vqvae2.training import held_out_figures, level_bits

NAMES = {2: ("top", "bottom"), 3: ("top", "middle", "bottom")}
"""What levels are called, by their number."""
LOOKED_AT = 128
"""Images of what is looked at one by one."""
_PAPER = "Razavi et al. 2019, section 3.1"


def hierarchy_checks(model: HierarchicalAutoencoder, train: Tensor, test: Tensor, seed: int = 0) -> list[Check]:
    """All checks, in the page's order.

    Args:
        model: trained.
        train: images to learn from, (N, C, H, W) uint8.
        test: held-out images, (M, C, H, W) uint8.
        seed: of what is drawn.
    """
    few = test[: -(-OUTPUTS // math.prod(model.grids[0]))]
    with alone():
        with torch.no_grad():
            vectors, _ = model(as_floats(few[:LOOKED_AT]))
        names = NAMES[model.levels]
        figures, _ = held_out_figures(model, test)
        each = [(model.quantiser(level), vectors[level], name) for level, name in enumerate(names)]
        return [
            *(exhaustive_search(quantiser, z, name) for quantiser, z, name in each),
            *(check for quantiser, z, name in each for check in decoders_gradient(quantiser, z, seed, name)),
            *(check for quantiser, z, name in each for check in kl_to_uniform(quantiser, z, name)),
            *(running_means(quantiser, z, name) for quantiser, z, name in each),
            *rising(model, figures),
            *under_the_uniform_bits(model, figures),
            *lower_codes_know_the_upper(model, test, seed),
            *decoder_sees_each_level(model, test),
            better_than_colours(model, figures, train, test, seed),
        ]  # fmt: skip


def rising(model: HierarchicalAutoencoder, figures: Mapping[str, float]) -> list[Check]:
    """The PSNR from fewer levels ≤ that from one more: no theorem, but what the lower levels are for.

    Args:
        model: trained.
        figures: see `held_out_figures`.
    """
    names, bits = NAMES[model.levels], level_bits(model)
    return [
        Check(f"PSNR without the {names[k]}, and with it", figures[f"psnr_{k}"], figures[f"psnr_{k + 1}"], 0.0,
              "at most", "dB", _PAPER, f"for {bits[k]:,.0f} bits more")
        for k in range(1, model.levels)
    ]  # fmt: skip


def under_the_uniform_bits(model: HierarchicalAutoencoder, figures: Mapping[str, float]) -> list[Check]:
    """h w H of the histogram of a level's codes ≤ h w log₂ K; exp H is the perplexity. Arguments as above."""
    found = []
    for level, (name, (height, width)) in enumerate(zip(NAMES[model.levels], model.grids, strict=True), start=1):
        entropy, uniform = height * width * math.log2(figures[f"perplexity_{level}"]), figures[f"bits_{level}"]
        found.append(Check(f"{name}: bits by how often each code occurs, by a uniform law", entropy, uniform,
                           1e-9 * uniform, "at most", "bits", "H ≤ log₂ K"))  # fmt: skip
    return found


def lower_codes_know_the_upper(model: HierarchicalAutoencoder, test: Tensor, seed: int) -> list[Check]:
    """The same images encoded again with other images' upper codes above: lower codes must change.

    An encoder that does not tell its lower levels of the upper ones gives exactly 0. At least one code in a thousand
    is asked for here, the note says how many it were.
    """
    x = as_floats(test[:LOOKED_AT])
    codes, names = model.codes(x), NAMES[model.levels]
    turn = 1 + int(torch.randint(max(1, len(x) - 1), (), generator=torch.Generator().manual_seed(seed)))
    found = []
    for level in range(1, model.levels):
        others = [maps.roll(turn, 0) for maps in codes[:level]]
        share, name = float(changed_share([model.codes(x, others)[level]], [codes[level]]).mean()), names[level]
        found.append(Check(
            f"{name}: share of codes that stay when the levels above are another image's", 1 - share, 0.999,
            0.0, "at most", "", f"{_PAPER}: E({name}) is given what is above", f"{100 * share:.0f} % change",
        ))  # fmt: skip
    return found


def decoder_sees_each_level(model: HierarchicalAutoencoder, test: Tensor) -> list[Check]:
    """Two independent ways to one number: ∂ Σ x̂ w / ∂ e of a level along a direction, by autograd and by differences.

    In float64; a decoder that does not look at the level gives 0 by both, so the smaller of the two must not vanish.
    """
    codes = model.codes(as_floats(test[:4]))
    generator = torch.Generator().manual_seed(0)
    values = [vectors.detach().double().requires_grad_(True) for vectors in model.looked_up(codes)]
    decoder = copy.deepcopy(model).double()
    with torch.enable_grad():
        decoded = decoder.decode(values)
        weights = torch.randn(decoded.shape, generator=generator, dtype=torch.float64)
        gradients = torch.autograd.grad((decoded * weights).sum(), values)
    found, step = [], 1e-6
    for level, gradient in enumerate(gradients):
        direction = gradient / gradient.norm().clamp_min(1e-300)
        along = [step * direction if other == level else torch.zeros_like(e) for other, e in enumerate(values)]
        ends = [decoder.decode([e + sign * d for e, d in zip(values, along, strict=True)]).detach() for sign in (1, -1)]
        slope, norm = float(((ends[0] - ends[1]) * weights).sum()) / (2 * step), float(gradient.norm())
        # A slope of 0 must not pass as equal to a gradient of 0.
        slack = 1e-3 * norm if norm > 1e-6 else -1.0
        found.append(Check(
            f"{NAMES[model.levels][level]}: slope of the picture along this level's codes, by differences", slope, norm,
            slack, "tolerance", "", f"{_PAPER}: the decoder sees all levels", "autograd's length of the gradient",
        ))  # fmt: skip
    return found


def better_than_colours(
    model: HierarchicalAutoencoder, figures: Mapping[str, float], train: Tensor, test: Tensor, seed: int
) -> Check:  # fmt: skip
    """The best constant colours of the bottom's patches, at the rate of all levels ≤ this model.

    A patch of the bottom then costs (Σ_l h_l w_l log₂ K) / (h w) bits, which is the logarithm of more colours than the
    bottom has codes; the next power of two above is taken, and no more colours than k-means can learn.
    """
    bits, places = sum(level_bits(model)), math.prod(model.grids[-1])
    colours = 2 ** min(math.ceil(bits / places), 12)
    flat = constant_patches(train, test, model.patch, colours, seed)
    return Check(
        "PSNR of the best constant patches, of this model", flat, figures[f"psnr_{model.levels}"], 0.0, "at most",
        "dB", "at least the same rate", f"{bits:,.0f} bits an image; {places * math.log2(colours):,.0f} of patches",
    )  # fmt: skip
