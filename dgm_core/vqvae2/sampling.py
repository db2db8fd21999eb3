"""New images by algorithm 2 of Razavi et al. 2019: draw the top codes, then each lower level's given those above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_core.nn.code_model import Drawn
from dgm_core.vqvae2.prior_law import HierarchicalLaw


@dataclass(frozen=True, eq=False)
class DrawnHierarchy:
    """What was drawn, level by level, top first.

    Args:
        levels: codes, what they were drawn from, and log p of each map given those above it.
    """

    levels: tuple[Drawn, ...]

    @property
    def codes(self) -> tuple[Tensor, ...]:
        """(n, h, w) int64 of each level."""
        return tuple(level.codes for level in self.levels)

    @property
    def log_prob(self) -> Tensor:
        """log p of all codes of each image, in nats, (n,)."""
        return torch.stack([level.log_prob for level in self.levels]).sum(0)


@torch.no_grad()
def draw_hierarchy(
    law: HierarchicalLaw, n: int, *, temperature: float | Sequence[float] = 1.0, top_k: int | Sequence[int] = 0,
    generator: torch.Generator | None = None, given: Sequence[Tensor | None] | None = None, cached: bool = True,
    keep: bool = True,
) -> DrawnHierarchy:  # fmt: skip
    """Draw all levels' maps, top first.

    A level's noise does not depend on other levels' settings: with the same generator and a level frozen, the levels
    below it are drawn with the same noise as before.

    Args:
        law: in evaluation mode.
        n: images.
        temperature: one for all levels, or one a level, top first; 0 takes the likeliest code.
        top_k: only so many likeliest codes are drawn from, for all levels or for each; 0: all.
        generator: of the noise, on the CPU.
        given: for each level, top first, codes to keep where 0 or more, (h, w) or (n, h, w) int64, −1 is drawn; None
            for a level of which nothing is given. What is given counts for codes after it only: each law goes in raster
            order, and no level is drawn with a look at the ones below.
        cached: False runs the whole law for every code, for comparison.
        keep: whether to keep the probabilities.

    Raises:
        ValueError: for settings or given codes that do not fit.

    Example:
        >>> law = HierarchicalLaw((16, 16), ((2, 2), (4, 4)), width=8, depth=1)
        >>> [tuple(codes.shape) for codes in draw_hierarchy(law, 3, temperature=(0.5, 1.0)).codes]
        [(3, 2, 2), (3, 4, 4)]
    """
    temperatures, ks = per_level(temperature, law.levels), per_level(top_k, law.levels)
    wanted = list(given) if given is not None else [None] * law.levels
    if len(wanted) != law.levels:
        raise ValueError(f"Given codes are one map a level, {law.levels} in all; these are {len(wanted)}.")
    drawn: list[Drawn] = []
    for level in range(law.levels):
        context = law.context(level, [above.codes for above in drawn])
        drawn.append(
            law.law(level).draw(
                n, temperatures[level], generator, top_k=int(ks[level]), context=context, given=wanted[level],
                cached=cached, keep=keep,
            )
        )  # fmt: skip
    return DrawnHierarchy(tuple(drawn))


def per_level(values: float | Sequence[float], levels: int) -> list[float]:
    """One number for all levels, or one a level.

    Raises:
        ValueError: when there is another number of them.

    Example:
        >>> per_level(0.5, 2), per_level((0.5, 1.0), 2)
        ([0.5, 0.5], [0.5, 1.0])
    """
    found = [values] * levels if isinstance(values, int | float) else list(values)
    if len(found) != levels:
        raise ValueError(f"There are {levels} levels, and settings for {len(found)}.")
    return found
