"""Films against a Gaussian closed form and float64 integration of single frames; layers, particles, arrows and grid."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from oracle_fields import lively, spiral

from dgm_core.cnf.fields import MLPField
from dgm_core.cnf.film import density_film, density_frames, solver_frames, wrong_film
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.film import Film, lattice
from dgm_core.nn.solvers import Solver

STILL = {"particles": 0, "arrows": 0, "grid": 0}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def bright(log_prob: np.ndarray, share: float = 1e-3) -> np.ndarray:
    """Where a frame's density is above a share of its peak."""
    return log_prob > log_prob.max() + np.log(share)


def errors(film: Film, truth: dict[int, np.ndarray]) -> np.ndarray:
    """|Δ log p| at the bright places of the frames whose truth is known."""
    return np.concatenate([np.abs(film.log_prob[k] - exact)[bright(exact)] for k, exact in truth.items()])


def integrated(flow: ContinuousFlow, film: Film, frames: list[int]) -> dict[int, np.ndarray]:
    """These frames by RK4 with 60 steps a unit in float64, each apart."""
    size = film.log_prob.shape[1]
    nodes = torch.tensor(lattice(film.extent, size, size)).reshape(-1, 2)
    double = ContinuousFlow(flow.field, Solver(steps=60)).double()
    with torch.no_grad():
        found = {k: double.log_prob(nodes, t=float(film.times[k])).view(size, size).numpy() for k in frames}
    flow.float()
    return found


def test_a_linear_flow_gives_the_gaussians_of_the_closed_form() -> None:
    """Quadratic log-densities are what a quintic spline reproduces, so only the step's error is left: 2e-3 nats."""
    flow = ContinuousFlow(spiral())
    film = density_film(flow, 64, 60, **STILL)
    nodes = lattice(film.extent, 64, 64)
    truth = {k: flow.field.log_prob(float(film.times[k]), nodes) for k in range(60)}
    assert errors(film, truth).max() < 2e-3


def test_a_network_gives_what_float64_integration_gives() -> None:
    """The goal, on a small picture: 99.9 % of |Δ log p| at most 0.01 nats where p > 1e-3 of the peak."""
    flow = ContinuousFlow(lively(seed=2).float())
    film, coarse = density_film(flow, 80, 60, **STILL), density_film(flow, 80, 60, refine=False, **STILL)
    truth = integrated(flow, film, [20, 59])
    fine, rough = (np.quantile(errors(each, truth), 0.999) for each in (film, coarse))
    assert fine < 0.01
    assert fine < rough < 0.1


def test_few_frames_are_as_accurate_as_many() -> None:
    """The map's steps do not grow with the frames' distance."""
    flow = ContinuousFlow(spiral())
    many, few = density_film(flow, 48, 61, **STILL), density_film(flow, 48, 4, **STILL)
    assert np.abs(many.log_prob[::20] - few.log_prob)[bright(many.log_prob[::20])].max() < 2e-3


def test_row_zero_is_at_ymin() -> None:
    """The flow only drifts down and right; so does the brightest cell."""
    field = spiral()
    with torch.no_grad():
        field.matrix.zero_()
        field.shift.copy_(torch.tensor([2.0, -1.0]))
    film = density_film(ContinuousFlow(field), 64, 20, **STILL)
    row, column = np.unravel_index(film.log_prob[-1].argmax(), (64, 64))
    assert np.abs(lattice(film.extent, 64, 64)[row, column] - [2.0, -1.0]).max() <= 8 / 64


def test_the_picture_need_not_be_square_in_the_plane() -> None:
    flow, extent = ContinuousFlow(spiral()), (-5.0, 3.0, -2.0, 4.0)
    film = density_film(flow, 64, 30, extent=extent, **STILL)
    exact = flow.field.log_prob(1.0, lattice(extent, 64, 64))
    assert np.abs(film.log_prob[-1] - exact)[bright(exact)].max() < 5e-3


def test_a_picture_of_a_part_knows_where_the_mass_came_from() -> None:
    """A window that the mass enters from outside, and one so small that its frames are integrated apart: 1e-2 nats."""
    flow = ContinuousFlow(spiral())
    for extent in ((-0.5, 3.5, 1.0, 5.0), (0.2, 0.9, -0.3, 0.4)):
        film = density_film(flow, 48, 20, extent=extent, **STILL)
        for k in (5, 19):
            exact = flow.field.log_prob(float(film.times[k]), lattice(extent, 48, 48))
            assert np.abs(film.log_prob[k] - exact)[bright(exact, 1e-2)].max() < 1e-2


