"""What it takes to write the levels' maps down: H(top), H(lower | above), H(lower), each bounded by a law's bits.

A law's mean bits on maps that it has not seen are a cross-entropy, so an upper bound of the entropy (up to the standard
error). The difference of two such bounds, H(lower) − H(lower | above), is an estimate of the mutual information, no
bound: either law may be further from its entropy than the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_core.nn.code_bits import baseline_bits, bits_of, mean_and_error
from dgm_core.vqvae2.prior_law import Codes, HierarchicalLaw, level_names
from dgm_core.vqvae2.prior_maps import LayeredMaps

_BLOCK = 256


@dataclass(frozen=True, eq=False)
class LevelBits:
    """Bits of each image's maps.

    Args:
        told: by the laws that are told the codes above, (levels, M) float64; their sum over levels is the image's.
        alone: of the lower levels, by the laws that are told nothing, (levels − 1, M) float64.
    """

    told: Tensor
    alone: Tensor

    @property
    def saved(self) -> Tensor:
        """What each lower level's map gets cheaper once the codes above are known, image by image: (levels − 1, M)."""
        return self.alone - self.told[1:]


@torch.no_grad()
def level_bits(law: HierarchicalLaw, maps: Codes) -> LevelBits:
    """Bits of each image's maps, in blocks that bound the memory.

    Args:
        law: in evaluation mode.
        maps: (M, h, w) int64 of each level, top first.
    """
    told, alone = [], []
    for block in zip(*(level.split(_BLOCK) for level in maps), strict=True):
        told.append(law.log_prob(block))
        alone.append(law.alone_log_prob(block))
    return LevelBits(*(-torch.cat(parts, 1).double() / math.log(2) for parts in (told, alone)))


def told_others(law: HierarchicalLaw, maps: Codes, level: int, seed: int = 0) -> Tensor:
    """Bits of a level's maps when the maps above are another image's, drawn by a random shuffle: (M,) float64.

    A law that ignores what it is told loses nothing by this.
    """
    others = torch.randperm(len(maps[0]), generator=torch.Generator().manual_seed(seed)).to(maps[0].device)
    with torch.no_grad():
        return bits_of(law.law(level), maps[level], law.context(level, [maps[above][others] for above in range(level)]))


def bits_figures(law: HierarchicalLaw, maps: Codes) -> dict[str, float]:
    """Means over images, and standard errors.

    Returns:
        ``bits``, ``bits_error``, ``bits_per_code`` of an image's maps; for each level by name (top, middle, bottom)
        ``bits_NAME`` and ``bits_NAME_error``, and for each lower one also ``bits_NAME_alone`` by the law that is told
        nothing, ``bits_NAME_alone_error``, ``saved_NAME``, their difference, and ``saved_NAME_error``, of the
        difference image by image.
    """
    names, found = level_names(law.levels), level_bits(law, maps)
    mean, error = mean_and_error(found.told.sum(0))
    figures = {"bits": mean, "bits_error": error, "bits_per_code": mean / sum(law.lengths)}
    columns = {f"bits_{name}": values for name, values in zip(names, found.told, strict=True)}
    for name, alone, saved in zip(names[1:], found.alone, found.saved, strict=True):
        columns |= {f"bits_{name}_alone": alone, f"saved_{name}": saved}
    for name, values in columns.items():
        figures[name], figures[f"{name}_error"] = mean_and_error(values)
    return figures


def baselines(maps: LayeredMaps, law: HierarchicalLaw) -> dict[str, float]:
    """Of a held-out image's maps by no knowledge and by the training maps' histograms.

    Returns:
        ``bits_uniform``, ``bits_independent``, and for each level ``bits_NAME_uniform`` and ``bits_NAME_independent``.
    """
    figures: dict[str, float] = {"bits_uniform": 0.0, "bits_independent": 0.0}
    rows = zip(level_names(law.levels), maps.train, maps.test, law.codes, strict=True)
    for name, train, test, codes in rows:
        for kind, value in baseline_bits(train, test, codes).items():
            figures[kind] += value
            figures[kind.replace("bits_", f"bits_{name}_")] = value
    return figures
