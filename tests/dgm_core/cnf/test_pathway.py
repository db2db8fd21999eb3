"""One point's way: against the matrix exponential, autograd's Jacobian, log det = ∫ tr, and the film."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_fields import lively, spiral

from dgm_core.cnf.film import density_film
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.pathway import pathway, read_film
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.film import Film, lattice
from dgm_core.nn.solvers import Solver

TIMES = np.linspace(0, 1, 30)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@settings(max_examples=15, deadline=None)
@given(x=st.tuples(st.floats(-3, 3), st.floats(-3, 3)), t=st.floats(0, 1))
def test_a_linear_flow_in_closed_form(x: tuple[float, float], t: float) -> None:
    """Path, density, Jacobian and trace from the matrix exponential: 1e-5."""
    field = spiral()
    found = pathway(ContinuousFlow(field), x, t, TIMES)
    linear, mean = field.propagator(t)
    base = np.linalg.solve(linear, np.array(x) - mean)
    for k, time in enumerate(TIMES):
        linear, mean = field.propagator(float(time))
        assert np.abs(found.path[k] - (linear @ base + mean)).max() < 1e-5
        assert np.abs(found.jacobian[k] - linear).max() < 1e-5
        assert abs(found.log_prob[k] - field.log_prob(float(time), found.path[k])) < 1e-4
    assert np.allclose(found.trace, -0.1)
    assert np.allclose(found.change, 0.1 * TIMES, atol=1e-8)


def test_a_networks_jacobian_is_autograds() -> None:
    """At t = 1, through 100 RK4 steps: 1e-4 of numbers of order 1; the path ends where the flow says, 1e-6."""
    flow = ContinuousFlow(lively(), Solver(steps=100))
    found = pathway(flow, (0.3, -0.5), 0.0, TIMES)

    def end(z: torch.Tensor) -> torch.Tensor:
        return flow.trajectory(z[None], (0.0, 1.0))[-1, 0]

    start = torch.tensor([0.3, -0.5], dtype=torch.float64)
    assert np.abs(found.path[-1] - end(start).detach().numpy()).max() < 1e-5
    assert np.abs(found.jacobian[-1] - torch.autograd.functional.jacobian(end, start).numpy()).max() < 1e-4


@pytest.mark.parametrize("kind", ["network", "planar"])
def test_the_discs_area_grows_by_the_integral_of_the_trace(kind: str) -> None:
    """log |det J(t)| = ∫ tr: both are found in different ways; 1e-6."""
    planar = PlanarFlow(layers=7, generator=torch.Generator().manual_seed(0))
    flow = planar if kind == "planar" else ContinuousFlow(lively())
    found = pathway(flow, (0.5, 0.8), 0.4, TIMES)
    assert np.abs(np.log(np.abs(np.linalg.det(found.jacobian))) + found.change).max() < 1e-6
    at = np.array([np.interp(0.4, TIMES, found.path[:, d]) for d in range(2)])
    assert np.abs(at - [0.5, 0.8]).max() < 0.02


@pytest.mark.parametrize("kind", ["network", "planar"])
def test_the_log_density_is_the_flows(kind: str) -> None:
    planar = PlanarFlow(layers=7, generator=torch.Generator().manual_seed(0)).double()
    flow = planar if kind == "planar" else ContinuousFlow(lively(), Solver(steps=100))
    found = pathway(flow, (0.5, 0.8), 1.0, TIMES)
    for k in (0, 11, 29):
        there = torch.tensor(found.path[k : k + 1])
        assert found.log_prob[k] == pytest.approx(float(flow.log_prob(there, t=float(TIMES[k])).detach()), abs=1e-4)


def test_the_film_tells_the_same() -> None:
    """The film read along the path: within 0.02 nats for a Gaussian on 64² cells; NaN off the picture."""
    flow = ContinuousFlow(spiral())
    film = density_film(flow, 64, 30, particles=0, arrows=0, grid=0)
    found = pathway(flow, (1.0, 0.5), 0.5, TIMES, film)
    assert found.from_film is not None
    assert np.abs(found.from_film - found.log_prob).max() < 0.02
    assert np.isnan(read_film(film, np.array([0.5]), np.array([[9.0, 0.0]]))).all()


@given(st.floats(0, 1), st.floats(-3.8, 3.8), st.floats(-3.8, 3.8))
def test_reading_a_film_is_exact_for_what_is_linear(t: float, x: float, y: float) -> None:
    times = np.array([0.0, 0.3, 1.0])
    nodes = lattice((-4, 4, -4, 4), 32, 32)
    frames = np.stack([2 * time + nodes[..., 0] - 3 * nodes[..., 1] for time in times]).astype(np.float32)
    film = Film(times, frames, (-4, 4, -4, 4))
    got = read_film(film, np.array([t]), np.array([[x, y]]))
    assert got[0] == pytest.approx(2 * t + x - 3 * y, abs=1e-4)


@pytest.mark.parametrize(("times", "t"), [([0.1, 1.0], 0.5), ([0.0, 1.0], 1.5), ([0.0], 0.0)])
def test_times_that_do_not_span_the_flow_are_refused(times: list[float], t: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        pathway(ContinuousFlow(spiral()), (0.0, 0.0), t, times)
