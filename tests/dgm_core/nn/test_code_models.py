"""Laws of code maps: nothing depends on later codes, caches change nothing, small ones sum to one over all maps."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import Tensor, nn

from dgm_core.nn import CausalTransformer, PixelCNN
from dgm_core.nn.code_completion import complete, systematic
from dgm_core.nn.code_model import CodeModel, by_inversion, sharpened
from dgm_core.nn.memoryless import Memoryless

GRID = (3, 4)
Make = Callable[..., CodeModel]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def lively(model: CodeModel, spread: float = 0.4) -> CodeModel:
    """Every weight drawn anew, so that nothing is 0 by initialisation; in float64."""
    for parameter in model.double().parameters():
        nn.init.normal_(parameter, std=spread, generator=seeded(parameter.numel()))
    return model.eval()


def transformer(codes: int = 6, grid: tuple[int, int] = GRID, context: int = 0) -> CodeModel:
    return lively(CausalTransformer(codes, grid, width=16, depth=2, heads=2, context=context))


def pixelcnn(
    codes: int = 6, grid: tuple[int, int] = GRID, context: int = 0, depth: int = 3, reach: int = 1
) -> CodeModel:
    return lively(PixelCNN(codes, grid, width=8, depth=depth, reach=reach, context=context))


def shallow(codes: int = 6, grid: tuple[int, int] = GRID, context: int = 0) -> CodeModel:
    return pixelcnn(codes, grid, context, depth=1, reach=3)


MODELS = pytest.mark.parametrize("make", [transformer, pixelcnn, shallow])


def gradients(model: CodeModel, maps: Tensor) -> Tensor:
    """max |∂ logits(t) / ∂ embedding(s)| by autograd: (L, L), row t, column s."""
    assert isinstance(model, PixelCNN | CausalTransformer)
    embedded = model.embed(maps).detach().requires_grad_(True)
    logits = model.logits_of(embedded).flatten(1, 2)[0]
    rows = []
    for t in range(model.length):
        found = torch.autograd.grad(logits[t].pow(2).sum(), embedded, retain_graph=True)[0][0]
        rows.append((found.flatten(1).T if isinstance(model, PixelCNN) else found).abs().amax(1))
    return torch.stack(rows)


@MODELS
def test_no_law_depends_on_its_own_or_a_later_code(make: Make) -> None:
    """Exactly 0 on and above the diagonal."""
    found = gradients(make(), torch.randint(6, (1, *GRID), generator=seeded()))
    assert float(found.triu().max()) == 0


def test_the_transformer_sees_every_earlier_code() -> None:
    found = gradients(transformer(), torch.randint(6, (1, *GRID), generator=seeded()))
    assert bool((found.tril(-1) + torch.ones_like(found).triu() > 0).all())


def test_the_pixelcnn_has_no_blind_spot() -> None:
    """Three layers of reach 1 on 5 × 5: all codes above within reach, also those up and to the right, and all left."""
    model = pixelcnn(grid=(5, 5), depth=5)
    found = gradients(model, torch.randint(6, (1, 5, 5), generator=seeded()))
    middle = found[12].view(5, 5)  # row 2, column 2
    assert bool((middle[:2] > 0).all())
    assert bool((middle[2, :2] > 0).all())


@MODELS
def test_changing_later_codes_changes_no_earlier_law(make: Make) -> None:
    """Logits themselves, on a batch: the first t laws are those of the map with everything after t replaced."""
    model, maps = make(), torch.randint(6, (5, *GRID), generator=seeded(1))
    logits = model.logits(maps).flatten(1, 2)
    for t in (0, 1, 5, 11):
        other = maps.flatten(1).clone()
        other[:, t:] = torch.randint(6, (5, 12 - t), generator=seeded(2))
        assert torch.equal(model.logits(other.view_as(maps)).flatten(1, 2)[:, : t + 1], logits[:, : t + 1])


@pytest.mark.parametrize("make", [transformer, pixelcnn, shallow, Memoryless])
def test_a_small_law_sums_to_one_over_all_maps(make: Make) -> None:
    """K = 3 on 2 × 2: all 81 maps, float64; 1e-9."""
    model = make(3, (2, 2)).double()
    if isinstance(model, Memoryless):
        model.count(torch.tensor([0, 0, 1, 2]))
    maps = torch.tensor(list(product(range(3), repeat=4))).view(-1, 2, 2)
    assert model.log_prob(maps).exp().sum().item() == pytest.approx(1, abs=1e-9)


@MODELS
@pytest.mark.parametrize("context", [0, 3])
def test_the_cache_changes_nothing(make: Make, context: int) -> None:
    """The same noise gives the same codes; probabilities to 1e-12, and log p along the path is that of one pass."""
    model = make(context=context)
    features = torch.randn(9, context, *GRID, generator=seeded(3), dtype=torch.float64) if context else None
    cached, whole = (
        model.draw(9, 0.8, seeded(4), top_k=4, context=features, cached=way) for way in (True, False)
    )  # fmt: skip
    assert torch.equal(cached.codes, whole.codes)
    assert cached.probabilities is not None
    assert torch.allclose(cached.probabilities, whole.probabilities, atol=1e-12)  # type: ignore[arg-type]
    assert torch.allclose(cached.log_prob, model.log_prob(cached.codes, features).detach(), atol=1e-9)


def test_a_context_is_asked_for_and_used() -> None:
    for make in (transformer, pixelcnn):
        model, maps = make(context=2), torch.zeros(2, *GRID, dtype=torch.long)
        with pytest.raises(ValueError, match="needs a context of 2 channels"):
            model.log_prob(maps)
        one, other = (model.log_prob(maps, torch.full((2, 2, *GRID), v, dtype=torch.float64)) for v in (0.0, 1.0))
        assert not torch.allclose(one, other)


@MODELS
def test_samples_have_the_laws_frequencies(make: Make) -> None:
    """K = 2 on 1 × 3: χ² of 4,000 samples against the 8 exact probabilities; fails once in 10,000."""
    model = make(2, (1, 3))
    maps = torch.tensor(list(product(range(2), repeat=3)))
    chances = model.log_prob(maps.view(-1, 1, 3)).exp().detach()
    drawn = model.sample(4000, generator=seeded(5)).view(-1, 3)
    counts = torch.bincount(drawn @ torch.tensor([4, 2, 1]), minlength=8)
    assert chisquare(counts.numpy(), 4000 * (chances / chances.sum()).numpy()).pvalue > 1e-4


def test_bits_of_uniform_codes_are_exact() -> None:
    """h w log₂ K, and cross-entropy for a histogram: by hand."""
    model = Memoryless(8, (2, 2))
    assert model.bits(torch.zeros(1, 2, 2, dtype=torch.long)).tolist() == [12.0]
    model.count(torch.tensor([1, 1, 1, 5]))
    p = (3 + 0.5) / (4 + 4)
    assert float(model.bits(torch.full((1, 2, 2), 1))) == pytest.approx(-4 * math.log2(p), rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 12), st.floats(0.05, 5), st.integers(0, 12), st.integers(0, 99))
def test_sharpened_laws(codes: int, temperature: float, top_k: int, seed: int) -> None:
    """Softmax of logits / T over the k likeliest, in float64 by its formula; 1e-10."""
    logits = torch.randn(3, codes, generator=seeded(seed), dtype=torch.float64)
    found = sharpened(logits, temperature, top_k)
    kept = logits.argsort(1, descending=True)[:, : top_k or codes]
    weights = torch.zeros_like(logits).scatter(
        1, kept, (logits / temperature - (logits / temperature).max()).exp().gather(1, kept)
    )
    assert torch.allclose(found, weights / weights.sum(1, keepdim=True), atol=1e-10)


def test_temperature_zero_takes_the_likeliest() -> None:
    model = transformer()
    codes = model.sample(3, 0.0)
    best = model.logits(codes).argmax(-1)
    assert torch.equal(best, codes)


def test_inversion_never_takes_what_is_impossible() -> None:
    """u up to the last float32 below 1, first and last codes impossible."""
    p = torch.tensor([[0.0, 0.3, 0.7, 0.0]]).expand(5, 4)
    u = torch.tensor([0.0, 0.299, 0.301, 0.9, 1 - 2**-24])
    assert by_inversion(p, u).tolist() == [1, 1, 2, 2, 2]


@MODELS
def test_given_codes_stay_and_others_follow_the_law(make: Make) -> None:
    model = make()
    wanted = torch.full(GRID, -1)
    wanted[0, 1], wanted[2, 3] = 4, 0
    drawn = model.sample(6, generator=seeded(6), given=wanted)
    assert drawn[:, 0, 1].tolist() == [4] * 6
    assert drawn[:, 2, 3].tolist() == [0] * 6
    assert len(drawn.unique(dim=0)) > 1


@MODELS
def test_completion_has_the_posteriors_frequencies(make: Make) -> None:
    """K = 2 on 1 × 4 with the last code given: 2,000 particles against p(c | c_4) by enumeration; within 0.05.

    The estimate of log p(c_4) is within 0.05 nats of the exact one.
    """
    model = make(2, (1, 4))
    maps = torch.tensor(list(product(range(2), repeat=3)))
    whole = torch.cat([maps, torch.ones(8, 1, dtype=torch.long)], 1)
    joint = model.log_prob(whole.view(-1, 1, 4)).detach().exp()
    found = complete(model, torch.tensor([[-1, -1, -1, 1]]), 2000, particles=2000, generator=seeded(7))
    counts = torch.bincount(found.codes.view(-1, 4)[:, :3] @ torch.tensor([4, 2, 1]), minlength=8) / 2000
    assert torch.allclose(counts.double(), joint / joint.sum(), atol=0.05)
    assert found.log_evidence == pytest.approx(float(joint.sum().log()), abs=0.05)
    assert bool((found.codes[:, 0, 3] == 1).all())


def test_completion_of_nothing_missing_is_the_law_itself() -> None:
    """All codes given: log p(given) is the law's, to float rounding."""
    model, wanted = transformer(), torch.randint(6, GRID, generator=seeded(8))
    found = complete(model, wanted, particles=4)
    assert torch.equal(found.codes[0], wanted)
    assert found.log_evidence == pytest.approx(float(model.log_prob(wanted[None]).detach()), abs=1e-4)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20).filter(lambda w: sum(w) > 0.1), st.integers(1, 50))
