"""The plane against autograd in float64, its own motion, and k-means; Voronoi cells against scipy and a raster."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import ConvexHull, Voronoi
from torch import Tensor

from dgm_core.nn.kmeans import kmeans
from dgm_core.pack import pack
from dgm_core.vqvae.plane import Plane, Rules
from dgm_core.vqvae.plane_film import PlaneFilm, run
from dgm_core.vqvae.plane_view import CodebookPlane
from dgm_core.vqvae.voronoi import voronoi_cells

EXTENT = (-3.0, 3.0, -2.0, 2.0)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def points(n: int = 80, seed: int = 0) -> Tensor:
    return 2 * torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("codebook", ["ema", "loss"])
@pytest.mark.parametrize("encoder", ["fixed", "free"])
def test_arrows_are_what_the_next_step_does(encoder: str, codebook: str) -> None:
    """z moves by the sum of its two arrows, codes by their pull; 1e-5. Fixed outputs stay."""
    plane = Plane(points(), Rules(codes=6, encoder=encoder, codebook=codebook, seed=3))  # type: ignore[arg-type]
    for _ in range(5):
        before = plane.look()
        plane.step()
        after = plane.look()
        moved = before.straight + before.commit if encoder == "free" else 0
        assert np.allclose(after.z - before.z, moved, atol=1e-5)
        assert np.allclose(after.codes - before.codes, before.pull, atol=1e-5)


def test_arrows_by_hand() -> None:
    """Point (1, 0), its output (2, 0), code (3, 1): −rate · 2 (e − x), −rate · 2 β (z − e), a mean from nothing."""
    plane = Plane(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), Rules(codes=2, beta=0.5, rate=0.1, decay=0.9))
    with torch.no_grad():
        plane.free[:] = torch.tensor([2.0, 0.0])
        plane.quantiser.codebook[:] = torch.tensor([[3.0, 1.0], [50.0, 50.0]])
    found = plane.look()
    assert np.allclose(found.straight, [[-0.4, -0.2]] * 2)
    assert np.allclose(found.commit, [[0.1, 0.1]] * 2)
    assert np.allclose(found.pull, [[-1.0, -1.0], [0.0, 0.0]])  # the first batch ever: all the way to the mean
    assert found.figures == {
        "reconstruction": pytest.approx(5), "distortion": pytest.approx(2), "perplexity": pytest.approx(1), "used": 0.5,
    }  # fmt: skip


def test_networks_get_the_gradient_of_the_whole_objective() -> None:
    """Adam's first step has the sign of −∇; the gradient by autograd of the objective with the copy written out."""
    plane = Plane(points(), Rules(codes=5, encoder="network", start="data"))
    weights = [*plane.encoder.parameters(), *plane.decoder.parameters()]
    z = plane.encoder(plane.points)
    e = plane.quantiser.codebook[plane.quantiser.nearest(z)].detach()
    copied = z + (e - z).detach()
    loss = (plane.points - plane.decoder(copied)).square().sum() + 0.25 * (z - e).square().sum()
    gradients = torch.autograd.grad(loss, weights)
    before = [weight.detach().clone() for weight in weights]
    plane.step()
    for old, new, gradient in zip(before, weights, gradients, strict=True):
        clear = gradient.abs() > 1e-2
        assert torch.equal((new.detach() - old)[clear].sign(), -gradient[clear].sign())


def test_without_memory_it_is_kmeans() -> None:
    """γ = 0, fixed outputs: in the end a fixed point of Lloyd's algorithm, and no better than the best of those."""
    film = run(points(200), Rules(codes=7, encoder="fixed", decay=0.0, start="data"), 60, every=60)
    data, codes = film.points, film.codes[-1]
    nearest = ((data[:, None] - codes[None]) ** 2).sum(-1).argmin(1)
    assert np.array_equal(nearest, film.indices[-1])
    for k in np.unique(nearest):
        assert np.allclose(codes[k], data[nearest == k].mean(0), atol=2e-3)
    assert film.distortion[-1] >= film.kmeans_distortion - 1e-5


def test_kmeans_beside_it_is_on_the_points_themselves() -> None:
    film = run(points(150), Rules(codes=5, encoder="network"), 3)
    best = min(kmeans(points(150), 5, torch.Generator().manual_seed(k)).distortion for k in range(5))
    assert film.kmeans_distortion == pytest.approx(best, rel=1e-6)
    own = ((film.points[:, None] - film.kmeans_codes[None]) ** 2).sum(-1).min(1).mean()
    assert own == pytest.approx(film.kmeans_distortion, rel=1e-5)


