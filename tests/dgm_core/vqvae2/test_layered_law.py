"""The law of several levels' maps: sums over all maps, caches, masks, what is told and what is not, drawing."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor, nn

from dgm_core.vqvae2.prior_law import Above, HierarchicalLaw
from dgm_core.vqvae2.sampling import draw_hierarchy

SMALL = ((1, 1), (2, 2))
TWO, THREE = ((2, 3), (4, 6)), ((1, 2), (2, 4), (4, 8))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def lively(grids: tuple[tuple[int, int], ...], codes: int = 5, spread: float = 0.3) -> HierarchicalLaw:
    """Every weight drawn anew, so that nothing is 0 by initialisation; in float64."""
    law = HierarchicalLaw([codes] * len(grids), grids, width=8, depth=2, reach=1).double()
    for parameter in law.parameters():
        nn.init.normal_(parameter, std=spread, generator=seeded(parameter.numel()))
    return law.eval()


def random_maps(grids: tuple[tuple[int, int], ...], n: int, codes: int = 5, seed: int = 1) -> list[Tensor]:
    generator = seeded(seed)
    return [torch.randint(codes, (n, *grid), generator=generator) for grid in grids]


def every_map() -> list[Tensor]:
    """All 32 pairs of a 1 × 1 and a 2 × 2 map of two codes."""
    rows = torch.tensor(list(product(range(2), repeat=5)))
    return [rows[:, :1].view(-1, 1, 1), rows[:, 1:].view(-1, 2, 2)]


def test_all_maps_of_all_levels_sum_to_one() -> None:
    """K = 2 on 1 × 1 and 2 × 2: 32 joint maps, float64; 1e-9. Told nothing, the 16 lower maps sum to one too."""
    law, maps = lively(SMALL, codes=2), every_map()
    assert law.log_prob(maps).sum(0).exp().sum().item() == pytest.approx(1, abs=1e-9)
    assert law.alone_log_prob(maps)[0, :16].exp().sum().item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("grids", [TWO, THREE])
def test_it_starts_uniform(grids: tuple[tuple[int, int], ...]) -> None:
    """Σ h w ln K, level by level, whatever the maps are; float32, 1e-4."""
    law, maps = HierarchicalLaw([5] * len(grids), grids, width=8, depth=1), random_maps(grids, 3)
    expected = torch.tensor([[-h * w * math.log(5)] * 3 for h, w in grids])
    assert torch.allclose(law.log_prob(maps), expected, atol=1e-4)
    assert torch.allclose(law.alone_log_prob(maps), expected[1:], atol=1e-4)


@pytest.mark.parametrize("grids", [TWO, THREE])
def test_a_level_is_told_of_those_above_and_of_no_other(grids: tuple[tuple[int, int], ...]) -> None:
    """Another map at level j changes log p at the levels below j only; the laws told nothing change at j only."""
    law, maps = lively(grids), random_maps(grids, 4)
    told, alone = law.log_prob(maps), law.alone_log_prob(maps)
    for level in range(len(grids)):
        other = list(maps)
        other[level] = (maps[level] + 1) % 5
        changed = (law.log_prob(other) != told).all(1)
        assert changed.tolist() == [below >= level for below in range(len(grids))]
        changed = (law.alone_log_prob(other) != alone).all(1)
        assert changed.tolist() == [below == level for below in range(1, len(grids))]


def test_each_place_is_told_by_the_code_above_it_and_no_later_code_leaks() -> None:
    """Gradients of the bottom's logits: exactly 0 at its own and later codes, not 0 at the top code over the place."""
    law, maps = lively(TWO), random_maps(TWO, 1)
    bottom, above = law.law(1), law.above[0]
    assert isinstance(above, Above)
    embedding = above.embeddings[0]
    top = embedding(maps[0]).detach().requires_grad_(True)
    own = bottom.embed(maps[1]).detach().requires_grad_(True)  # type: ignore[operator]
    logits = bottom.logits_of(own, above.stacks[0](top.permute(0, 3, 1, 2)))[0]  # type: ignore[operator]
    for row, column in product(range(4), range(6)):
        by_own, by_top = torch.autograd.grad(logits[row, column].square().sum(), (own, top), retain_graph=True)
        assert float(by_own[0].flatten(1)[:, row * 6 + column :].abs().max()) == 0
        assert float(by_top[0, row // 2, column // 2].abs().max()) > 0


@pytest.mark.parametrize("grids", [TWO, THREE])
def test_the_cache_changes_nothing_at_any_level(grids: tuple[tuple[int, int], ...]) -> None:
    """Same noise, same codes; log p along the paths is that of one pass, to 1e-9."""
    law = lively(grids)
    temperatures = [0.6, 1.0, 1.3][: len(grids)]
    cached, whole = (
        draw_hierarchy(law, 7, temperature=temperatures, top_k=[4] * len(grids), generator=seeded(2), cached=way)
        for way in (True, False)
    )
    for one, other in zip(cached.levels, whole.levels, strict=True):
        assert torch.equal(one.codes, other.codes)
        assert torch.allclose(one.probabilities, other.probabilities, atol=1e-12)  # type: ignore[arg-type]
    assert torch.allclose(cached.log_prob, law.log_prob(cached.codes).sum(0).detach(), atol=1e-9)


def test_samples_have_the_joint_laws_frequencies() -> None:
    """χ² of 8,000 samples against 32 exact probabilities; fails once in 10,000."""
    law, maps = lively(SMALL, codes=2), every_map()
    chances = law.log_prob(maps).sum(0).exp().detach()
    drawn = draw_hierarchy(law, 8000, generator=seeded(3), keep=False).codes
    rows = torch.cat([codes.flatten(1) for codes in drawn], 1)
    counts = torch.bincount(rows @ torch.tensor([16, 8, 4, 2, 1]), minlength=32)
    assert chisquare(counts.numpy(), 8000 * (chances / chances.sum()).numpy()).pvalue > 1e-4


def test_a_frozen_top_keeps_the_noise_of_the_levels_below() -> None:
    """Freezing what was drawn anyway changes nothing; freezing another top changes that level and leaves its noise."""
    law = lively(TWO)
    free = draw_hierarchy(law, 5, generator=seeded(4)).codes
    again = draw_hierarchy(law, 5, generator=seeded(4), given=[free[0], None]).codes
    assert all(torch.equal(one, other) for one, other in zip(free, again, strict=True))
    shared = draw_hierarchy(law, 5, generator=seeded(5), given=[free[0][0], None]).codes
    assert torch.equal(shared[0], free[0][:1].expand(5, -1, -1))
    assert len(shared[1].unique(dim=0)) == 5


def test_given_codes_of_a_lower_level_stay() -> None:
    law, given = lively(THREE), torch.full((4, 8), -1)
    given[:2] = 3
    drawn = draw_hierarchy(law, 3, generator=seeded(6), given=[None, None, given]).codes
    assert bool((drawn[2][:, :2] == 3).all())
    assert len(drawn[2][:, 2:].unique()) > 1


def test_temperature_zero_is_the_same_for_any_noise() -> None:
    law = lively(TWO)
    one, other = (draw_hierarchy(law, 2, temperature=0.0, generator=seeded(seed)).codes for seed in (7, 8))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    mixed = draw_hierarchy(law, 6, temperature=(0.0, 1.0), generator=seeded(7)).codes
    assert len(mixed[0].unique(dim=0)) == 1
    assert len(mixed[1].unique(dim=0)) > 1


def test_what_does_not_fit_is_told() -> None:
    law = lively(TWO)
    with pytest.raises(ValueError, match="There are 2 levels, and settings for 3"):
        draw_hierarchy(law, 1, temperature=[1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="Given codes are one map a level, 2 in all; these are 1"):
        draw_hierarchy(law, 1, given=[None])
    with pytest.raises(ValueError, match="A temperature is 0 or more"):
        draw_hierarchy(law, 1, temperature=(1.0, -1.0))
    with pytest.raises(ValueError, match="A grid of 4 × 5 codes is no whole multiple of 2 × 2"):
        HierarchicalLaw((4, 4), ((2, 2), (4, 5)), width=8, depth=1)
