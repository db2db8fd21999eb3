"""Quantisers against hand-computed cases, autograd in float64, and the paper's equations written out."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from dgm_core.nn.code_gradients import pull_back, rotate, straight_through
from dgm_core.nn.scalar_quantiser import LEVELS, FiniteScalarQuantizer, levels_for
from dgm_core.nn.vector_quantiser import VectorQuantizer

DOUBLE = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def quantiser(rows: list[list[float]], **settings: object) -> VectorQuantizer:
    made = VectorQuantizer(len(rows), len(rows[0]), **settings)  # type: ignore[arg-type]
    with torch.no_grad():
        made.codebook.copy_(torch.tensor(rows))
    return made


def test_forward_by_hand() -> None:
    """Two vectors, two codes: values, indices, β‖z − e‖² and ‖z − e‖² as means over four numbers."""
    vq = quantiser([[0.0, 0.0], [4.0, 0.0]], codebook="loss", beta=0.5)
    found = vq(torch.tensor([[1.0, 1.0], [3.0, 0.0]]))
    assert found.values.tolist() == [[0.0, 0.0], [4.0, 0.0]]
    assert found.indices.tolist() == [0, 1]
    assert float(found.error) == pytest.approx(3 / 4)
    assert found.loss.item() == pytest.approx((1 + 0.5) * 3 / 4)


@pytest.mark.parametrize("codebook", ["ema", "loss"])
def test_each_term_moves_what_it_should(codebook: str) -> None:
    """Commitment: 2β(z − e)/n at z. Codebook: 2(e − z)/n at the winners, only where codes move by the loss."""
    vq = quantiser([[0.0, 0.0], [4.0, 0.0]], codebook=codebook, beta=0.25)
    z = torch.tensor([[1.0, 1.0], [0.0, -1.0]], requires_grad=True)
    vq(z).loss.backward()
    assert z.grad is not None
    assert torch.allclose(z.grad, 2 * 0.25 * z.detach() / 4)
    if codebook == "loss":
        assert vq.codebook.grad is not None
        assert torch.allclose(vq.codebook.grad, torch.tensor([[-2 * 1.0 / 4, 0.0], [0.0, 0.0]]))
    else:
        assert vq.codebook.grad is None


def test_straight_through_gradient_is_the_decoders() -> None:
    """∂L/∂z through the quantiser equals ∂L/∂q at the code, in float64, to the last bit."""
    vq = VectorQuantizer(7, 3, beta=0.0, generator=seeded()).double()
    weight = torch.randn(3, 5, generator=seeded(1), dtype=DOUBLE)

    def decoder(q: Tensor) -> Tensor:
        return torch.tanh(q @ weight).square().sum()

    z = torch.randn(20, 3, generator=seeded(2), dtype=DOUBLE, requires_grad=True)
    found = vq(z)
    decoder(found.values).backward()
    q = found.values.detach().requires_grad_(True)
    decoder(q).backward()
    assert torch.equal(z.grad, q.grad)  # type: ignore[arg-type]
    assert torch.equal(found.values, vq.codebook[found.indices])


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 8), st.integers(0, 999))
def test_rotation_turns_the_gradient_as_z_turns_into_q(size: int, seed: int) -> None:
    """Forward q exactly; backward the transpose of ‖q‖/‖z‖ R, R built as a matrix from two reflections; 1e-10.

    R ẑ = q̂, so the gradient keeps its component along the vector: ⟨∂z, ẑ⟩ = ‖q‖/‖z‖ ⟨g, q̂⟩, and its length is scaled.
    """
    z, q, g = (torch.randn(size, generator=seeded(seed + k), dtype=DOUBLE) for k in (0, 1000, 2000))
    leaf = z.clone().requires_grad_(True)
    turned = rotate(leaf, q)
    assert torch.equal(turned, q)
    turned.backward(g)
    z_hat, q_hat = z / z.norm(), q / q.norm()
    middle = (z_hat + q_hat) / (z_hat + q_hat).norm()
    eye = torch.eye(size, dtype=DOUBLE)
    reflect = eye - 2 * torch.outer(middle, middle)
    rotation = reflect @ (eye - 2 * torch.outer(z_hat, z_hat))
    assert torch.allclose(rotation @ z_hat, q_hat, atol=1e-10)
    scale = q.norm() / z.norm()
    assert leaf.grad is not None
    assert torch.allclose(leaf.grad, scale * rotation.T @ g, atol=1e-10, rtol=1e-8)
    assert float(leaf.grad @ z_hat) == pytest.approx(float(scale * (g @ q_hat)), abs=1e-9)
    assert float(leaf.grad.norm()) == pytest.approx(float(scale * g.norm()), rel=1e-9)


def test_where_no_rotation_is_defined_the_gradient_is_copied() -> None:
    g = torch.tensor([[1.0, 2.0]])
    for z, q in (([[0.0, 0.0]], [[1.0, 0.0]]), ([[1.0, 0.0]], [[0.0, 0.0]]), ([[1.0, 0.0]], [[-2.0, 0.0]])):
        assert torch.equal(pull_back(g, torch.tensor(z), torch.tensor(q)), g)


def test_straight_through_gives_the_code_no_gradient() -> None:
    q = torch.ones(2, requires_grad=True)
    straight_through(torch.zeros(2, requires_grad=True), q).sum().backward()
    assert q.grad is None


def test_running_means_are_the_papers() -> None:
    """m ← γm + (1 − γ)Σz, N ← γN + (1 − γ)n, e = m/N kept apart, over ten batches in float64; 1e-12."""
    gamma, vq = 0.9, VectorQuantizer(5, 3, decay=0.9, generator=seeded()).double()
    sums, sizes = torch.zeros(5, 3, dtype=DOUBLE), torch.zeros(5, dtype=DOUBLE)
    for batch in range(10):
        z = torch.randn(30, 3, generator=seeded(batch), dtype=DOUBLE)
        indices = vq.nearest(z)
        one_hot = F.one_hot(indices, 5).double()
        sums, sizes = gamma * sums + 0.1 * one_hot.T @ z, gamma * sizes + 0.1 * one_hot.sum(0)
        before = vq.codebook.detach().clone()
        vq.observe(z, indices)
        ever = sizes > 0
        assert torch.allclose(vq.codebook[ever], sums[ever] / sizes[ever, None], atol=1e-12)
        assert torch.equal(vq.codebook[~ever], before[~ever])
        assert torch.allclose(vq.sizes, sizes, atol=1e-12)


def test_one_batch_without_memory_is_a_round_of_kmeans() -> None:
    """γ = 0: each code becomes the mean of what it won."""
    vq = VectorQuantizer(4, 2, decay=0.0, generator=seeded(3)).double()
    z = torch.randn(100, 2, generator=seeded(4), dtype=DOUBLE)
    indices = vq.nearest(z)
    vq.observe(z, indices)
    for k in indices.unique().tolist():
        assert torch.allclose(vq.codebook[k], z[indices == k].mean(0), atol=1e-12)


@pytest.mark.parametrize("codebook", ["ema", "loss"])
def test_idle_codes_start_anew_at_vectors_of_the_batch(codebook: str) -> None:
    """A code far away wins nothing; after three batches, and not before, it stands on one of the vectors."""
    vq = quantiser([[0.0, 0.0], [99.0, 99.0]], codebook=codebook, patience=3)
    z = torch.randn(50, 2, generator=seeded(5))
    for batch in range(3):
        assert vq.codebook[1].tolist() == [99.0, 99.0]
        fresh = vq.observe(z, vq.nearest(z), seeded(batch))
        assert fresh.tolist() == [False, batch == 2]
    assert bool((z == vq.codebook[1]).all(1).any())
    assert float(vq.idle[1]) == 0


def test_no_patience_means_never() -> None:
    vq = quantiser([[0.0, 0.0], [99.0, 99.0]])
    for _ in range(50):
        assert not bool(vq.observe(torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)).any())


def test_cosine_codes_are_the_largest_inner_products() -> None:
    """Directions only: scaling a vector changes nothing, and the nearest has the largest cosine, in float64."""
    vq = VectorQuantizer(20, 4, distance="cosine", generator=seeded()).double()
    z = torch.randn(100, 4, generator=seeded(1), dtype=DOUBLE)
    expected = F.cosine_similarity(z[:, None], vq.codebook[None], dim=-1).argmax(1)
    assert torch.equal(vq.nearest(z), expected)
    assert torch.equal(vq.nearest(7 * z), expected)
    assert torch.allclose(vq(z).values.norm(dim=1), torch.ones(100, dtype=DOUBLE))
    vq.observe(z, expected)
    assert torch.allclose(vq.codebook.norm(dim=1), torch.ones(20, dtype=DOUBLE))


@pytest.mark.parametrize("how", ["data", "k-means"])
def test_codes_start_from_vectors(how: str) -> None:
    """“data”: rows of the data. “k-means”: a lower distortion than those."""
    z = torch.randn(500, 2, generator=seeded(6))
    vq, other = VectorQuantizer(16, 2, generator=seeded()), VectorQuantizer(16, 2, generator=seeded())
    vq.start(z, how, seeded(7))  # type: ignore[arg-type]
    other.start(z, "data", seeded(7))
    if how == "data":
        assert bool((vq.codebook[:, None] == z[None]).all(-1).any(1).all())
        assert len(vq.codebook.unique(dim=0)) == 16
    else:
        assert float(vq(z).error) < float(other(z).error)


def test_more_codes_than_vectors_are_refused() -> None:
    with pytest.raises(ValueError, match="16 codes are to start from vectors, but there are 3"):
        VectorQuantizer(16, 2).start(torch.zeros(3, 2), "data")


def test_everything_trained_is_in_the_state() -> None:
    """Codes, sizes and idle counts come back from a state dict; one more batch then gives the same."""
    vq, z = VectorQuantizer(6, 2, patience=2, generator=seeded()), torch.randn(20, 2, generator=seeded(1))
    for _ in range(3):
        vq.observe(z, vq.nearest(z), seeded(2))
    copy = VectorQuantizer(6, 2, patience=2)
    copy.load_state_dict(vq.state_dict())
    for each in (vq, copy):
        each.observe(z, each.nearest(z), seeded(3))
    for name, tensor in vq.state_dict().items():
        assert torch.equal(tensor, copy.state_dict()[name]), name


@pytest.mark.parametrize("levels", list(LEVELS.values()))
def test_scalar_codes_are_all_reached_and_all_different(levels: tuple[int, ...]) -> None:
    """Each code, put in as bounded⁻¹ of its levels, comes out as itself; indices are a bijection."""
    fsq = FiniteScalarQuantizer(levels).double()
    vectors = fsq.vectors()
    assert fsq.codes == math.prod(levels) == len(vectors.unique(dim=0))
    inside = ((vectors * fsq.scale + fsq.offset) / fsq.reach).clamp(-0.9999, 0.9999)
    z = torch.atanh(inside) - fsq.shift
    assert torch.equal(fsq.nearest(z), torch.arange(fsq.codes))
    assert torch.equal(fsq(z).indices, torch.arange(fsq.codes))


def test_scalar_rounding_by_hand() -> None:
    """Five levels: 2 tanh z (shrunk by 0.1 %) rounded; at large |z| the outermost levels."""
    fsq = FiniteScalarQuantizer((5,))
    z = torch.tensor([[-9.0], [-0.6], [0.0], [0.2], [9.0]])
    assert fsq(z).values.flatten().tolist() == [-1.0, -0.5, 0.0, 0.0, 1.0]
    assert float(fsq.bounded(torch.zeros(1, 1))) == 0


def test_scalar_gradient_is_that_of_the_bound() -> None:
    """Rounding passes the gradient on: d/dz of tanh(z + shift) reach / scale, by autograd in float64."""
    fsq = FiniteScalarQuantizer((8, 5)).double()
    z = torch.randn(30, 2, generator=seeded(), dtype=DOUBLE, requires_grad=True)
    smooth = (torch.tanh(z + fsq.shift) * fsq.reach - fsq.offset) / fsq.scale
    expected = torch.autograd.grad(smooth.square().sum(), z, retain_graph=True)[0]
    q = fsq(z).values
    found = torch.autograd.grad((2 * smooth.detach() * q).sum(), z)[0]
    assert torch.allclose(found, expected, atol=1e-12)


def test_levels_are_the_nearest_in_ratio() -> None:
    assert [math.prod(levels_for(codes)) for codes in (16, 40, 256, 700, 4096)] == [15, 64, 240, 512, 4375]