def test_a_film_is_the_steps_one_by_one() -> None:
    """Frames at 0, 3, 6, 7 are what `step` gives; places rounded to 2⁻¹⁰."""
    rules = Rules(codes=12, start="corner", patience=2, seed=5)
    film, plane = run(points(60), rules, 7, every=3), Plane(points(60), rules)
    moments = []
    for step in range(8):
        moments.append(plane.look())
        if step < 7:
            plane.step()
    assert film.steps.tolist() == [0, 3, 6, 7]
    for frame, step in enumerate(film.steps):
        assert np.allclose(film.codes[frame], moments[step].codes, atol=2**-10)
        assert np.allclose(film.straight[frame], moments[step].straight, atol=2**-14)
        assert np.array_equal(film.indices[frame], moments[step].indices)
    anew = np.stack([moment.restarted for moment in moments])
    assert film.restarted.tolist() == [
        anew[0].tolist(),
        anew[1:4].any(0).tolist(),
        anew[4:7].any(0).tolist(),
        anew[7].tolist(),
    ]
    assert anew.any()


def test_films_come_back_whole() -> None:
    film = run(points(30), Rules(codes=3), 4)
    back = PlaneFilm.from_bytes(film.to_bytes())
    assert back.kmeans_distortion == film.kmeans_distortion
    assert all(np.array_equal(getattr(back, name), getattr(film, name)) for name in ("z", "codes", "pull", "indices"))
    with pytest.raises(ValueError, match="no packed arrays"):
        PlaneFilm.from_bytes(film.to_bytes()[:-40])
    with pytest.raises(ValueError, match="no film of the plane"):
        PlaneFilm.from_bytes(pack({}, {"z": film.z}))


def test_the_same_declaration_is_the_same_film() -> None:
    one, same, other = (CodebookPlane(steps=10, seed=seed).film() for seed in (1, 1, 2))
    assert np.array_equal(one.codes, same.codes)
    assert not np.array_equal(one.codes, other.codes)


@pytest.mark.parametrize("values", [{"start": "data", "codes": 40, "count": 30}, {"codes": 1}, {"rate": 3.0}])
def test_what_cannot_be_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  pydantic's own words for bounds
        CodebookPlane(**values)  # type: ignore[arg-type]


def test_too_long_a_film_is_told() -> None:
    with pytest.raises(ValueError, match="too many; take fewer"):
        run(points(1000), Rules(), 2000)


def area(polygon: np.ndarray) -> float:
    return float(ConvexHull(polygon).volume) if len(polygon) > 2 else 0.0


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(0, 999))
def test_cells_fill_the_window_and_hold_what_is_nearest(codes: int, seed: int) -> None:
    """Areas sum to the window's; 400 points of a raster lie in the cell of their nearest code (exhaustive search)."""
    random = np.random.default_rng(seed)
    places = random.uniform(-4, 4, (codes, 2))
    cells = voronoi_cells(places, EXTENT)
    assert sum(area(cell) for cell in cells) == pytest.approx(24, rel=1e-9)
    for point in random.uniform([-3, -2], [3, 2], (50, 2)):
        cell = cells[int(((places - point) ** 2).sum(1).argmin())]
        after = np.roll(cell, -1, 0)
        turns = np.cross(np.c_[after - cell, np.zeros(len(cell))], np.c_[point - cell, np.zeros(len(cell))])[:, 2]
        assert (turns >= -1e-9).all()


def test_inner_cells_are_scipys() -> None:
    """Codes whose cell does not touch the window: the corners are `scipy.spatial.Voronoi`'s; 1e-9."""
    places = np.random.default_rng(0).uniform(-2, 2, (40, 2))
    theirs, ours = Voronoi(places), voronoi_cells(places, (-20, 20, -20, 20))
    compared = 0
    for k, region in enumerate(theirs.point_region):
        corners = theirs.regions[region]
        if -1 in corners or np.abs(theirs.vertices[corners]).max() > 19:
            continue
        compared += 1
        expected = theirs.vertices[corners]
        assert len(ours[k]) == len(expected)
        assert max(np.abs(expected - corner).sum(1).min() for corner in ours[k]) < 1e-9
    assert compared > 20


@given(arrays(np.float64, (5, 2), elements=st.sampled_from([-1.0, 0.0, 1.0])))
def test_equal_and_collinear_codes_are_harmless(places: np.ndarray) -> None:
    """Of equal codes the first has the cell; what there is still fills the window."""
    cells = voronoi_cells(places, EXTENT)
    assert sum(area(cell) for cell in cells) == pytest.approx(24, rel=1e-9)
    for k in range(5):
        assert (len(cells[k]) == 0) == any((places[j] == places[k]).all() for j in range(k))