def test_particles_arrows_and_grid() -> None:
    """Particles follow the closed-form flow (1e-4); arrows are the field at the cells; the grid starts straight."""
    field = spiral()
    film = density_film(ContinuousFlow(field), 32, 10, particles=20, arrows=5, grid=4, seed=3)
    assert film.particles is not None
    assert film.arrows is not None
    assert film.grid is not None
    for k, t in enumerate(film.times):
        linear, mean = field.propagator(float(t))
        assert np.abs(film.particles[k] - (film.particles[0] @ linear.T + mean)).max() < 1e-4
    places = torch.tensor(lattice(film.extent, 5, 5)).reshape(-1, 2)
    expected = field(torch.tensor(0.0), places).detach().numpy().reshape(5, 5, 2)
    assert np.abs(film.arrows[4] - expected).max() < 1e-5
    assert film.grid.shape == (10, 8, 61, 2)
    assert np.allclose(film.grid[0, :4, :, 0].std(axis=1), 0, atol=1e-6)
    assert np.allclose(film.grid[0, 4:, :, 1].std(axis=1), 0, atol=1e-6)
    again = density_film(ContinuousFlow(field), 32, 10, particles=20, arrows=0, grid=0, seed=3)
    other = density_film(ContinuousFlow(field), 32, 10, particles=20, arrows=0, grid=0, seed=4)
    assert np.array_equal(again.particles, film.particles)
    assert not np.array_equal(other.particles, film.particles)


def test_what_is_not_asked_for_is_not_made() -> None:
    film = density_film(ContinuousFlow(spiral()), 16, 2, **STILL)
    assert film.particles is None
    assert film.arrows is None
    assert film.grid is None


@pytest.mark.parametrize(("size", "frames"), [(8, 60), (64, 1)])
def test_too_small_a_film_is_refused(size: int, frames: int) -> None:
    with pytest.raises(ValueError, match="at least 2 frames of 16 cells"):
        density_film(ContinuousFlow(spiral()), size, frames)


def test_a_solvers_film_shows_that_solver() -> None:
    """Four Euler steps are far off, RK4 with 50 is not, and both are that solver's own log_prob; NFE grows with t."""
    flow = ContinuousFlow(spiral())
    exact = flow.field.log_prob(1.0, lattice((-4, 4, -4, 4), 24, 24))
    euler = list(solver_frames(flow, Solver(method="euler", steps=4), 24, 5))
    fine = list(solver_frames(flow, Solver(method="rk4", steps=50), 24, 5))
    seen = bright(exact)
    assert np.abs(euler[-1].log_prob - exact)[seen].max() > 0.5
    assert np.abs(fine[-1].log_prob - exact)[seen].max() < 1e-4
    assert [frame.nfe for frame in euler] == [0, 1, 2, 3, 4]
    assert [frame.time for frame in euler] == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_the_examples_film_is_right_at_both_ends_only() -> None:
    """Right at t = 0 and t = 1 within 1e-2; off by more than 0.1 nats half way, where the field depends on t."""
    field = MLPField(width=16, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        for layer in field.squashes:
            layer.gate.mul_(6)
    flow = ContinuousFlow(field)
    wrong, right = wrong_film(flow, 48, 31), density_film(flow, 48, 31, **STILL)
    off = [np.abs(wrong.log_prob[k] - right.log_prob[k])[bright(right.log_prob[k])].max() for k in (0, 15, 30)]
    assert off[0] < 1e-3
    assert off[1] > 0.1
    assert off[2] < 1e-2


def test_a_planar_film_is_exact_layer_by_layer() -> None:
    """Each frame is log_prob at its time; particles and arrows are the flow's own."""
    flow = PlanarFlow(layers=5, generator=torch.Generator().manual_seed(0))
    film = density_film(flow, 24, 11, particles=6, arrows=4, grid=3)
    nodes = torch.tensor(lattice(film.extent, 24, 24), dtype=torch.float32).reshape(-1, 2)
    for k in (0, 3, 10):
        expected = flow.log_prob(nodes, t=float(film.times[k])).detach().numpy().reshape(24, 24)
        assert np.abs(film.log_prob[k] - expected).max() < 1e-5
    start = torch.tensor(film.particles[0])
    assert np.allclose(flow.trajectory(start, (0.0, 1.0))[-1].detach().numpy(), film.particles[-1], atol=1e-4)


def test_frames_come_one_at_a_time() -> None:
    frames = density_frames(ContinuousFlow(spiral()), 16, 5)
    first = next(frames)
    rest = list(frames)
    assert first.shape == (16, 16)
    assert len(rest) == 4
    assert not np.array_equal(first, rest[-1])


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")
def test_cuda_agrees_with_the_cpu() -> None:
    """The same film within 1e-2 nats where p > 1e-3 of the peak."""
    flow = ContinuousFlow(lively().float())
    here = density_film(flow, 64, 60)
    there = density_film(flow.cuda(), 64, 60)
    for k in (10, 30, 59):
        assert np.abs(there.log_prob[k] - here.log_prob[k])[bright(here.log_prob[k])].max() < 1e-2
    assert np.allclose(there.particles, here.particles, atol=1e-3)
