"""The declaration of two sets: what each change does to the points, and what the metrics then say."""

import numpy as np
import pytest
from pydantic import ValidationError

from dgm_core import registry
from dgm_core.data.shelf import put
from dgm_core.errors import DataError
from dgm_core.precision_recall.clouds import CloudPair
from dgm_core.precision_recall.views import PairChecks


def numbers(k=3, **settings):
    return CloudPair(**settings).manifolds().curves[:, k - 1]


def test_same_seed_same_points_other_seed_others():
    first, again, other = CloudPair().points(), CloudPair().points(), CloudPair(seed=1).points()
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)


def test_real_and_generated_are_independent_draws():
    real, fake = CloudPair().points()
    assert not np.isin(fake, real).all(axis=1).any()


def test_changes_do_what_they_say():
    plain = CloudPair(real="moons").points()[1]
    np.testing.assert_allclose(CloudPair(real="moons", shift=2.5).points()[1], plain + np.array([2.5, 0]), atol=1e-5)
    mean = plain.astype(float).mean(axis=0)
    wide = CloudPair(real="moons", scale=2).points()[1]
    np.testing.assert_allclose(wide, mean + 2 * (plain - mean), atol=1e-4)
    gone = CloudPair(real="moons", collapse=1).points()[1]
    np.testing.assert_allclose(gone, np.broadcast_to(mean, gone.shape), atol=1e-5)


def test_a_dropped_sector_is_empty_and_the_count_stays():
    _, fake = CloudPair(drop=0.125).points()
    assert len(fake) == 500
    assert (np.abs(np.arctan2(fake[:, 1], fake[:, 0])) > np.pi / 8).all()


def test_memorised_points_are_real_ones_each_once():
    real, fake = CloudPair(memorise=0.4).points()
    copies = fake[:200]
    assert {tuple(row) for row in copies} <= {tuple(row) for row in real}
    assert len({tuple(row) for row in copies}) == 200


def test_outliers_are_far_out():
    real, fake = CloudPair(real_outliers=4, fake_outliers=7).points()
    assert (np.linalg.norm(real, axis=1) > 9).sum() == 4
    assert (np.linalg.norm(fake, axis=1) > 9).sum() == 7


def test_memorised_everything_has_known_numbers():
    precision, recall, density, coverage = numbers(memorise=1.0)
    assert (precision, recall, coverage) == (1, 1, 1)
    assert density == pytest.approx(1 + 1 / 3)


def test_out_of_reach_is_zero():
    assert numbers(shift=10.0, collapse=0.95).tolist() == [0, 0, 0, 0]


def test_invented_mode_costs_precision():
    assert numbers(invent=0.2)[0] == pytest.approx(numbers()[0] - 0.2, abs=0.04)


def test_a_flow_is_compared_with_its_own_law():
    pair = CloudPair(fake="flow", source="zoo:cnf-moons", n=300, m=300)
    assert pair.law().name == "moons"
    assert pair.manifolds().curves[0, 2] > 0.85
    cold = CloudPair(fake="flow", source="zoo:cnf-moons", n=300, m=300, temperature=0.2)
    assert cold.manifolds().curves[1, 2] < 0.5


@pytest.mark.parametrize("source", ["zoo:nothing", "run:0123", "zoo:gumbel-digits"])
def test_what_is_no_flow_is_a_sentence(source):
    with pytest.raises(DataError):
        CloudPair(fake="flow", source=source).points()


def test_own_points_on_both_sides(tmp_path, monkeypatch):
    monkeypatch.setenv("DGM_HOME", str(tmp_path))
    random = np.random.default_rng(0)
    keys = [put(random.normal(size=(200, 2)).astype(np.float32)) for _ in range(2)]
    pair = CloudPair(fake="points", real="points", data=keys[0], fake_data=keys[1], n=100, m=80)
    real, fake = pair.points()
    assert real.shape == (100, 2)
    assert fake.shape == (80, 2)
    with pytest.raises(ValidationError, match="draw or upload points"):
        CloudPair(fake="points", fake_data="")


def test_settings_that_do_not_matter_make_no_difference():
    assert CloudPair(temperature=0.3) == CloudPair()
    assert CloudPair(fake="flow", real="moons") == CloudPair(fake="flow")
    assert registry.from_canonical(CloudPair(drop=0.25).canonical()) == CloudPair(drop=0.25)


def test_everything_dropped_is_a_sentence():
    everything = CloudPair().model_copy(update={"drop": 1.0})
    with pytest.raises(DataError, match="leaves nothing"):
        everything.points()


def test_k_is_taken_down_to_what_the_sets_allow():
    assert PairChecks.of(CloudPair(n=20, m=30), 50).k == 19
    assert CloudPair(n=20_000).k_max == 20
