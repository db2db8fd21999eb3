"""Every number in a reveal, measured."""

import numpy as np
import pytest

from dgm_core.metrics import prdc
from dgm_core.metrics.hubs import orphans
from dgm_core.precision_recall import presets
from dgm_core.precision_recall.clouds import CloudPair
from dgm_core.precision_recall.comparison import SetComparison
from dgm_core.precision_recall.curves import MetricCurves
from dgm_core.precision_recall.views import PairChecks

ALL = (*presets.PLANE, *presets.CURVES, *presets.SETS)


def at_k(k=3, **settings):
    return CloudPair(**settings).manifolds().curves[:, k - 1]


@pytest.mark.parametrize("preset", ALL, ids=lambda preset: preset.name)
def test_settings_are_valid(preset):
    settings = {name: value for name, value in preset.settings.items() if name != "formula"}
    declared = PairChecks if preset in presets.PLANE else MetricCurves if preset in presets.CURVES else SetComparison
    declared(**settings)


@pytest.mark.parametrize("count", [0, 4])
def test_outliers(count):
    found = at_k(real="gaussian", fake="uniform", real_outliers=count)
    assert found[0] == pytest.approx(presets.OUTLIERS[count], abs=0.006)
    assert found[2] < 0.5


def test_memorised():
    precision, recall, density, coverage = at_k(memorise=1.0)
    assert (precision, recall, round(density, 2)) == presets.MEMORISED
    assert coverage == 1


def test_dropped():
    np.testing.assert_allclose(at_k(drop=0.125)[:2], presets.DROPPED, atol=0.006)


def test_shrunk_and_widened():
    np.testing.assert_allclose(at_k(real="gaussian", scale=0.3)[:2], presets.SHRUNK, atol=0.006)
    np.testing.assert_allclose(at_k(real="gaussian", scale=3.0)[:2], presets.WIDENED, atol=0.006)


@pytest.mark.parametrize("dimension", [2, 64, 512])
def test_high_dimension(dimension):
    asked = MetricCurves(axis="dimension")
    draws = [asked.draw(dimension, asked.seed + 97 * draw) for draw in range(3)]
    found = np.mean([prdc(*draw, 3).precision for draw in draws])
    assert found == pytest.approx(presets.HIGH_DIMENSION[dimension], abs=0.03)
    if dimension in presets.ORPHANS:
        alone = np.mean([orphans(draw[0], 3) for draw in draws])
        assert alone == pytest.approx(presets.ORPHANS[dimension], abs=0.02)


@pytest.mark.parametrize("count", [50, 5000])
def test_more_points(count):
    asked = MetricCurves(axis="n", dimension=64)
    draws = range(8 if count == 50 else 1)
    found = np.mean([prdc(*asked.draw(count, asked.seed + 97 * draw), 3).precision for draw in draws])
    assert found == pytest.approx(presets.FEWER[count], abs=0.03)


def test_scale_in_many_dimensions():
    asked = MetricCurves(axis="k", dimension=64, sigma=0.5)
    found = prdc(*asked.draw(0, 0), 3)
    assert (found.precision, found.recall) == (1, 0)
    found = prdc(*MetricCurves(axis="k", dimension=64, sigma=2).draw(0, 0), 3)
    assert (found.precision, found.recall) == (0, 1)


@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_cold(temperature):
    found = prdc(*MetricCurves(axis="temperature").draw(temperature, 0), 3)
    np.testing.assert_allclose((found.precision, found.recall), presets.COLD[temperature], atol=0.03)


@pytest.mark.parametrize(
    ("settings", "said"), [(preset.settings, said) for preset, said in zip(
        presets.SETS, (presets.HONEST, presets.NOISY, presets.FADED), strict=True
    )],
)  # fmt: skip
def test_sets(settings, said):
    pair = SetComparison(**settings).pair()
    found = prdc(pair.embedded_real, pair.embedded_fake, 5)
    np.testing.assert_allclose((found.precision, found.recall), said, atol=0.006)


def test_the_printed_formula_is_always_one():
    pair = CloudPair(shift=10.0)
    assert pair.manifolds(printed=True).curves.min() == 1
    assert pair.manifolds().curves[:2, 2].tolist() == [0, 0]
