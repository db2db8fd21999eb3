"""Flow matching: its hand-written gradient against autograd, its minimiser against the Gaussian closed form."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dgm_core.cnf.fields import MLPField, PlanarField
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.flow_matching import MatchingGradient, matching_loss, straight_path, stratified_times
from dgm_core.cnf.objectives import Batches, FlowMatching
from dgm_core.training.averaged_adam import AveragedAdam, cosine, flatten_parameters, named_views


def relative_error(field: MLPField, batch: int, generator: torch.Generator) -> float:
    """‖by hand − autograd‖ / ‖autograd‖ over all weights, for one random batch."""
    dtype = next(field.parameters()).dtype
    t = stratified_times(batch, generator).to(dtype)
    z, velocity = (torch.randn(batch, field.dim, generator=generator, dtype=dtype) for _ in range(2))
    by_hand = MatchingGradient(field, batch)
    loss = by_hand(t, z, velocity)
    reference = matching_loss(field, t, z, velocity)
    torch.testing.assert_close(loss, reference.detach())
    names = [name for name, _ in field.named_parameters()]
    exact = torch.cat([g.flatten() for g in torch.autograd.grad(reference, list(field.parameters()))])
    found = torch.cat([by_hand.gradients[name].flatten() for name in names])
    return float((found - exact).norm() / exact.norm())


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("seed", range(3))
def test_gradient_by_hand_is_autograds(dtype: torch.dtype, tolerance: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    field = MLPField(width=64, depth=3, generator=generator).to(dtype)
    assert relative_error(field, 512, generator) < tolerance


@given(dim=st.integers(1, 5), width=st.integers(1, 20), depth=st.integers(1, 4), batch=st.integers(1, 33))
@settings(max_examples=40, deadline=None)
def test_gradient_by_hand_for_every_shape(dim: int, width: int, depth: int, batch: int) -> None:
    generator = torch.Generator().manual_seed(width)
    field = MLPField(dim=dim, width=width, depth=depth, generator=generator).double()
    assert relative_error(field, batch, generator) < 1e-10


def test_gradient_by_hand_at_weights_that_saturate() -> None:
    generator = torch.Generator().manual_seed(0)
    field = MLPField(width=16, depth=3, generator=generator).double()
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.mul_(30)
    assert relative_error(field, 64, generator) < 1e-10


def test_a_second_call_owes_nothing_to_the_first() -> None:
    generator = torch.Generator().manual_seed(0)
    field = MLPField(width=8, generator=generator)
    step = MatchingGradient(field, 32)
    t, z, velocity = stratified_times(32, generator), torch.randn(32, 2), torch.randn(32, 2)
    step(t, z, velocity)
    first = {name: gradient.clone() for name, gradient in step.gradients.items()}
    step(1 - t, z + 1, velocity * 5)
    step(t, z, velocity)
    assert all(torch.equal(first[name], gradient) for name, gradient in step.gradients.items())


@pytest.mark.parametrize("make", [MLPField, PlanarField])
def test_objective_writes_the_flat_gradient_that_autograd_finds(make: type) -> None:
    """By hand or not, the same batch gives the same gradient in the same flat vector."""
    losses, gradients = [], []
    for by_hand in (True, False):
        flow = ContinuousFlow(make(generator=torch.Generator().manual_seed(1)))
        gradient = torch.zeros_like(flatten_parameters(flow))
        data = torch.randn(1000, 2, generator=torch.Generator().manual_seed(2))
        batches = Batches(data, 128, torch.Generator().manual_seed(3))
        losses.append(FlowMatching(flow, batches, gradient, by_hand=by_hand)())
        gradients.append(gradient)
    torch.testing.assert_close(losses[0], losses[1])
    assert float((gradients[0] - gradients[1]).norm() / gradients[1].norm()) < 1e-5


def test_path_joins_base_and_data_at_its_velocity() -> None:
    base, data = torch.randn(2, 7, 2, dtype=torch.float64).unbind()
    for time in (0.0, 0.25, 1.0):
        t = torch.full((7, 1), time, dtype=torch.float64)
        z, velocity = straight_path(base, data, t)
        torch.testing.assert_close(z, (1 - time) * base + time * data)
        torch.testing.assert_close(z + (1 - time) * velocity, data)


def test_stratified_times_are_uniform_one_in_each_part() -> None:
    times = stratified_times(4096, torch.Generator().manual_seed(0)).double()
    assert torch.equal((times.flatten() * 4096).floor(), torch.arange(4096.0, dtype=torch.float64))
    # Independent times would miss 1/2 by 1/√(12 · 4096) = 0.0045; stratified ones by a 4096th of that.
    assert abs(float(times.mean()) - 0.5) < 1e-5


def gaussian_minimiser(t: Tensor, x: Tensor, mean: Tensor, std: float) -> Tensor:
    """E[x₁ − x₀ | x_t = x] for data N(mean, std² I): the regression of two joint Gaussians."""
    variance = (1 - t) ** 2 + (t * std) ** 2
    return mean + (t * std**2 - (1 - t)) / variance * (x - t * mean)


def test_training_finds_the_gaussian_minimiser() -> None:
    """RMS error of the field over its own paths ≤ 0.1 after 1,500 steps (the velocity's RMS is 1.7)."""
    torch.set_num_threads(1)
    mean, std = torch.tensor([1.0, -0.5]), 0.4
    generator = torch.Generator().manual_seed(0)
    data = mean + std * torch.randn(50_000, 2, generator=generator)
    flow = ContinuousFlow(MLPField(width=32, depth=2, generator=generator))
    weights = flatten_parameters(flow)
    optimiser = AveragedAdam(weights, torch.zeros_like(weights))
    objective = FlowMatching(flow, Batches(data, 256, generator), optimiser.gradient)
    for step in range(1500):
        objective()
        optimiser.step(5e-3 * cosine(step, 1500))
    weights.copy_(optimiser.average)
    t = stratified_times(4000, generator)
    z, _ = straight_path(torch.randn(4000, 2, generator=generator), data[:4000], t)
    with torch.no_grad():
        error = flow.field(t, z) - gaussian_minimiser(t, z, mean, std)
    assert float(error.square().sum(1).mean().sqrt()) < 0.1


def test_averaged_adam_is_torchs_adam() -> None:
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(50, generator=generator, dtype=torch.float64)
    reference = torch.nn.Parameter(weights.clone())
    peer = torch.optim.Adam([reference], lr=0.01, betas=(0.9, 0.99))
    mine = AveragedAdam(weights, torch.zeros_like(weights), betas=(0.9, 0.99), decay=0.9)
    trail = [weights.clone()]
    for _ in range(40):
        gradient = torch.randn(50, generator=generator, dtype=torch.float64)
        mine.gradient.copy_(gradient)
        mine.step(0.01)
        reference.grad = gradient.clone()
        peer.step()
        trail.append(weights.clone())
    torch.testing.assert_close(weights, reference.detach(), rtol=1e-12, atol=1e-12)
    average = trail[0]
    for n, iterate in enumerate(trail[1:], start=1):
        decay = min(0.9, (1 + n) / (10 + n))
        average = decay * average + (1 - decay) * iterate
    torch.testing.assert_close(mine.average, average, rtol=1e-12, atol=1e-12)


def test_flattened_parameters_share_one_memory() -> None:
    field = MLPField(width=8, generator=torch.Generator().manual_seed(0))
    before = {name: parameter.detach().clone() for name, parameter in field.named_parameters()}
    flat = flatten_parameters(field)
    assert all(torch.equal(view, before[name]) for name, view in named_views(flat, field).items())
    flat.add_(1)
    assert all(torch.equal(parameter, before[name] + 1) for name, parameter in field.named_parameters())