def test_systematic_draws_are_within_one_of_their_share(weights: list[float], n: int) -> None:
    shares = torch.tensor(weights, dtype=torch.float64) / sum(weights)
    counts = torch.bincount(systematic(shares, n, seeded(n)), minlength=len(weights))
    assert bool(((counts - n * shares).abs() < 1 + 1e-5).all())


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda m: m.sample(1, -1.0), "A temperature is 0 or more"),
        (lambda m: m.sample(1, float("nan")), "A temperature is 0 or more"),
        (lambda m: m.sample(1, top_k=-2), "top-k is a number of codes"),
        (lambda m: m.sample(1, given=torch.zeros(2, 2, dtype=torch.long)), "Given codes are a map of 3 × 4"),
        (lambda m: m.sample(1, given=torch.full(GRID, 6)), "A given code is 0 to 5"),
        (lambda m: complete(m, torch.full(GRID, -1), 5, particles=4), "1 to 4 can be had"),
    ],
)
def test_what_cannot_be_drawn_is_told(work: Callable[[CodeModel], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        work(transformer())


def test_heads_share_the_width() -> None:
    with pytest.raises(ValueError, match="10 is not shared out among 4 heads"):
        CausalTransformer(4, (2, 2), width=10, heads=4)


def test_first_weights_are_the_seeds() -> None:
    for make in (CausalTransformer, PixelCNN):
        one, same, other = (make(5, (2, 2), width=16, generator=seeded(k)).state_dict() for k in (1, 1, 2))
        assert all(torch.equal(one[name], same[name]) for name in one)
        assert any(not torch.equal(one[name], other[name]) for name in one)
