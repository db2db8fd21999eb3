"""The nearest code against an exhaustive search in float64, k-means against scikit-learn, usage against its formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from torch import Tensor

from dgm_core.nn.code_usage import code_counts, perplexity, share_used
from dgm_core.nn.kmeans import SEEDED, first_centres, kmeans
from dgm_core.nn.nearest import BLOCK, FEWEST, NUMBERS, nearest_code, nearest_two


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def exhaustive(z: Tensor, codebook: Tensor) -> Tensor:
    """All squared distances from the differences themselves, in float64."""
    return (z.double()[:, None] - codebook.double()[None]).square().sum(-1)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 70), st.integers(1, 9), st.integers(1, 200), st.floats(1e-3, 1e3), st.floats(-50, 50),
    st.integers(0, 999),
)  # fmt: skip
def test_no_code_is_nearer(codes: int, size: int, count: int, scale: float, shift: float, seed: int) -> None:
    """In float64 no code is nearer than the chosen one by more than float32's rounding of ‖z‖² + ‖e‖²."""
    generator = seeded(seed)
    codebook = scale * torch.randn(codes, size, generator=generator) + shift
    z = scale * torch.randn(count, size, generator=generator) + shift
    distances = exhaustive(z, codebook)
    chosen = distances.gather(1, nearest_code(z, codebook)[:, None])[:, 0]
    middle = codebook.mean(0)
    slack = 4e-6 * ((z - middle).square().sum(1) + (codebook - middle).square().sum(1).max() + 1e-6 * shift**2)
    assert bool((chosen <= distances.min(1).values + slack.double()).all())


def test_float64_is_the_exhaustive_search_itself() -> None:
    """More rows than one block, several threads' shares: the very same indices."""
    z = torch.randn(5 * BLOCK + 7, 6, generator=seeded(1), dtype=torch.float64)
    codebook = torch.randn(50, 6, generator=seeded(2), dtype=torch.float64)
    assert torch.equal(nearest_code(z, codebook), exhaustive(z, codebook).argmin(1))


