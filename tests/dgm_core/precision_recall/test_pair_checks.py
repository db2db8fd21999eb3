"""The Check tables hold on honest numbers and fail on wrong ones."""

import numpy as np
import pytest

from dgm_core.checks import read_checks
from dgm_core.device import resolve
from dgm_core.metrics import PRDC, prdc
from dgm_core.precision_recall import checks, curve_checks
from dgm_core.precision_recall.clouds import CloudPair
from dgm_core.precision_recall.curves import MetricCurves, joined, mean_intervals
from dgm_core.precision_recall.intervals import intervals
from dgm_core.precision_recall.views import PairChecks, PairFigures
from dgm_core.views import Made


@pytest.mark.parametrize(
    "settings", [{}, {"drop": 0.25}, {"real": "gaussian", "fake": "uniform", "real_outliers": 4}, {"n": 60, "m": 200}]
)
@pytest.mark.parametrize("k", [1, 5])
def test_all_lines_hold(settings, k):
    found = checks.pair_checks(CloudPair(**settings), k)
    assert [check.name for check in found if not check.passed] == []
    assert len(found) == 10


def test_wrong_numbers_do_not_pass(monkeypatch):
    monkeypatch.setattr(checks, "prdc", lambda x, y, k: PRDC(0.5, 0.5, 0.5, 0.5))
    found = checks.pair_checks(CloudPair(), 3)
    assert sum(not check.passed for check in found) >= 8


def test_the_exhaustive_computation_counts_duplicates_as_neighbours():
    x = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [5.0, 0.0]])
    assert checks.exhaustive(x, x, 1) == prdc(x, x, 1)


def test_the_views_write_what_the_page_reads():
    made = PairChecks.of(CloudPair(n=80, m=80), 3).make(Made(), resolve("cpu"))
    assert all(check.passed for check in read_checks(made["checks"]))
    assert b"frechet" in PairFigures.of(CloudPair(n=80, m=80), 3).make(Made(), resolve("cpu"))["figures"]


def test_bootstrap_intervals_have_the_binomial_width():
    """Precision and recall are shares of independent indicators, given the balls: ± 1.96 √(p (1 − p) / n)."""
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(900, 2)), 1.3 * random.normal(size=(700, 2))
    values, low, high = intervals(real, fake, 3, draws=4000)
    for column, count in ((0, 700), (1, 900), (3, 900)):
        width = 2 * 1.96 * np.sqrt(values[column] * (1 - values[column]) / count)
        assert high[column] - low[column] == pytest.approx(width, rel=0.2)


def test_curves_of_equal_laws_meet_theory():
    asked = MetricCurves(axis="n", dimension=8, k=2, repeats=10)
    object.__setattr__(asked, "places", lambda: (50.0, 200.0))
    found = joined([report.preview for report in asked.train(asked.build(), resolve("cpu"))])
    lines = curve_checks.curve_checks(asked, found)
    assert len(lines) == 5
    assert all(line.passed for line in lines)
    wrong = {**found, "values": found["values"] + 1.0, "apart": found["apart"] + 1e-6}
    assert not any(line.passed for line in curve_checks.curve_checks(asked, wrong))


def test_theory_says_nothing_of_unequal_laws():
    asked = MetricCurves(axis="k", dimension=4, n=60, sigma=0.5, repeats=3)
    found = joined([report.preview for report in asked.train(asked.build(), resolve("cpu"))])
    assert np.isnan(found["theory"]).all()
    assert [check.passed for check in curve_checks.curve_checks(asked, found)] == [True]
    assert found["values"].shape == (50, 3, 4)


def test_intervals_of_means_narrow_with_the_root_of_the_draws():
    random = np.random.default_rng(0)
    few, many = (mean_intervals(random.normal(size=(1, draws, 1))) for draws in (10, 1000))
    assert (few[2] - few[1]).item() / (many[2] - many[1]).item() == pytest.approx(10, rel=0.4)
