"""PixelSNAIL: masks by gradient, sums over all maps, cached drawing, what attention adds to the convolutions."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor, nn
from torch.nn import functional as F

from dgm_core.nn import PixelCNN, PixelSNAIL
from dgm_core.nn.code_completion import complete

GRID = (3, 4)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def snail(codes: int = 6, grid: tuple[int, int] = GRID, context: int = 0, depth: int = 2, reach: int = 1) -> PixelSNAIL:
    """Every weight drawn anew, so that nothing is 0 by initialisation; in float64."""
    model = PixelSNAIL(codes, grid, width=8, depth=depth, reach=reach, heads=2, context=context).double()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4, generator=seeded(parameter.numel()))
    return model.eval()


def gradients(model: PixelSNAIL, maps: Tensor) -> Tensor:
    """max |∂ logits(t) / ∂ embedding(s)| by autograd: (L, L), row t, column s."""
    embedded = model.embed(maps).detach().requires_grad_(True)
    logits = model.logits_of(embedded).flatten(1, 2)[0]
    return torch.stack([
        torch.autograd.grad(logits[t].pow(2).sum(), embedded, retain_graph=True)[0][0].flatten(1).abs().amax(0)
        for t in range(model.length)
    ])  # fmt: skip


def test_the_law_sees_every_earlier_code_and_no_other() -> None:
    """Exactly 0 on and above the diagonal, not 0 anywhere below: convolutions of reach 1 alone would miss most."""
    found = gradients(snail(grid=(4, 5), depth=1), torch.randint(6, (1, 4, 5), generator=seeded()))
    assert float(found.triu().max()) == 0
    assert bool((found.tril(-1) + torch.ones_like(found).triu() > 0).all())


def test_changing_later_codes_changes_no_earlier_law() -> None:
    model, maps = snail(), torch.randint(6, (5, *GRID), generator=seeded(1))
    logits = model.logits(maps).flatten(1, 2)
    for t in (0, 1, 5, 11):
        other = maps.flatten(1).clone()
        other[:, t:] = torch.randint(6, (5, 12 - t), generator=seeded(2))
        found = model.logits(other.view_as(maps)).flatten(1, 2)
        assert torch.allclose(found[:, : t + 1], logits[:, : t + 1], atol=1e-12)


def test_a_small_law_sums_to_one_over_all_maps() -> None:
    """K = 3 on 2 × 2: all 81 maps, float64; 1e-9."""
    maps = torch.tensor(list(product(range(3), repeat=4))).view(-1, 2, 2)
    assert snail(3, (2, 2)).log_prob(maps).exp().sum().item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("context", [0, 3])
def test_the_cache_changes_nothing(context: int) -> None:
    """The same noise gives the same codes; probabilities to 1e-12, and log p along the path is that of one pass."""
    model = snail(context=context, depth=3)
    features = torch.randn(9, context, *GRID, generator=seeded(3), dtype=torch.float64) if context else None
    cached, whole = (
        model.draw(9, 0.8, seeded(4), top_k=4, context=features, cached=way) for way in (True, False)
    )  # fmt: skip
    assert torch.equal(cached.codes, whole.codes)
    assert cached.probabilities is not None
    assert torch.allclose(cached.probabilities, whole.probabilities, atol=1e-12)  # type: ignore[arg-type]
    assert torch.allclose(cached.log_prob, model.log_prob(cached.codes, features).detach(), atol=1e-9)


def test_samples_have_the_laws_frequencies() -> None:
    """K = 2 on 1 × 3: χ² of 4,000 samples against the 8 exact probabilities; fails once in 10,000."""
    model = snail(2, (1, 3))
    maps = torch.tensor(list(product(range(2), repeat=3)))
    chances = model.log_prob(maps.view(-1, 1, 3)).exp().detach()
    drawn = model.sample(4000, generator=seeded(5)).view(-1, 3)
    counts = torch.bincount(drawn @ torch.tensor([4, 2, 1]), minlength=8)
    assert chisquare(counts.numpy(), 4000 * (chances / chances.sum()).numpy()).pvalue > 1e-4


def test_completion_goes_on_with_the_right_rows() -> None:
    """K = 2 on 1 × 4, the last code given: 2,000 particles against p(c | c_4) by enumeration; within 0.05."""
    model = snail(2, (1, 4), context=2)
    feature = torch.randn(1, 2, 1, 4, generator=seeded(6), dtype=torch.float64)
    maps = torch.tensor(list(product(range(2), repeat=3)))
    whole = torch.cat([maps, torch.ones(8, 1, dtype=torch.long)], 1).view(-1, 1, 4)
    joint = model.log_prob(whole, feature.expand(8, -1, -1, -1)).detach().exp()
    found = complete(model, torch.tensor([[-1, -1, -1, 1]]), 2000, particles=2000, generator=seeded(7), context=feature)
    counts = torch.bincount(found.codes.view(-1, 4)[:, :3] @ torch.tensor([4, 2, 1]), minlength=8) / 2000
    assert torch.allclose(counts.double(), joint / joint.sum(), atol=0.05)


def test_it_starts_as_its_pixelcnn_and_uniform() -> None:
    """The same seed draws the same convolutions; whatever the head is, the two agree to rounding."""
    plain = PixelCNN(6, GRID, width=8, depth=2, generator=seeded(8))
    model = PixelSNAIL(6, GRID, width=8, depth=2, heads=2, generator=seeded(8))
    maps = torch.randint(6, (3, *GRID), generator=seeded(9))
    assert torch.allclose(model.logits(maps), torch.zeros(3, *GRID, 6))
    for each in (plain, model):
        last = each.head[-1]
        assert isinstance(last, nn.Conv2d)
        nn.init.normal_(last.weight, generator=seeded(10))
    assert torch.allclose(model.logits(maps), plain.logits(maps), atol=1e-5)


def copying(model: PixelCNN, steps: int = 110) -> float:
    """Nats a code of the last row of 5 × 6 maps whose last row repeats the first and whose middle is noise."""
    generator = seeded(11)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(steps):
        maps = torch.randint(4, (32, 5, 6), generator=generator)
        maps[:, 4] = maps[:, 0]
        nats = F.cross_entropy(model.logits(maps)[:, 4].flatten(0, 1), maps[:, 4].flatten())
        optimiser.zero_grad()
        nats.backward()
        optimiser.step()
    return float(nats.detach())


def test_attention_carries_what_convolutions_cannot_reach() -> None:
    """The last row copies the first, 4 rows up; two layers of reach 1 see 3 rows up, so they stay at log 4 = 1.386."""
    torch.set_num_threads(1)
    far = copying(PixelSNAIL(4, (5, 6), width=16, depth=2, reach=1, heads=2, generator=seeded(12)))
    near = copying(PixelCNN(4, (5, 6), width=16, depth=2, reach=1, generator=seeded(12)))
    assert near > 1.3
    assert far < 0.5


def test_heads_must_share_the_width() -> None:
    with pytest.raises(ValueError, match="A width of 10 is not shared out among 4 heads"):
        PixelSNAIL(4, GRID, width=10)
