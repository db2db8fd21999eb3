"""What theory fixes about the laws of a hierarchy's code maps beside what these trained ones give."""

from __future__ import annotations

import math

import torch

from dgm_core.checks import Check
from dgm_core.nn.code_bits import mean_and_error
from dgm_core.nn.code_checks import nothing_later, same_codes_without_cache, sums_to_one
from dgm_core.nn.threads import alone
from dgm_core.vqvae2.prior_bits import LevelBits, baselines, level_bits, told_others
from dgm_core.vqvae2.prior_law import HierarchicalLaw, level_names
from dgm_core.vqvae2.prior_maps import LayeredMaps
from dgm_core.vqvae2.sampling import draw_hierarchy

DRAWN = 16
"""Images that are drawn."""
MOST = 500
"""Held-out images whose bits are measured."""


def prior_checks(law: HierarchicalLaw, maps: LayeredMaps, seed: int = 0) -> list[Check]:
    """All checks, in the page's order.

    Args:
        law: trained, in evaluation mode.
        maps: held out and learned from.
        seed: of what is drawn and shuffled.
    """
    held_out = LayeredMaps(maps.train, tuple(level[:MOST] for level in maps.test))
    with alone(), torch.no_grad():
        bits = level_bits(law, held_out.test)
        return [
            *each_law(law, held_out, seed),
            path_and_teacher(law, seed),
            *telling_saves(law, bits),
            *own_and_others(law, held_out, bits, seed),
            *bounds(law, held_out, bits),
        ]


def each_law(law: HierarchicalLaw, maps: LayeredMaps, seed: int) -> list[Check]:
    """Level by level, told the codes of held-out images: cache, masks by gradient, and probabilities that sum to 1."""
    lines: list[Check] = []
    some = [level[:DRAWN] for level in maps.test]
    for level, name in enumerate(level_names(law.levels)):
        model, context = law.law(level), law.context(level, some)
        lines.append(same_codes_without_cache(model, len(some[0]), seed, context, name))
        with torch.enable_grad():
            lines += nothing_later(model, some[level], context, name)
        lines.append(sums_to_one(model, some[level], context, name))
    return lines


def path_and_teacher(law: HierarchicalLaw, seed: int) -> Check:
    """−log₂ p summed along the paths of all levels against one pass over the finished maps."""
    drawn = draw_hierarchy(law, DRAWN, generator=torch.Generator().manual_seed(seed), keep=False)
    path, teacher = (-value / math.log(2) for value in (drawn.log_prob, law.log_prob(drawn.codes).sum(0)))
    apart, slack = float((path - teacher).abs().max()), 1e-4 * max(1.0, float(teacher.max()))
    return Check(
        "bits along a sampled path through all levels, by teacher forcing: largest difference", apart, 0.0, slack,
        "at most", "bits", r"$\log p(c) = \sum_\ell \log p(c_\ell \mid c_{<\ell})$", f"{DRAWN} images",
    )  # fmt: skip


def telling_saves(law: HierarchicalLaw, bits: LevelBits) -> list[Check]:
    """H(lower | above) ≤ H(lower), both as bounded by their laws; four errors of the difference, image by image."""
    lines = []
    for name, told, alone_, saved in zip(
        level_names(law.levels)[1:], bits.told[1:], bits.alone, bits.saved, strict=True
    ):
        (mean, _), (bare, _), (gain, error) = (mean_and_error(column) for column in (told, alone_, saved))
        lines.append(
            Check(f"{name}: bits told the codes above, and told nothing", mean, bare, 4 * error, "at most", "bits",
                  r"$H(A \mid B) \leq H(A)$", f"saves {gain:.1f} ± {error:.1f}; both bound an entropy from above")
        )  # fmt: skip
    return lines


def own_and_others(law: HierarchicalLaw, maps: LayeredMaps, bits: LevelBits, seed: int) -> list[Check]:
    """A lower level's bits with the codes above of its own image, and with those of another one."""
    lines = []
    for level, name in list(enumerate(level_names(law.levels)))[1:]:
        others = told_others(law, maps.test, level, seed)
        (own, _), (mixed, _) = mean_and_error(bits.told[level]), mean_and_error(others)
        gap, error = mean_and_error(others - bits.told[level])
        lines.append(
            Check(f"{name}: bits told its own codes above, and told another image's", own, mixed, 0.0, "at most",
                  "bits", "what is told is used", f"{gap:.1f} ± {error:.1f} more")
        )  # fmt: skip
    return lines


def bounds(law: HierarchicalLaw, maps: LayeredMaps, bits: LevelBits) -> list[Check]:
    """Uniform codes cost Σ h w log₂ K exactly; no law is expected to cost more than histograms do."""
    mean, error = mean_and_error(bits.told.sum(0))
    base = baselines(maps, law)
    sizes = " + ".join(f"{h} · {w} · log₂ {codes}" for (h, w), codes in zip(law.grids, law.codes, strict=True))
    images = f"± {error:.1f}, {len(maps.test[0]):,} images"
    return [
        Check("bits of a held-out image, by these laws and by uniform ones", mean, base["bits_uniform"], 4 * error,
              "at most", "bits", r"$\sum_\ell h_\ell w_\ell \log_2 K_\ell$", sizes),
        Check("bits of a held-out image, by these laws and by histograms", mean, base["bits_independent"], 4 * error,
              "at most", "bits", "what codes tell of each other", images),
    ]  # fmt: skip
