"""The Check table: every line passes for a sound flow, and each fails when what it guards is broken."""

from __future__ import annotations

import math

import pytest
import torch
from oracle_fields import LinearField, lively
from torch import Tensor

from dgm_core.cnf import trace_checks
from dgm_core.cnf.checks import checks, inverse, likelihood, mass
from dgm_core.cnf.fields import MLPField, PlanarField
from dgm_core.cnf.film import AnyFlow, density_film
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.film import Film

STILL = {"particles": 0, "arrows": 0, "grid": 0}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


class Normal:
    """N(0, σ² I) as a target."""

    entropy_error = 0.0

    def __init__(self, sigma: float = 1.0) -> None:
        self.sigma = sigma
        self.entropy: float | None = 1 + math.log(2 * math.pi) + 2 * math.log(sigma)

    def sample(self, n: int, seed: int = 0) -> Tensor:
        return self.sigma * torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))


def film_of(flow: AnyFlow) -> Film:
    return density_film(flow, 64, 12, **STILL)


def points() -> Tensor:
    return Normal().sample(64).double()


FLOWS = {
    "network": lambda g: ContinuousFlow(MLPField(width=16, generator=g)),
    "planar units": lambda g: ContinuousFlow(PlanarField(units=8, generator=g)),
    "planar layers": lambda g: PlanarFlow(layers=3, generator=g),
}


@pytest.mark.parametrize("name", FLOWS)
def test_a_sound_flow_passes_everything(name: str) -> None:
    flow = FLOWS[name](torch.Generator().manual_seed(0))
    with torch.no_grad():
        for weight in flow.parameters():
            weight.mul_(0.7)
    found = checks(flow, film_of(flow), Normal(), seed=1)
    assert [check.name for check in found if not check.passed] == []
    assert len(found) == (5 if isinstance(flow, PlanarFlow) else 11)
    assert checks(flow, film_of(flow), Normal(), seed=1) == found


class Wrong(LinearField):
    """Its trace is half of what it should be."""

    def with_trace(self, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        velocity, trace = super().with_trace(t, z)
        return velocity, trace / 2


def test_a_wrong_trace_is_found() -> None:
    flow, x = ContinuousFlow(Wrong([[0.5, 0.1], [0.0, 0.7]], [0.0, 0.0])), points()
    assert not trace_checks.trace_against_autograd(flow, x).passed
    assert not trace_checks.change_of_variables(flow, x).passed
    assert not mass(flow, density_film(flow, 64, 12, extent=(-9.0, 9.0, -9.0, 9.0), **STILL), seed=0).passed


def test_a_scaled_film_has_the_wrong_mass() -> None:
    flow = ContinuousFlow(LinearField([[0.1, 0.0], [0.0, -0.1]], [0.0, 0.0]))
    film = film_of(flow)
    assert mass(flow, film, seed=0).passed
    assert not mass(flow, Film(film.times, film.log_prob + 0.02, film.extent), seed=0).passed


def test_mass_off_the_picture_is_accounted_for() -> None:
    """The flow drifts half off the picture; the share of samples outside makes up for it."""
    flow = ContinuousFlow(LinearField([[0.0, 0.0], [0.0, 0.0]], [3.0, 0.0]))
    check = mass(flow, film_of(flow), seed=0)
    assert check.passed
    assert "15" in check.note or "16" in check.note  # P(N(3, 1) > 4) = 15.9 %


def test_a_wrong_variance_is_found() -> None:
    """A field whose Jacobian is stated twice too large."""

    class Double(LinearField):
        def with_jacobian(self, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
            velocity, jacobian = super().with_jacobian(t, z)
            return velocity, 2 * jacobian

    found = trace_checks.hutchinson_moments(Double([[1.0, 2.0], [0.0, 1.0]], [0.0, 0.0]), points(), 0)
    assert not any(check.passed for check in found)


def test_a_wrong_sum_is_found() -> None:
    field = PlanarField(units=4, generator=torch.Generator().manual_seed(0)).double()
    field.with_trace = lambda t, z: (field(t, z), torch.zeros_like(z[:, 0]))  # type: ignore[method-assign]
    assert not trace_checks.sum_of_fields(field, points(), 0).passed


def test_the_inverse_notices_a_field_too_steep_for_its_solver() -> None:
    flow = ContinuousFlow(LinearField([[0.0, 400.0], [-400.0, 0.0]], [0.0, 0.0]))
    assert not inverse(flow, points()).passed


def test_a_likelihood_better_than_the_entropy_allows_is_found() -> None:
    """Data narrower than the target says have a mean NLL below its entropy."""
    flow = ContinuousFlow(LinearField([[0.0, 0.0], [0.0, 0.0]], [0.0, 0.0]))
    narrow = Normal(0.5).sample(2000).double()
    assert not likelihood(flow, narrow, Normal())[0].passed
    assert likelihood(flow, Normal().sample(2000).double(), Normal())[0].passed


def test_an_unknown_entropy_leaves_the_line_out() -> None:
    target = Normal()
    target.entropy = None
    assert likelihood(ContinuousFlow(lively()), points(), target) == []
