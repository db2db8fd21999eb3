"""The Check table: it passes where theory holds, whatever the weights, and fails where what is measured is wrong."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dgm_core.checks import Check
from dgm_core.gumbel import checks as module
from dgm_core.gumbel import density_checks, sample_gumbel, weights_to_logits
from dgm_core.gumbel.checks import checks

DOUBLE = torch.float64


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def failed(table: list[Check]) -> list[str]:
    return [f"{line.name}: {line.measured} for {line.expected} ± {line.error}" for line in table if not line.passed]


def line(table: list[Check], words: str) -> Check:
    (found,) = [each for each in table if words in each.name]
    return found


@pytest.mark.parametrize("tau", [0.0, 0.05, 0.5, 1.0, 5.0, 1_000.0])
def test_the_lectures_example_passes_at_every_temperature(tau: float) -> None:
    table = checks([0.6, 0.3, 0.1], tau)
    assert failed(table) == []
    assert len(table) == 23
    assert line(table, r"\arg\max z = 1").expected == pytest.approx(0.6)


@pytest.mark.parametrize(
    "pi",
    [
        [1.0],
        [0.0, 3.0],
        [1.0, 2.0],
        [0.5, 0.0, 0.5],
        [1.0, 1.0, 1.0, 1.0],
        [1e-12, 1.0, 1e-3],
        [1.0, 1e-300],
        [5.0, *[1.0] * 19],
        [0.0, *[2.0] * 8, 1e-9],
    ],
    ids=str,
)
def test_all_kinds_of_weights_pass(pi: list[float]) -> None:
    for tau in (0.1, 2.0):
        table = checks(pi, tau, seed=1)
        assert failed(table) == []
        assert all(math.isfinite(each.measured) for each in table)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=20), st.floats(0.05, 10), st.integers(0, 10_000))
def test_random_tables_pass(pi: list[float], tau: float, seed: int) -> None:
    """Each line is wrong once in 16,000 looks; some 15 × 20 are looked at, always the same."""
    assert failed(checks(pi, tau, seed, samples=5_000)) == []


def test_expectations_move_and_frequencies_stay() -> None:
    """The lecture's figures: E[z₁] = .599 .571 .523 .456 .388 at τ = .1 .5 1 2 5, P(argmax = 1) = .6 at all."""
    for tau, expected in ((0.1, 0.599), (0.5, 0.571), (1.0, 0.523), (2.0, 0.456), (5.0, 0.388)):
        table = checks([0.6, 0.3, 0.1], tau)
        assert line(table, r"E[z_{1}]$ at").expected == pytest.approx(expected, abs=5e-4)
        assert line(table, r"\arg\max z = 1").expected == pytest.approx(0.6)


def test_the_same_seed_gives_the_same_table() -> None:
    assert checks([1, 2, 3], 0.7, seed=4) == checks([1, 2, 3], 0.7, seed=4)
    assert checks([1, 2, 3], 0.7, seed=4) != checks([1, 2, 3], 0.7, seed=5)


@pytest.mark.parametrize(
    ("pi", "tau"), [([], 1.0), ([-1.0, 2.0], 1.0), ([0.0, 0.0], 1.0), ([1.0, math.inf], 1.0), ([1.0, 2.0], -1.0)]
)
def test_nonsense_is_refused(pi: list[float], tau: float) -> None:
    with pytest.raises(ValueError, match=r"weight|category|temperature"):
        checks(pi, tau)


def _draws(logits: Tensor, scale: float = 1.0) -> Tensor:
    noise = sample_gumbel((20_000, len(logits)), torch.Generator().manual_seed(0), DOUBLE)
    return logits + scale * noise


def test_noise_of_the_wrong_scale_is_seen() -> None:
    """Gumbels stretched by 1.2: frequencies, both moments of the maximum and the logistic variance fail."""
    logits = weights_to_logits([0.6, 0.3, 0.1]).double()
    wrong = _draws(logits, 1.2)
    assert len(failed(module.frequencies(wrong, logits.exp()))) >= 2
    assert len(failed(module.maximum(wrong, 0.0))) >= 2
    assert len(failed(module.difference(wrong - logits, torch.Generator().manual_seed(1)))) >= 1


def test_noise_of_another_law_is_seen() -> None:
    """Gaussian noise of the Gumbel's variance: χ² over six categories fails."""
    logits = weights_to_logits([6, 5, 4, 3, 2, 1]).double()
    noise = torch.randn(20_000, 6, generator=torch.Generator().manual_seed(0), dtype=DOUBLE) * math.pi / math.sqrt(6)
    assert any("chi" in name for name in failed(module.frequencies(logits + noise, logits.exp())))
    assert failed(module.frequencies(_draws(logits), logits.exp())) == []


def test_a_maximum_that_depends_on_its_argmax_is_seen() -> None:
    logits = weights_to_logits([0.6, 0.4]).double()
    wrong = _draws(logits)
    wrong[:, 0] += 0.3 * (wrong[:, 0] > wrong[:, 1])
    assert any("mid" in name for name in failed(module.maximum(wrong, 0.0)))


def test_a_density_off_by_a_factor_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the factor (K−1)! both lines about the density fail; with it they pass."""
    logits, right = weights_to_logits([0.6, 0.3, 0.1]), density_checks.concrete_log_prob
    assert density_checks.mass(logits, 0.5).passed
    assert density_checks.against_the_integral(logits, 0.5, 0).passed
    monkeypatch.setattr(density_checks, "concrete_log_prob", lambda x, a, tau: right(x, a, tau) - math.log(2))
    assert density_checks.mass(logits, 0.5).measured == pytest.approx(0.5, abs=1e-6)
    assert not density_checks.mass(logits, 0.5).passed
    assert not density_checks.against_the_integral(logits, 0.5, 0).passed


@pytest.mark.parametrize("tau", [0.1, 0.25, 1.0, 5.0, 10.0])
def test_mass_is_one_at_other_temperatures_too(tau: float) -> None:
    """1e-9, far inside the line's tolerance."""
    assert density_checks.mass(weights_to_logits([0.6, 0.3, 0.1]), tau).measured == pytest.approx(1, abs=1e-9)


def test_the_border_of_another_number_of_categories_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curvatures of K = 3 held against the border of K = 4 and of K = 2: one of the two lines fails each time."""
    right = density_checks.curvature.smallest
    for claimed, expected in ((4, 1), (2, 1)):
        monkeypatch.setattr(density_checks.curvature, "smallest", lambda a, tau, seed=0: right(torch.zeros(3), tau))
        assert len(failed(density_checks.log_convexity(torch.zeros(claimed), 0)[:2])) == expected


def test_the_printed_formula_is_all_nan_and_the_papers_is_clamped() -> None:
    table = checks([0.6, 0.3, 0.1], 1.0)
    assert line(table, "as printed").measured == 1.0
    assert line(table, "largest float32").measured == pytest.approx(16.6355, abs=1e-3)
    assert line(table, "smallest float32").measured == pytest.approx(-2.8115, abs=1e-3)
