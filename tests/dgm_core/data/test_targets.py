"""The contract of every target: its samples, its density and its entropy tell one story."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from dgm_core.data.densities import TARGETS, Target, image_target, points_target, word_target

torch.set_num_threads(1)

NAMES = [
    "8gaussians", "25gaussians", "moons", "circles", "rings", "checkerboard", "pinwheel", "2spirals", "swissroll",
    "photo-china", "photo-flower",
]  # fmt: skip
SMOOTH = [name for name in NAMES if name != "checkerboard" and not name.startswith("photo")]
CELLS, FINE = 36, 10
"""36² cells of side 1/4 over [−4.5, 4.5]², so that the checkerboard's borders are cell borders; 10² nodes in each."""


def target(name: str) -> Target:
    return word_target("Bayes") if name == "word" else TARGETS[name]


def cell_probabilities(law: Target) -> np.ndarray:
    """∫ p over each cell, by the midpoint rule: (CELLS, CELLS), indexed [x, y]."""
    ticks = -4.5 + (torch.arange(CELLS * FINE, dtype=torch.float64) + 0.5) * 9 / (CELLS * FINE)
    p = law.log_prob(torch.cartesian_prod(ticks, ticks)).exp()
    return p.reshape(CELLS, FINE, CELLS, FINE).sum(dim=(1, 3)).numpy() * (9 / (CELLS * FINE)) ** 2


def chi_square_tail(observed: np.ndarray, probabilities: np.ndarray) -> float:
    """P(χ² ≥ what is seen); cells that expect fewer than 8 points are taken together with all that lies outside."""
    n = observed.sum()
    large = probabilities * n >= 8
    seen = np.append(observed[large], n - observed[large].sum())
    expected = np.append(probabilities[large], 1 - probabilities[large].sum()) * n
    keep = expected > 1
    return float(chi2.sf(((seen - expected)[keep] ** 2 / expected[keep]).sum(), keep.sum() - 1))


def test_the_registry_has_the_names_of_the_menus_in_order():
    assert list(TARGETS) == NAMES
    assert len({TARGETS[name].title for name in NAMES}) == len(NAMES)
    assert all(TARGETS[name].name == name for name in NAMES)
    assert "nothing" not in TARGETS


@pytest.mark.parametrize("name", [*NAMES, "word"])
def test_samples_have_type_and_place_and_follow_the_seed(name: str):
    law = target(name)
    x = law.sample(5000, seed=7)
    assert x.shape == (5000, 2)
    assert x.dtype == torch.float32
    assert torch.equal(x, law.sample(5000, seed=7))
    assert not torch.equal(x, law.sample(5000, seed=8))
    xmin, xmax, ymin, ymax = law.extent
    outside = (x[:, 0] < xmin) | (x[:, 0] > xmax) | (x[:, 1] < ymin) | (x[:, 1] > ymax)
    assert outside.float().mean() < 1e-3
    assert law.sample(0, seed=1).shape == (0, 2)
    assert law.log_prob(torch.zeros(0, 2)).shape == (0,)


def test_a_generator_goes_on_drawing():
    law, generator = TARGETS["moons"], torch.Generator().manual_seed(3)
    first, second = law.sample(100, generator), law.sample(100, generator)
    assert torch.equal(first, law.sample(100, seed=3))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("name", SMOOTH)
def test_density_integrates_to_one_over_the_window_and_its_tail(name: str):
    # Tolerance: the midpoint rule on a lattice of 0.05 is exact to 1e-9 for noise ≥ 0.08; window widened to ±5.5.
    ticks = -5.5 + (torch.arange(275, dtype=torch.float64) + 0.5) * 0.04
    mass = float(TARGETS[name].log_prob(torch.cartesian_prod(ticks, ticks)).exp().sum()) * 0.04**2
    assert mass == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", SMOOTH)
def test_the_window_holds_all_but_a_trace(name: str):
    assert cell_probabilities(TARGETS[name]).sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", [*SMOOTH, "checkerboard"])
