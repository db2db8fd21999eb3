"""The meter of saved bytes against sums by hand; memory against steps for both ways of a gradient."""

from __future__ import annotations

import pytest
import torch

from dgm_core.neural_ode.memory import cost, saved_bytes
from dgm_core.neural_ode.networks import FieldNetwork
from dgm_core.neural_ode.problems import PROBLEMS

N = 200


def test_a_chain_of_k_exponentials_saves_k_results() -> None:
    x = torch.ones(1_000, dtype=torch.float64, requires_grad=True)
    for k in (1, 3, 7):
        with saved_bytes() as meter:
            y = x
            for _ in range(k):
                y = (0.1 * y).exp()
            assert meter.live == meter.peak == 8_000 * k
            del y
        assert meter.live == 0


def test_a_storage_that_is_saved_twice_counts_once_and_a_backward_pass_frees() -> None:
    x = torch.ones(500, requires_grad=True)
    with saved_bytes() as meter:
        y = x.exp()
        z = (y.square() + y.sin()).sum()
        assert meter.live == 2_000
        z.backward()
        assert meter.live == 0
    torch.testing.assert_close(
        x.grad, torch.exp(x.detach()) * (2 * torch.exp(x.detach()) + torch.cos(torch.exp(x.detach())))
    )


def test_backpropagation_keeps_every_step_and_the_adjoint_none() -> None:
    field = FieldNetwork(2, 16, 1, generator=torch.Generator().manual_seed(0)).double()
    z0 = torch.randn(N, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    adjoint, backprop = (cost(field, z0, torch.sum, how, (4, 8, 16, 32)) for how in ("adjoint", "backprop"))  # type: ignore[arg-type]
    assert len(set(adjoint.peak)) == 1
    line = backprop.bytes_a_step
    # Four evaluations a step, each keeping its N × 16 activations and its N × 2 input.
    assert line.value >= 4 * N * (16 + 2) * 8
    assert line.error < 0.01 * line.value
    assert adjoint.measure == backprop.measure == "saved"
    assert len(adjoint.seconds) == 4


def test_the_solvers_bytes_grow_with_the_points() -> None:
    field = PROBLEMS["vortex"].field()
    few, many = (
        cost(field, PROBLEMS["vortex"].start(n, 0.3), torch.sum, "backprop", (4, 8)).bytes_a_step.value
        for n in (100, 200)
    )
    assert many / few == pytest.approx(2.0, abs=0.05)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")
def test_on_a_card_the_allocator_says_the_same() -> None:
    field = FieldNetwork(2, 64, 2, generator=torch.Generator().manual_seed(0)).cuda().double()
    z0 = torch.randn(20_000, 2, dtype=torch.float64, device="cuda")
    adjoint, backprop = (cost(field, z0, torch.sum, how, (8, 16, 32)) for how in ("adjoint", "backprop"))  # type: ignore[arg-type]
    assert adjoint.measure == "allocator"
    assert abs(adjoint.bytes_a_step.value) < 0.01 * backprop.bytes_a_step.value
