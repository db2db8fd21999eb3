"""The hierarchy's wiring: shapes, who sees whom, what absent levels are, what is refused."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm_core.errors import DataError
from dgm_core.nn.vector_quantiser import VectorQuantizer
from dgm_core.vqvae2.layers import Descent
from dgm_core.vqvae2.model import HierarchicalAutoencoder


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def a_model(
    levels: int = 2, patch: int = 2, shape: tuple[int, int, int] = (1, 8, 8)
) -> HierarchicalAutoencoder:  # fmt: skip
    """Untrained, but with every weight drawn, so that nothing is zero by its start."""
    quantisers = [VectorQuantizer(16, 4, generator=seeded(level)) for level in range(levels)]
    model = HierarchicalAutoencoder(shape, quantisers, patch=patch, width=8, depth=1, generator=seeded(9))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.startswith("quantisers"):
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=seeded(len(name))))
    return model.eval()


@given(
    levels=st.integers(2, 3), patch=st.sampled_from([1, 2, 4]), tall=st.integers(1, 3), across=st.integers(1, 3),
    channels=st.sampled_from([1, 3]),
)  # fmt: skip
@settings(max_examples=20, deadline=None)
def test_maps_and_pictures_have_their_shapes(levels: int, patch: int, tall: int, across: int, channels: int) -> None:
    side = patch * 2 ** (levels - 1)
    model = a_model(levels, patch, (channels, tall * side, across * side))
    x = torch.rand(3, *model.shape)
    codes = model.codes(x)
    expected = [(tall * 2**level, across * 2**level) for level in range(levels)]
    assert list(model.grids) == expected
    assert [tuple(level.shape) for level in codes] == [(3, *grid) for grid in expected]
    for upto in range(1, levels + 1):
        picture = model.decode_codes(codes, upto)
        assert picture.shape == x.shape
        assert float(picture.min()) >= 0
        assert float(picture.max()) <= 1
    assert [level.shape for level in model.codes(x[:0])] == [(0, *grid) for grid in expected]
    assert model.decode_codes(model.codes(x[:0])).shape == (0, *model.shape)


def test_an_untrained_model_is_grey() -> None:
    quantisers = [VectorQuantizer(16, 4), VectorQuantizer(16, 4)]
    model = HierarchicalAutoencoder((1, 8, 8), quantisers, patch=2, width=8, depth=1)
    _, found = model(torch.rand(2, 1, 8, 8))
    assert torch.equal(model.decode([level.values for level in found]), torch.full((2, 1, 8, 8), 0.5))


def test_codes_are_the_nearest_of_what_is_written_out() -> None:
    """The bottom's vectors: its features beside what the quantised top says, by hand; exhaustive search in float64."""
    model, x = a_model(), torch.rand(5, 1, 8, 8, generator=seeded(0))
    telling = model.telling[0]
    assert isinstance(telling, Descent)
    with torch.no_grad():
        fine = model.rising[0](x - 0.5)
        coarse = model.rising[1](fine)

        def nearest(z: torch.Tensor, level: int) -> torch.Tensor:
            flat, codebook = z.permute(0, 2, 3, 1).double(), model.quantiser(level).codebook.double()
            return (flat[..., None, :] - codebook).square().sum(-1).argmin(-1)

        top = nearest(model.heads[0](coarse.relu()), 0)
        entered = telling.enter(model.quantiser(0).codebook[top].permute(0, 3, 1, 2))
        told = telling.wider(telling.blocks(entered))
        bottom = nearest(model.heads[1](torch.cat([fine, told], 1).relu()), 1)
    found = model.codes(x)
    assert torch.equal(found[0], top)
    assert torch.equal(found[1], bottom)


