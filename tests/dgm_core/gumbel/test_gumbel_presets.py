"""The numbers in the page's reveals are the ones that one measures."""

from __future__ import annotations

import pytest
import torch

from dgm_core.gumbel.bench import measure
from dgm_core.gumbel.objectives import objective
from dgm_core.gumbel.presets import CATEGORIES, ESTIMATORS, LARGEST_WINS, SIMPLEX, SOFT, STRAIGHT_BIAS, WINNERS_SHARE
from dgm_core.gumbel.views import ConcreteChecks, EstimatorBench, weights_of


@pytest.mark.parametrize("preset", [*SIMPLEX, *CATEGORIES], ids=lambda preset: preset.name)
def test_settings_are_settings_of_the_stage(preset) -> None:  # type: ignore[no-untyped-def]
    assert abs(sum(ConcreteChecks(**preset.settings).pi) - 1) < 1e-9


def test_names_are_unique() -> None:
    names = [preset.name for preset in (*SIMPLEX, *CATEGORIES, *ESTIMATORS)]
    assert len(set(names)) == len(names)


def test_how_often_the_winner_has_the_largest_noise() -> None:
    """100,000 draws by NumPy-free exponentials: G = −log E; the share errs by 0.0016 (one standard error)."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.tensor(weights_of(CATEGORIES[0].settings["weights"]), dtype=torch.float64)
    exponentials = torch.empty(100_000, 10, dtype=torch.float64).exponential_(generator=generator)
    winner = (exponentials / weights).argmin(1)  # exponential clocks: the first to ring wins
    share = float((exponentials.argmin(1) == winner).double().mean())
    assert share == pytest.approx(LARGEST_WINS, abs=0.01)


def test_the_winners_share() -> None:
    """The softmax of Gumbels at τ = 1 is 1/E normalised; 100,000 draws, standard error 0.0006."""
    generator = torch.Generator().manual_seed(0)
    inverse = 1 / torch.empty(100_000, 20, dtype=torch.float64).exponential_(generator=generator)
    share = float((inverse.amax(1) / inverse.sum(1)).mean())
    assert share == pytest.approx(WINNERS_SHARE, abs=0.01)


@pytest.mark.parametrize("name", sorted(STRAIGHT_BIAS))
def test_straight_through_is_as_biased_as_said(name) -> None:  # type: ignore[no-untyped-def]
    bench = EstimatorBench(objective=name)
    found = measure("straight-through", objective(name, 10, 0), bench.logits(), 1.0)
    assert found.bias == pytest.approx(STRAIGHT_BIAS[name], abs=0.02)


@pytest.mark.parametrize("tau", sorted(SOFT))
def test_less_bias_costs_variance(tau: float) -> None:
    found = measure("gumbel-softmax", objective("network", 10, 0), EstimatorBench().logits(), tau, samples=40_000)
    assert found.bias == pytest.approx(SOFT[tau][0], abs=0.05)
    assert found.std == pytest.approx(SOFT[tau][1], rel=0.1)


def test_reinmax_is_unbiased_for_a_quadratic() -> None:
    found = measure("reinmax", objective("quadratic", 10, 0), EstimatorBench().logits(), 1.0, samples=40_000)
    assert found.bias < 4 * found.bias_error


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "1 to 20"), ("1 " * 21, "1 to 20"), ("0 0 0", "All weights are 0"), ("1 -1", "negative"),
     ("a b", "no number"), ("nan 1", "finite"), ("1e400 1", "finite")],
)  # fmt: skip
def test_weights_that_mean_nothing_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        weights_of(text)
