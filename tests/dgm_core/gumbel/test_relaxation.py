"""Gumbel noise, the relaxed draw and draws without replacement against scipy, torch and exhaustive enumeration."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

import dgm_core.gumbel
from dgm_core.gumbel import gumbel_softmax, gumbel_top_k, plackett_luce_log_prob, sample_gumbel, weights_to_logits
from dgm_core.gumbel.noise import as_printed, gumbel_from_uniform, perturbed_given_winner, winner
from dgm_core.gumbel.relaxation import relax


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_noise_follows_scipys_gumbel_law() -> None:
    """Kolmogorov–Smirnov at a fixed seed, 50,000 draws, p above 0.001."""
    noise = sample_gumbel((50_000,), seeded())
    assert stats.kstest(noise.double().numpy(), stats.gumbel_r.cdf).pvalue > 1e-3


def test_float32_noise_at_the_ends_of_the_uniform_is_finite() -> None:
    """u = 0, the smallest and largest that torch.rand gives, and u = 1: from −log(24 log 2) to 24 log 2."""
    u = torch.tensor([0.0, 2.0**-24, 1 - 2.0**-24, 1.0])
    found = gumbel_from_uniform(u)
    low, high = -math.log(24 * math.log(2)), 24 * math.log(2)
    assert found.isfinite().all()
    assert torch.allclose(found, torch.tensor([low, low, high, high]), atol=1e-5)
    assert gumbel_from_uniform(u.double()).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_noise_keeps_its_dtype_shape_and_seed(dtype: torch.dtype) -> None:
    first, again = (sample_gumbel((3, 0, 2), seeded(7), dtype) for _ in range(2))
    assert first.dtype == dtype
    assert first.shape == (3, 0, 2)
    many, same = (sample_gumbel((500,), seeded(7), dtype) for _ in range(2))
    assert torch.equal(many, same)
    assert many.isfinite().all()
    assert first.shape == again.shape


@given(st.floats(2.0**-24, 1 - 2.0**-24, width=32))
def test_the_printed_formula_is_nan_inside_the_unit_interval(u: float) -> None:
    assert as_printed(torch.tensor(u)).isnan()
    assert gumbel_from_uniform(torch.tensor(u)).isfinite()


def test_relaxed_draw_is_torchs_with_the_same_noise() -> None:
    """float64, 1e-12."""
    logits = torch.randn(50, 6, generator=seeded(), dtype=torch.float64)
    noise = sample_gumbel(logits.shape, seeded(3), torch.float64)
    for tau in (0.1, 1.0, 7.0):
        expected = torch.softmax((logits + noise) / tau, -1)
        assert torch.allclose(gumbel_softmax(logits, tau, generator=seeded(3)), expected, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-30, 30), min_size=1, max_size=8), st.floats(0, 1e6), st.integers(0, 9), st.booleans())
def test_rows_lie_on_the_simplex(logits: list[float], tau: float, seed: int, hard: bool) -> None:
    """Sums within 1e-5 in float32 for every temperature."""
    z = gumbel_softmax(torch.tensor([logits] * 4), tau, hard, seeded(seed))
    assert z.isfinite().all()
    assert (z >= 0).all()
    assert torch.allclose(z.sum(-1), torch.ones(4), atol=1e-5)


def test_temperature_zero_is_the_argmax() -> None:
    logits = torch.randn(200, 5, generator=seeded())
    cold = gumbel_softmax(logits, 0.0, generator=seeded(1))
    assert torch.equal(cold, gumbel_softmax(logits, 1e-30, hard=True, generator=seeded(1)).detach())
    assert torch.equal(cold.sum(-1), torch.ones(200))
    assert set(cold.unique().tolist()) == {0.0, 1.0}
    assert torch.allclose(gumbel_softmax(logits, 1e-30, generator=seeded(1)), cold)


@pytest.mark.parametrize("tau", [1e12, 1e35, 1e300])
def test_a_huge_temperature_gives_the_uniform_point(tau: float) -> None:
    logits = torch.tensor([[3.0, -2.0, 0.5], [3.0, -torch.inf, 0.5]])
    z = gumbel_softmax(logits, tau, generator=seeded())
    assert torch.allclose(z, torch.tensor([[1 / 3, 1 / 3, 1 / 3], [0.5, 0.0, 0.5]]))


def test_one_category_is_always_drawn() -> None:
    for tau in (0.0, 0.3, 100.0):
        assert torch.equal(gumbel_softmax(torch.zeros(7, 1), tau, generator=seeded()), torch.ones(7, 1))


def test_a_category_of_weight_zero_is_never_drawn() -> None:
    logits = weights_to_logits([0.5, 0.0, 0.5]).expand(5_000, 3).clone().requires_grad_(True)
    for tau in (0.0, 0.1, 5.0):
        assert (gumbel_softmax(logits, tau, generator=seeded())[:, 1] == 0).all()
    gumbel_softmax(logits, 0.5, generator=seeded())[:, 0].sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_hard_draws_are_one_hot_and_carry_the_soft_gradient() -> None:
    weight = torch.randn(4, 5, generator=seeded(5), dtype=torch.float64)
    gradients = []
    for hard in (False, True):
        logits = torch.zeros(4, 5, dtype=torch.float64).requires_grad_(True)
        z = gumbel_softmax(logits, 0.7, hard, seeded(2))
        (z * weight).sum().backward()
        assert logits.grad is not None
        gradients.append(logits.grad)
    assert set(z.detach().unique().tolist()) == {0.0, 1.0}
    assert torch.equal(gradients[0], gradients[1])


def test_argmax_frequencies_are_the_weights_at_every_temperature() -> None:
    """40,000 draws, 5 binomial standard errors."""
    pi, n = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64), 40_000
    for tau in (0.1, 1.0, 5.0):
        z = gumbel_softmax(pi.log().expand(n, 3), tau, generator=seeded(int(10 * tau)))
        share = torch.bincount(z.max(-1).indices, minlength=3) / n
        assert ((share - pi).abs() <= 5 * (pi * (1 - pi) / n).sqrt()).all()


@pytest.mark.parametrize(
    "row", [[math.nan, 0.0], [-math.inf, -math.inf], [math.inf, 0.0], []], ids=["nan", "none", "infinite", "empty"]
)
def test_logits_that_mean_nothing_are_refused(row: list[float]) -> None:
    bad = torch.tensor([[0.0] * len(row), row])
    for call in (lambda: gumbel_softmax(bad, 1.0), lambda: gumbel_top_k(bad, 1)):
        with pytest.raises(ValueError, match=r"Logits have to be|At least one category"):
            call()


@pytest.mark.parametrize("tau", [-1.0, math.nan, math.inf])
def test_temperatures_that_mean_nothing_are_refused(tau: float) -> None:
    with pytest.raises(ValueError, match="temperature has to be 0 or more and finite"):
        gumbel_softmax(torch.zeros(2), tau)


def test_weights_become_normalised_logits() -> None:
    logits = weights_to_logits([2, 6, 0])
    assert torch.allclose(logits.exp(), torch.tensor([0.25, 0.75, 0.0]))
    assert logits[2] == -torch.inf
    assert torch.allclose(weights_to_logits(torch.tensor([[1e38, 1e38, 1e38, 1e38]])).exp(), torch.full((1, 4), 0.25))


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1.0, -0.1], "negative"), ([0.0, 0.0], "All weights are 0"), ([math.nan, 1.0], "finite"), ([], "one category")],
)
def test_weights_that_mean_nothing_are_refused(weights: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        weights_to_logits(weights)


def _rejected(log_pi: Tensor, k: int, tries: int) -> np.ndarray:
    """log π + G given that k won, by throwing away all draws in which it did not."""
    z = log_pi + sample_gumbel((tries, len(log_pi)), seeded(11), torch.float64)
    return z[z.argmax(-1) == k].numpy()


@pytest.mark.parametrize("k", [0, 2])
def test_noise_given_the_winner_is_what_rejection_leaves(k: int) -> None:
    """Every coordinate by the two-sample Kolmogorov–Smirnov test at a fixed seed, p above 0.001."""
    log_pi = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).log()
    index = torch.tensor([k])
    direct = perturbed_given_winner(log_pi, index, seeded(4), samples=20_000).numpy()
    expected = _rejected(log_pi, k, 60_000)
    assert (direct.argmax(-1) == k).all()
    for j in range(3):
        assert stats.ks_2samp(direct[:, j], expected[:, j]).pvalue > 1e-3
    correlated = [np.corrcoef(each.T)[0, 2] for each in (direct, expected)]
    assert correlated[0] == pytest.approx(correlated[1], abs=0.05)


def test_noise_given_the_winner_leaves_out_what_cannot_be_drawn() -> None:
    log_pi = weights_to_logits([0.5, 0.0, 0.5]).double()
    z = perturbed_given_winner(log_pi, torch.tensor([2]), seeded(), samples=50)
    assert (z[:, 1] == -torch.inf).all()
    assert torch.equal(winner(z)[0], torch.full((50, 1), 2))
    assert (relax(z, 0.5)[:, 1] == 0).all()


def _chance(order: tuple[int, ...], pi: list[float]) -> float:
    left, chance = sum(pi), 1.0
    for k in order:
        chance *= pi[k] / left
        left -= pi[k]
    return chance


@pytest.mark.parametrize("k", [1, 2, 4])
def test_plackett_luce_is_drawing_without_replacement(k: int) -> None:
    """Every ordered pick against products of plain Python floats; float64, 1e-12."""
    pi = [0.4, 0.1, 0.3, 0.2]
    orders = list(permutations(range(4), k))
    found = plackett_luce_log_prob(torch.tensor(orders), torch.tensor(pi, dtype=torch.float64).log() + 3).exp()
    expected = torch.tensor([_chance(order, pi) for order in orders], dtype=torch.float64)
    assert torch.allclose(found, expected, atol=1e-12)
    assert float(found.sum()) == pytest.approx(1, abs=1e-12)


def test_top_k_of_perturbed_logits_follows_plackett_luce() -> None:
    """χ² over all 12 ordered pairs of 4, 40,000 draws at a fixed seed, p above 0.001."""
    pi, n = [0.4, 0.1, 0.3, 0.2], 40_000
    order = gumbel_top_k(torch.tensor(pi).log().expand(n, 4), 2, seeded(6))
    pairs = list(permutations(range(4), 2))
    counts = [int(((order[:, 0] == a) & (order[:, 1] == b)).sum()) for a, b in pairs]
    assert sum(counts) == n
    assert stats.chisquare(counts, [n * _chance(pair, pi) for pair in pairs]).pvalue > 1e-3


def test_orders_that_cannot_be_have_probability_zero() -> None:
    logits = weights_to_logits([0.5, 0.5, 0.0])
    orders = torch.tensor([[0, 1], [0, 0], [0, 2], [2, 0]])
    assert plackett_luce_log_prob(orders, logits).exp().tolist() == pytest.approx([0.5, 0, 0, 0])


@pytest.mark.parametrize("k", [0, 3])
def test_more_than_can_be_drawn_is_refused(k: int) -> None:
    draw: Callable[[], Tensor] = lambda: gumbel_top_k(weights_to_logits([0.5, 0.0, 0.5]), k)  # noqa: E731
    with pytest.raises(ValueError, match="k has to be from 1 to 2"):
        draw()


def test_the_mathematics_needs_no_declaration() -> None:
    """In a process of its own: importing the package brings no pydantic; asking for the VAE's declaration does."""
    script = (
        "import sys, dgm_core.gumbel as g; assert 'pydantic' not in sys.modules; "
        "assert g.DiscreteVAE.topic == 'gumbel'; assert 'pydantic' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_an_unknown_name_of_the_package_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'ContinuousVAE'"):
        _ = dgm_core.gumbel.ContinuousVAE