@pytest.mark.parametrize("codes", [16, 512, 9_000])
def test_no_matrix_of_all_distances_is_ever_made(codes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every product's size is recorded; none has more than a block's rows, nor more numbers than fit the cache."""
    sizes: list[torch.Size] = []
    product = torch.addmm

    def recorded(*arguments: Tensor) -> Tensor:
        sizes.append(product(*arguments).shape)
        return product(*arguments)

    monkeypatch.setattr(torch, "addmm", recorded)
    nearest_code(torch.randn(5_000, 3, generator=seeded()), torch.randn(codes, 3, generator=seeded(1)))
    assert sum(rows for rows, _ in sizes) == 5_000
    assert max(rows for rows, _ in sizes) <= max(FEWEST, min(BLOCK, NUMBERS // codes))


def test_far_from_the_origin_codes_are_still_told_apart() -> None:
    """Codes 1 apart at 10,000: ‖e‖² alone would lose them to rounding in float32."""
    codebook = 10_000 + torch.arange(8.0)[:, None].expand(8, 4).contiguous()
    z = codebook + 0.2
    assert nearest_code(z, codebook).tolist() == list(range(8))


def test_second_nearest_is_the_second_of_all() -> None:
    """Indices and squared distances of the two smallest, sorted in float64; relative 1e-5."""
    z, codebook = torch.randn(300, 5, generator=seeded(3)), torch.randn(40, 5, generator=seeded(4))
    values, order = exhaustive(z, codebook).sort(1)
    found, squared = nearest_two(z, codebook)
    assert torch.equal(found, order[:, :2])
    assert torch.allclose(squared.double(), values[:, :2], rtol=1e-5)


def test_equal_codes_are_harmless() -> None:
    """Identical rows: any of them is right, and the distance is that of one."""
    codebook = torch.tensor([[1.0, 1.0], [1.0, 1.0], [5.0, 5.0]])
    found, squared = nearest_two(torch.tensor([[1.0, 2.0]]), codebook)
    assert sorted(found[0].tolist()) == [0, 1]
    assert squared.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("z", "codebook", "words"),
    [
        (torch.zeros(3, 2), torch.tensor([[0.0, 1.0], [float("nan"), 0.0]]), "Row 1 of the codebook"),
        (torch.zeros(3, 2), torch.full((2, 2), float("inf")), "Row 0 of the codebook"),
        (torch.full((3, 2), float("nan")), torch.zeros(2, 2), "vector to be quantised"),
        (torch.zeros(3, 3), torch.zeros(2, 2), "Codes have 2 numbers"),
        (torch.zeros(3, 2).double(), torch.zeros(2, 2), "both must be the same"),
        (torch.zeros(3, 2), torch.zeros(0, 2), "A codebook has K rows"),
    ],
)
def test_what_is_no_codebook_or_no_vector_is_told(z: Tensor, codebook: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        nearest_code(z, codebook)


def test_one_code_has_no_second() -> None:
    with pytest.raises(ValueError, match="one code only"):
        nearest_two(torch.zeros(3, 2), torch.zeros(1, 2))


def test_kmeans_is_as_good_as_scikit_learns() -> None:
    """Best of five starts each, on eight clusters with noise: distortions within 1 %."""
    centres = 4 * torch.randn(8, 3, generator=seeded(5))
    points = centres[torch.randint(8, (600,), generator=seeded(6))] + 0.5 * torch.randn(600, 3, generator=seeded(7))
    theirs = KMeans(8, n_init=5, random_state=0).fit(points.numpy()).inertia_ / len(points)
    ours = min(kmeans(points, 8, seeded(k)).distortion for k in range(5))
    assert ours == pytest.approx(theirs, rel=0.01)


def test_kmeans_ends_where_centres_are_means() -> None:
    """Lloyd's fixed point, from scikit-learn's own Lloyd started at the same centres; 1e-4."""
    points = torch.randn(400, 2, generator=seeded(8))
    start = first_centres(points, 6, seeded(9))
    theirs = KMeans(6, init=start.numpy(), n_init=1, max_iter=300, tol=0).fit(points.numpy())
    found = kmeans(points, 6, seeded(9), rounds=300)
    order = np.lexsort(found.centres.numpy().T)
    other = np.lexsort(theirs.cluster_centers_.T)
    assert np.allclose(found.centres.numpy()[order], theirs.cluster_centers_[other], atol=1e-4)


def test_kmeans_leaves_no_centre_without_points() -> None:
    """Two far heaps and equal points: every centre still wins something where points differ."""
    points = torch.cat([torch.randn(50, 2, generator=seeded(1)), 100 + torch.randn(50, 2, generator=seeded(2))])
    found = kmeans(points, 20, seeded(3))
    assert int((code_counts(found.indices, 20) == 0).sum()) == 0


def test_many_centres_start_at_distinct_points() -> None:
    points = torch.arange(2.0 * SEEDED)[:, None]
    assert len(first_centres(points, SEEDED + 1, seeded()).unique()) == SEEDED + 1


def test_more_centres_than_points_are_refused() -> None:
    with pytest.raises(ValueError, match="5 codes are to start from vectors, but there are 3"):
        kmeans(torch.zeros(3, 2), 5)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30))
def test_perplexity_is_its_formula(counts: list[int]) -> None:
    """exp(−Σ p log p) by Python's math; between 1 and the number of codes used."""
    found, total = perplexity(torch.tensor(counts)), sum(counts)
    if total == 0:
        assert found == 0
        return
    entropy = -sum(n / total * math.log(n / total) for n in counts if n)
    assert found == pytest.approx(math.exp(entropy), rel=1e-12)
    assert 1 - 1e-9 <= found <= sum(n > 0 for n in counts) + 1e-9


@pytest.mark.parametrize("codes", [1, 2, 512])
def test_perplexity_of_even_use_is_k(codes: int) -> None:
    counts = code_counts(torch.arange(codes).repeat(3), codes)
    assert perplexity(counts) == pytest.approx(codes, rel=1e-12)
    assert share_used(counts) == 1
