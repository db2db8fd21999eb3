"""The bench's table holds for what theory calls unbiased, and fails for what is not."""

from __future__ import annotations

import numpy as np
import pytest

from dgm_core.gumbel.bench import measure_all
from dgm_core.gumbel.bench_checks import bench_checks
from dgm_core.gumbel.estimators import ESTIMATORS
from dgm_core.gumbel.objectives import objective
from dgm_core.gumbel.views import EstimatorBench, marks


@pytest.mark.parametrize("name", ["linear", "quadratic", "network"])
def test_what_is_unbiased_is_within_chance(name) -> None:  # type: ignore[no-untyped-def]
    """2,000 samples each at τ = 0.7; the exact gradient is by enumeration in float64."""
    logits = EstimatorBench(objective=name).logits()
    checks = bench_checks(marks(0.7, measure_all(objective(name, 10, 0), logits, 0.7, samples=2_000)), name)
    assert len(checks) == {"linear": 6, "quadratic": 5, "network": 4}[name]
    assert [check.name for check in checks if not check.passed] == []


def test_a_bias_is_seen() -> None:
    """Straight-through called unbiased for a network: its bias is far beyond its error."""
    found = marks(0.7, measure_all(objective("network", 10, 0), EstimatorBench().logits(), 0.7, samples=2_000))
    checks = {check.name: check for check in bench_checks(found, "linear")}
    assert not checks["bias of Straight-through"].passed
    broken = {**found, "bias": np.full(len(ESTIMATORS), np.nan)}
    assert not any(check.passed for check in bench_checks(broken, "network"))
