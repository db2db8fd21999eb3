"""Precision, recall, density, coverage: equal to all pairs in float64, whatever way they are found."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from prdc_oracle import exhaustive, four, squared

from dgm_core.errors import DataError
from dgm_core.metrics import expected_coverage, knn_radii, neighbours, prdc, prdc_curve
from dgm_core.metrics.distances import dots, rough_unit


def clouds(dimensions, n=300, m=220, shift=0.3, scale=1.1, seed=0, dtype=np.float32):
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, dimensions))
    return x.astype(dtype), (shift + scale * random.normal(size=(m, dimensions))).astype(dtype)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5, 17, 64, 400])
@pytest.mark.parametrize("k", [1, 3, 9])
@pytest.mark.parametrize("strict", [False, True])
def test_equal_to_all_pairs(dimensions, k, strict):
    x, y = clouds(dimensions)
    assert four(prdc(x, y, k, strict=strict)) == pytest.approx(exhaustive(x, y, k, strict), abs=1e-12)


@pytest.mark.parametrize("dimensions", [2, 40])
def test_radii_equal_to_all_pairs(dimensions):
    x, _ = clouds(dimensions, n=700)
    expected = np.sort(np.sqrt(squared(x, x)), axis=1)[:, 7]
    np.testing.assert_allclose(knn_radii(x, 7), expected, rtol=1e-12)


@pytest.mark.parametrize("dimensions", [2, 30])
def test_curve_is_every_k(dimensions):
    x, y = clouds(dimensions)
    curve = prdc_curve(x, y, 12)
    for k in range(1, 13):
        assert curve.at(k) == prdc(x, y, k)


@pytest.mark.parametrize("dimensions", [2, 12])
@given(seed=st.integers(0, 10_000), k=st.integers(1, 5), levels=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_ties_and_duplicates(dimensions, seed, k, levels):
    """On a lattice nearly all distances tie and many points coincide."""
    random = np.random.default_rng(seed)
    x, y = (random.integers(0, levels + 1, (n, dimensions)).astype(np.float32) for n in (40, 25))
    for strict in (False, True):
        assert four(prdc(x, y, k, strict=strict)) == pytest.approx(exhaustive(x, y, k, strict), abs=1e-12)


@pytest.mark.parametrize("dimensions", [2, 20])
def test_constant_features(dimensions):
    x = np.ones((30, dimensions))
    assert four(prdc(x, x, 5)) == (1, 1, 6, 1)  # density: all 30 balls hold the point, 30 / 5
    assert four(prdc(x, x, 5, strict=True)) == (0, 0, 0, 0)


@pytest.mark.parametrize("dimensions", [2, 50])
@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.parametrize("spread", [1e-4, 1.0, 1e6])
def test_far_clusters_and_outliers(dimensions, offset, spread):
    """Where the narrow type knows nothing, float64 decides."""
    random = np.random.default_rng(3)
    centres = spread * random.normal(size=(5, dimensions))
    x, y = (offset + centres[random.integers(0, 5, n)] + random.normal(size=(n, dimensions)) for n in (260, 190))
    x[:3] *= 50
    x, y = x.astype(np.float32), y.astype(np.float32)
    assert four(prdc(x, y, 4)) == pytest.approx(exhaustive(x, y, 4), abs=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_narrow_type_gives_the_same(dtype, monkeypatch):
    from dgm_core.metrics import screen

    monkeypatch.setattr(screen, "narrow", lambda device: getattr(torch, dtype))
    x, y = clouds(96, n=900, m=1300, dtype=np.float64)
    assert four(prdc(x, y, 5)) == pytest.approx(exhaustive(x, y, 5), abs=1e-12)


@pytest.mark.parametrize(("n", "m", "k"), [(1100, 700, 3), (1040, 2300, 30), (2500, 1025, 70)])
@pytest.mark.parametrize("levels", [0, 3])
def test_more_rows_than_a_tile(n, m, k, levels):
    """Ragged last tiles, more neighbours than these have columns, and ties."""
    x, y = clouds(6, n=n, m=m)
    if levels:
        x, y = np.round(x * levels / 3), np.round(y * levels / 3)
    assert four(prdc(x, y, k)) == pytest.approx(exhaustive(x, y, k), abs=1e-12)
    curve = prdc_curve(x, y, k)
    assert curve.at(k) == prdc(x, y, k)
    np.testing.assert_array_equal(np.sort(curve.precision), curve.precision)


def test_too_many_candidates_go_row_by_row(monkeypatch):
    x, y = clouds(9, n=600, m=500)
    expected = prdc(x, y, 5)
    monkeypatch.setattr(neighbours, "MOST", 100)
    assert prdc(x, y, 5) == expected
    assert four(expected) == pytest.approx(exhaustive(x, y, 5), abs=1e-12)


def test_threads_change_nothing():
    x, y = clouds(24, n=1400, m=1200)
    before, found = torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(prdc(x, y, 5))
    torch.set_num_threads(before)
    assert found[0] == found[1]


def test_tensors_lists_and_integers_are_points():
    x, y = clouds(2, n=30, m=20)
    assert prdc(torch.from_numpy(x), torch.from_numpy(y), 3) == prdc(x.tolist(), y.tolist(), 3) == prdc(x, y, 3)
    assert prdc(np.arange(20).reshape(10, 2), np.arange(20).reshape(10, 2), 2).precision == 1


@pytest.mark.parametrize("dimensions", [2, 64])
def test_equal_laws(dimensions):
    """Density 1 and the exact expectation of coverage, within four standard errors of 40 draws."""
    n, m, k = 150, 100, 4
    found = [prdc(*clouds(dimensions, n, m, 0.0, 1.0, seed), k) for seed in range(40)]
    for name, expected in (("density", 1.0), ("coverage", expected_coverage(n, m, k))):
        values = np.array([getattr(one, name) for one in found])
        assert abs(values.mean() - expected) < 4 * values.std(ddof=1) / np.sqrt(len(values))


def test_expected_coverage_is_a_count_of_orders():
    """Among N + M − 1 others in random order, the share of orders in which a generated one is within the first k."""
    n, m, k = 6, 4, 3
    random = np.random.default_rng(0)
    labels = np.array([0] * (n - 1) + [1] * m)
    hits = np.array([random.permutation(labels)[:k].any() for _ in range(20_000)])
    assert abs(hits.mean() - expected_coverage(n, m, k)) < 4 * hits.std() / np.sqrt(len(hits))


@pytest.mark.parametrize(
    ("real", "fake", "k", "said"),
    [
        (np.zeros((5, 2)), np.zeros((9, 2)), 5, "real: 5 points have at most 4 neighbours"),
        (np.zeros((9, 2)), np.zeros((5, 2)), 7, "generated: 5 points"),
        (np.zeros((9, 2)), np.zeros((9, 3)), 1, "have 2 dimensions and the generated ones 3"),
        (np.full((9, 2), np.nan), np.zeros((9, 2)), 1, "9 of 9 rows hold NaN or infinity"),
        (np.zeros((0, 2)), np.zeros((9, 2)), 1, "shape (0, 2)"),
        (np.zeros(9), np.zeros((9, 2)), 1, "N × D is needed"),
        (np.zeros((9, 2)), np.zeros((9, 2)), 0, "k is 0"),
        (np.full((9, 2), 1e200), np.zeros((9, 2)), 1, "scale the data down"),
        (np.array([["a", "b"]]), np.zeros((9, 2)), 1, "real numbers are needed"),
        ([[1, 2], [3]], np.zeros((9, 2)), 1, "different lengths"),
    ],
)
def test_bad_input_is_a_sentence(real, fake, k, said):
    with pytest.raises(DataError) as error:
        prdc(real, fake, k)
    assert said in str(error.value)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA card")
def test_a_card_gives_the_same():
    x, y = clouds(128, n=3000, m=2000)
    assert prdc(x, y, 5, device="cuda") == prdc(x, y, 5, device="cpu")


@pytest.mark.parametrize("scale", [1e-25, 1e-12, 1e12, 1e18, 1e25])
def test_numbers_whose_products_float32_cannot_hold(scale):
    random = np.random.default_rng(3)
    x, y = ((scale * random.normal(size=(300, 20))).astype(np.float32) for _ in range(2))
    assert four(prdc(x, y, 4)) == pytest.approx(exhaustive(x, y, 4), abs=1e-12)


@given(st.integers(0, 999), st.integers(1, 300), st.integers(0, 200), st.sampled_from([0.0, 30.0]))
def test_listed_products_are_within_their_bound(seed, dimensions, pairs, offset):
    """Against float64, for pairs in any order, repeated ones and none at all."""
    random = np.random.default_rng(seed)
    x, y = (torch.from_numpy(random.normal(offset, 1, (n, dimensions)).astype(np.float32)) for n in (40, 70))
    i, j = (torch.from_numpy(random.integers(0, n, pairs)) for n in (40, 70))
    exact = (x.double()[i] * y.double()[j]).sum(1)
    bound = rough_unit(dimensions) * x.double().norm(dim=1)[i] * y.double().norm(dim=1)[j]
    assert bool(((dots(x, y, i, j).double() - exact).abs() <= bound).all())
