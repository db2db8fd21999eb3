"""Networks and their flows against torchdiffeq, autograd in float64 and plain geometry."""

import math

import numpy as np
import pytest
import torch
import torchdiffeq
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dgm_core.neural_ode.classifiers import (
    Classifier,
    ODEClassifier,
    ResidualClassifier,
    closest,
    jacobians,
    path_length,
    trace_integral,
)
from dgm_core.neural_ode.deciding import adaptive, decision_loss
from dgm_core.neural_ode.labelled import labelled
from dgm_core.neural_ode.networks import EVALUATIONS, FieldNetwork, hermite, step, unroll
from dgm_core.neural_ode.rings import direction, follow, winding_number

METHODS = ("euler", "midpoint", "rk4")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ode(added: int = 0, steps: int = 8, seed: int = 0, gain: float = 1.0) -> ODEClassifier:
    model = ODEClassifier(added, steps, 16, 2, "rk4", seeded(seed)).double()
    with torch.no_grad():
        model.field.weights[-1].mul_(gain)
    return model


def test_a_field_is_the_network_that_it_says() -> None:
    field = FieldNetwork(3, 5, 2, timed=True, generator=seeded()).double()
    z, t = torch.randn(7, 3, generator=seeded(1), dtype=torch.float64), 0.3
    w, b = ([p.detach().numpy() for p in group] for group in (field.weights, field.biases))
    h = np.tanh(z.numpy() @ w[0] + b[0] + t * field.drift.detach().numpy())
    expected = np.tanh(h @ w[1] + b[1]) @ w[2] + b[2]
    np.testing.assert_allclose(field(t, z).detach().numpy(), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_unrolled_steps_are_torchdiffeqs(method: str) -> None:
    field = FieldNetwork(2, 8, 2, timed=True, generator=seeded()).double()
    z = torch.randn(5, 2, generator=seeded(1), dtype=torch.float64)
    calls = 0

    def counted(t: float, at: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return field(t, at)

    states, slopes = unroll(counted, z, (0.0, 1.0), 4, method)  # type: ignore[arg-type]
    times = torch.linspace(0, 1, 5, dtype=torch.float64)
    theirs = torchdiffeq.odeint(field, z, times, method=method)
    torch.testing.assert_close(torch.stack(states), theirs, rtol=0, atol=1e-14)
    assert calls == 4 * EVALUATIONS[method]
    torch.testing.assert_close(slopes[2], field(0.5, states[2]))


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.floats(-2, 2), st.floats(0.1, 3), st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_the_cubic_between_two_steps_is_exact_for_cubics(c: list[float], start: float, h: float, share: float) -> None:
    p = np.polynomial.Polynomial(c)
    ends = [torch.tensor([[float(q(start + k * h))]], dtype=torch.float64) for q in (p, p.deriv()) for k in (0, 1)]
    found = hermite(*ends, h, torch.tensor([[share]], dtype=torch.float64)).item()
    assert found == pytest.approx(p(start + share * h), abs=1e-10 * (1 + sum(map(abs, c)) * (abs(start) + h) ** 3))


@pytest.mark.parametrize("model", [ode(), ode(2), ResidualClassifier(1, 3, 8, 2, seeded()).double()])
def test_jacobians_along_the_path_are_autograds(model: Classifier) -> None:
    x = torch.randn(3, 2, generator=seeded(2), dtype=torch.float64)
    found = jacobians(model, x)
    assert found.shape == (model.steps + 1, 3, model.dim, model.dim)
    for n in range(3):
        z = model.lift(x[n : n + 1])[0]
        expected = torch.autograd.functional.jacobian(lambda z: torch.stack(model.path_of(z.unsqueeze(0)))[:, 0], z)
        torch.testing.assert_close(found[:, n], expected, rtol=0, atol=1e-12)


def test_log_determinant_is_the_integrated_trace() -> None:
    """Liouville; RK4 with 64 steps leaves 1e-7 on this field."""
    model = ode(1, steps=64, gain=4.0)
    x = torch.randn(20, 2, generator=seeded(3), dtype=torch.float64)
    logarithm = torch.linalg.slogdet(jacobians(model, x)[-1])[1]
    assert float(logarithm.abs().max()) > 0.1
    torch.testing.assert_close(trace_integral(model, x), logarithm, rtol=0, atol=1e-5)


@given(st.integers(0, 10_000), st.floats(0.5, 6.0))
@settings(max_examples=8, deadline=None)
def test_no_flow_folds_the_plane_or_takes_a_ring_off_its_centre(seed: int, gain: float) -> None:
    model = ode(seed=seed, steps=16, gain=gain)
    x = torch.randn(50, 2, generator=seeded(seed), dtype=torch.float64)
    assert bool((torch.linalg.det(jacobians(model, x)) > 0).all())
    ring = follow(model)
    torch.testing.assert_close(ring.winding, torch.ones(17, dtype=torch.float64), rtol=0, atol=1e-9)
    assert bool(model.read(ring.centre[-1]) < model.read(ring.images[-1]).max())


def test_a_fold_takes_a_ring_off_its_centre() -> None:
    """By hand: (x, y) ↦ (|x|, y), and what then lies to the right of ½ is moved on by 1."""

    class Fold(ResidualClassifier):
        def path_of(self, z: torch.Tensor, first: int = 0) -> list[torch.Tensor]:
            folded = torch.stack([z[:, 0].abs(), z[:, 1]], dim=1)
            return [z, folded + torch.tensor([1.0, 0.0], dtype=z.dtype) * (folded[:, :1] > 0.5)]

    model = Fold(0, 1, 4, 1, seeded()).double()
    assert follow(model).winding[-1].item() == pytest.approx(0.0, abs=1e-9)


def test_a_ring_is_followed_as_closely_as_it_must_be() -> None:
    ring = follow(ode(gain=20.0, steps=16))
    sides = (ring.images - ring.images.roll(-1, dims=1)).norm(dim=-1)
    assert float(sides.max()) <= 0.1
    assert len(ring.angles) > 256
    assert bool((ring.angles.diff() > 0).all())
    torch.testing.assert_close(ring.images[0], 1.25 * direction(ring.angles))


@pytest.mark.parametrize(("turns", "shift", "expected"), [(1, 0.0, 1), (-2, 0.0, -2), (3, 0.5, 3), (1, 1.5, 0)])
def test_winding_numbers_are_counted(turns: int, shift: float, expected: int) -> None:
    curve = direction(torch.arange(300, dtype=torch.float64) * (2 * math.pi * turns / 300))
    found = winding_number(curve + torch.tensor([shift, 0.0]))
    assert float(found) == pytest.approx(expected, abs=1e-9)


def test_finer_steps_change_nothing_but_the_number_of_states() -> None:
    model = ode(steps=6)
    x = torch.randn(30, 2, generator=seeded(4), dtype=torch.float64)
    finer = model.refined(25)
    assert (finer.steps, model.steps, len(finer.times)) == (24, 6, 25)
    torch.testing.assert_close(finer.path(x)[::4], model.path(x), rtol=0, atol=1e-5)
    coarse = ODEClassifier(0, 3, 8, 1, "euler", seeded())
    residual = ResidualClassifier(0, 3, 8, 1, seeded())
    assert coarse.refined(25) is coarse
    assert residual.refined(25) is residual


@pytest.mark.parametrize("model", [ode(), ResidualClassifier(1, 3, 8, 2, seeded()).double()])
def test_a_path_may_be_entered_on_the_way(model: Classifier) -> None:
    x = torch.randn(4, 2, generator=seeded(5), dtype=torch.float64)
    path = model.path(x)
    torch.testing.assert_close(torch.stack(model.path_of(path[2], 2)), path[2:])
    torch.testing.assert_close(model(x), path[-1] @ model.readout + model.threshold)


def test_adaptive_logits_are_torchdiffeqs_and_every_evaluation_is_counted() -> None:
    model, x = ode(1), torch.randn(6, 2, generator=seeded(6), dtype=torch.float64)
    calls = 0

    def counted(t: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return model.field(t, z)

    with torch.no_grad():
        end = torchdiffeq.odeint(counted, model.lift(x), torch.tensor([0.0, 1.0]).double(), rtol=1e-4, atol=1e-4)[-1]
        logits, nfe = adaptive(model, x)
        torch.testing.assert_close(logits, model.read(end), rtol=0, atol=1e-12)
    assert nfe == calls


def test_the_loss_is_the_mean_surprise() -> None:
    logit, y = torch.randn(50, generator=seeded(7)).double(), (torch.rand(50, generator=seeded(8)) > 0.5).double()
    p = 1 / (1 + np.exp(-logit.numpy()))
    expected = -np.mean(np.where(y.numpy() > 0.5, np.log(p), np.log(1 - p)))
    assert float(decision_loss(logit, y)) == pytest.approx(expected, abs=1e-12)


def test_disc_and_ring_are_uniform_and_balanced() -> None:
    data = labelled("circles", 20_000, seed=0)
    r2 = data.x.double().square().sum(1).numpy()
    inner = data.y.numpy() > 0.5
    assert abs(inner.mean() - 0.5) < 4 * 0.5 / math.sqrt(20_000)
    assert stats.kstest(r2[inner] / 0.25, "uniform").pvalue > 1e-4
    assert stats.kstest((r2[~inner] - 1) / 1.25, "uniform").pvalue > 1e-4
    angle = np.arctan2(data.x[:, 1].numpy(), data.x[:, 0].numpy())
    assert stats.kstest((angle + np.pi) / (2 * np.pi), "uniform").pvalue > 1e-4


@pytest.mark.parametrize("name", ["circles", "moons", "spirals"])
def test_points_are_the_seeds_and_lie_in_the_window(name: str) -> None:
    one, same, other = (labelled(name, 2_000, seed) for seed in (1, 1, 2))
    assert torch.equal(one.x, same.x)
    assert not torch.equal(one.x, other.x)
    assert float((one.x.abs() > 2).any(dim=1).float().mean()) < 0.01
    # Turned by half a turn, moons and spirals change classes: the two clouds' mean distances agree.
    if name != "circles":
        a, b = one.x[one.y > 0.5].norm(dim=1), one.x[one.y <= 0.5].norm(dim=1)
        assert stats.ks_2samp(a.numpy(), b.numpy()).pvalue > 1e-4


def test_closest_and_length_are_searched_exhaustively() -> None:
    states = torch.randn(3, 12, 2, generator=seeded(9), dtype=torch.float64)
    y = (torch.arange(12) % 2).double()
    expected = [min(float((s[i] - s[j]).norm()) for i in range(12) for j in range(12) if y[i] > y[j]) for s in states]
    np.testing.assert_allclose(closest(states, y).numpy(), expected, rtol=1e-12)
    lengths = np.linalg.norm(np.diff(states.numpy(), axis=0), axis=2).sum(0)
    np.testing.assert_allclose(path_length(states).numpy(), lengths, rtol=1e-12)


def test_one_step_of_euler_is_a_residual_block() -> None:
    field = FieldNetwork(2, 8, 1, generator=seeded()).double()
    z = torch.randn(4, 2, generator=seeded(1), dtype=torch.float64)
    torch.testing.assert_close(step(field, "euler", 0.0, 1.0, z)[0], z + field(0.0, z))