def test_samples_fill_cells_as_the_density_says(name: str):
    law = TARGETS[name]
    x = law.sample(100_000, seed=11).numpy()
    observed = np.histogram2d(x[:, 0], x[:, 1], bins=CELLS, range=[[-4.5, 4.5]] * 2)[0]
    # The seed is fixed; a correct sampler is this unlucky for one seed in 10,000.
    outside = len(x) - observed.sum()
    assert outside < 30
    assert chi_square_tail(observed, cell_probabilities(law)) > 1e-4


@pytest.mark.parametrize("name", [*NAMES, "word"])
def test_mean_log_density_of_samples_is_minus_the_entropy(name: str):
    law = target(name)
    log_p = law.log_prob(law.sample(40_000, seed=5)).double()
    assert torch.isfinite(log_p).all()
    standard_error = float(log_p.std()) / math.sqrt(len(log_p))
    assert abs(float(log_p.mean()) + law.entropy) <= 4 * standard_error + law.entropy_error + 1e-6


@pytest.mark.parametrize("name", [*NAMES, "word"])
def test_float32_and_float64_agree(name: str):
    law = target(name)
    x = law.sample(500, seed=2)
    single, double = law.log_prob(x), law.log_prob(x.double())
    assert single.dtype == torch.float32
    assert double.dtype == torch.float64
    assert single.shape == (500,)
    assert torch.allclose(single.double(), double, atol=2e-4)


@pytest.mark.parametrize("name", SMOOTH)
def test_the_gradient_of_the_density_is_that_of_finite_differences(name: str):
    x = TARGETS[name].sample(4, seed=9).double().requires_grad_()
    assert torch.autograd.gradcheck(TARGETS[name].log_prob, (x,), eps=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", [*SMOOTH, "checkerboard", "word"])
@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.tuples(*[st.floats(-(2.0**50), 2.0**50, width=32)] * 2), min_size=1, max_size=5))
def test_no_point_of_the_plane_breaks_the_density(name: str, rows: list[tuple[float, float]]):
    log_p = target(name).log_prob(torch.tensor(rows, dtype=torch.float32))
    assert not torch.isnan(log_p).any()
    assert (log_p < 20).all()


@settings(max_examples=50, deadline=None)
@given(rows=st.integers(1, 12), columns=st.integers(1, 12), seed=st.integers(0, 2**31), empty=st.floats(0, 0.9))
def test_any_picture_is_a_law_whose_samples_lie_on_ink(rows: int, columns: int, seed: int, empty: float):
    random = np.random.default_rng(seed)
    ink = random.random((rows, columns)) * (random.random((rows, columns)) >= empty)
    ink[0, 0] = 1.0
    law = image_target(ink)
    assert torch.isfinite(law.log_prob(law.sample(2000, seed))).all()
    q = ink / ink.sum()
    pixel = (7.2 / max(rows, columns)) ** 2
    assert law.entropy == pytest.approx(-sum(p * math.log(p / pixel) for p in q.flatten() if p > 0), abs=1e-9)
    assert law.entropy_error == 0


def test_rounding_lifts_no_sample_off_the_ink():
    # Fine stripes: of 2 million points about ten would be rounded over a border, to where p = 0.
    law = image_target(np.tile([0.0, 1.0], (2, 96)))
    assert torch.isfinite(law.log_prob(law.sample(2_000_000, seed=0))).all()


def test_points_are_drawn_with_replacement_and_have_no_density():
    points = np.array([[0.0, 1.0], [2.0, 3.0], [-1.0, -2.0]])
    law = points_target(points)
    x = law.sample(3000, seed=4)
    rows, counts = np.unique(x.numpy(), axis=0, return_counts=True)
    assert np.array_equal(rows, points[np.lexsort(points.T[::-1])])
    assert chi2.sf(((counts - 1000) ** 2 / 1000).sum(), 2) > 1e-4
    assert law.log_prob is None
    assert law.entropy is None
    assert law.entropy_error == 0
    points[:] = 99
    assert law.sample(10, seed=4).abs().max() < 4