@pytest.mark.parametrize("levels", [2, 3])
def test_every_level_reaches_those_below_and_the_picture(levels: int) -> None:
    """Gradients: of a level's vectors at all codes above, of the picture at all levels; none goes up."""
    model, x = a_model(levels, 2), torch.rand(2, 1, 8, 8, generator=seeded(1))
    values = [level.detach().requires_grad_(True) for level in model.looked_up(model.codes(x))]
    told = None
    for level, features in enumerate(model.features(x)):
        z = model.outputs(features, level, told)
        gradients = torch.autograd.grad(z.square().sum(), values, allow_unused=True, retain_graph=True)
        reached = [gradient is not None and bool(gradient.abs().amax() > 1e-6) for gradient in gradients]
        assert reached == [other < level for other in range(levels)]
        if level + 1 < levels:
            told = model.tell(values[level], level, told)
    for gradient in torch.autograd.grad(model.decode(values).square().sum(), values):
        assert float(gradient.abs().amax()) > 1e-6


@pytest.mark.parametrize("levels", [2, 3])
def test_absent_levels_are_the_stand_ins_wherever_they_are_put(levels: int) -> None:
    """Fewer maps, ``upto`` and `kept` are three ways to the same picture; lower codes then change nothing."""
    model, x = a_model(levels, 2), torch.rand(4, 1, 8, 8, generator=seeded(2))
    codes = model.codes(x)
    others = tuple((level + 1) % 16 for level in codes)
    for upto in range(1, levels + 1):
        picture = model.decode_codes(codes, upto)
        assert torch.equal(picture, model.decode_codes(codes[:upto]))
        assert torch.equal(picture, model.decode_codes([*codes[:upto], *others[upto:]], upto))
        kept = model.kept(model.looked_up(codes), upto)
        assert torch.allclose(picture, model.decode(kept).clamp(0, 1), atol=1e-6)
        for level in range(upto, levels):
            assert torch.equal(kept[level], model.stand_in(level).vector.expand_as(kept[level]))


def test_each_image_may_keep_its_own_number_of_levels() -> None:
    model, x = a_model(3, 2), torch.rand(6, 1, 8, 8, generator=seeded(3))
    values = model.looked_up(model.codes(x))
    upto = torch.tensor([1, 2, 3, 3, 2, 1])
    mixed = model.decode(model.kept(values, upto))
    for row, count in enumerate(upto.tolist()):
        alone = model.decode([level[row : row + 1] for level in model.kept(values, count)])
        assert torch.allclose(mixed[row : row + 1], alone, atol=1e-5)


def test_codes_given_from_above_are_kept_and_own_ones_change_nothing() -> None:
    model, x = a_model(3, 2), torch.rand(5, 1, 8, 8, generator=seeded(4))
    codes = model.codes(x)
    for known in (1, 2):
        assert all(torch.equal(a, b) for a, b in zip(model.codes(x, codes[:known]), codes, strict=True))
    others = model.codes(x.flip(0))[:1]
    found = model.codes(x, others)
    assert torch.equal(found[0], others[0])
    assert not torch.equal(found[1], codes[1])


def test_blocks_of_images_give_the_same_codes() -> None:
    """300 images are more than one block; each block alone gives the same codes and pictures."""
    model, x = a_model(), torch.rand(300, 1, 8, 8, generator=seeded(5))
    codes = model.codes(x)
    tail = model.codes(x[256:])
    assert all(torch.equal(whole[256:], part) for whole, part in zip(codes, tail, strict=True))
    assert torch.allclose(model.decode_codes(codes)[256:], model.decode_codes(tail), atol=1e-6)


@pytest.mark.parametrize(("shape", "levels", "patch"), [((1, 8, 8), 3, 4), ((3, 28, 28), 3, 4), ((1, 12, 8), 2, 4)])
def test_sides_that_do_not_divide_are_told(shape: tuple[int, int, int], levels: int, patch: int) -> None:
    quantisers = [VectorQuantizer(16, 4) for _ in range(levels)]
    with pytest.raises(DataError, match=rf"do not hold {levels} levels .* multiples of {patch} · 2"):
        HierarchicalAutoencoder(shape, quantisers, patch=patch, width=8, depth=1)


@pytest.mark.parametrize(("count", "upto"), [(2, 0), (1, 2), (2, 3), (0, None)])
def test_numbers_of_levels_that_cannot_be_are_told(count: int, upto: int | None) -> None:
    model = a_model()
    codes = model.codes(torch.zeros(1, 1, 8, 8))[:count]
    with pytest.raises(ValueError, match="levels cannot be decoded"):
        model.decode_codes(codes, upto)
