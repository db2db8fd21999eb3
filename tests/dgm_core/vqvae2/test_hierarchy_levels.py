"""What levels add and cost, mixtures, what is refused."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from dgm_core import zoo
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.levels import around_grey, browse_levels, checked_codes, entropy_bits, mix
from dgm_core.vqvae2.model import HierarchicalAutoencoder


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@cache
def digits() -> tuple[HierarchicalAutoencoder, np.ndarray]:
    model, recipe = zoo.load("vqvae2-digits"), zoo.experiment("vqvae2-digits")
    assert isinstance(model, HierarchicalAutoencoder)
    assert isinstance(recipe, VQVAE2)
    return model, recipe.images().test


def as_x(images: np.ndarray) -> torch.Tensor:
    return torch.tensor(images).float() / 255


def test_mean_and_what_levels_add_sum_up_to_the_image() -> None:
    model, images = digits()
    found = browse_levels(model, images[:20])
    x = images[:20].astype(np.float64) / 255
    assert len(found.added) == len(found.differences) == 3
    np.testing.assert_allclose(x.mean((2, 3), keepdims=True) + sum(found.added), x, atol=1e-5)
    for level, back in enumerate(found.reconstructions):
        shown = x.mean((2, 3), keepdims=True) + sum(found.added[: level + 1])
        assert np.abs(shown - back / 255).max() <= 0.5 / 255 + 1e-5


def test_figures_are_their_definitions() -> None:
    """PSNR by NumPy from float pictures; h w log₂ K; entropy of the histogram by NumPy."""
    model, images = digits()
    found = browse_levels(model, images[:50])
    for level in range(2):
        picture = model.decode_codes(model.codes(as_x(images[:50])), level + 1).double().numpy()
        mse = ((picture - images[:50] / 255) ** 2).mean((1, 2, 3))
        np.testing.assert_allclose(found.psnr[:, level], -10 * np.log10(mse), rtol=1e-4)
        shares = np.bincount(found.codes[level].ravel(), minlength=64) / found.codes[level].size
        entropy = -sum(p * np.log2(p) for p in shares if p)
        assert found.entropy_bits[level] == pytest.approx(entropy * found.codes[level][0].size, rel=1e-9)
    assert found.bits.tolist() == [4 * 6.0, 16 * 6.0]
    assert found.cumulative_bits.tolist() == [24.0, 120.0]
    assert found.levels == 2


def test_difference_pictures_state_their_scale() -> None:
    model, images = digits()
    found = browse_levels(model, images[:20])
    for added, picture, scale in zip(found.added, found.differences, found.scale, strict=True):
        assert np.abs(added).max() == pytest.approx(float(scale), rel=1e-6)
        np.testing.assert_allclose((picture.astype(float) - 128) / 127 * scale, added, atol=0.51 / 127 * scale)
    assert around_grey(torch.zeros(3), 0.0).tolist() == [128] * 3


def test_images_of_one_code_have_no_entropy() -> None:
    model, _ = digits()
    assert entropy_bits(model, [torch.zeros(5, 2, 2).long(), torch.zeros(5, 4, 4).long()]).tolist() == [0.0, 0.0]


def test_an_image_mixed_with_itself_is_itself() -> None:
    model, images = digits()
    for requantise in (False, True):
        found = mix(model, images[:9], images[:9], requantise=requantise)
        assert np.array_equal(found.pictures, browse_levels(model, images[:9]).reconstructions[1])
        assert not found.changed.any()


def test_mixtures_have_the_codes_they_say() -> None:
    """Taken over: the top of one and the bottom of the other. Encoded again: the nearest codes under the other top."""
    model, images = digits()
    one, other = images[:9], images[9:18]
    ones, others = (browse_levels(model, part).codes for part in (one, other))
    plain, again = mix(model, one, other), mix(model, one, other, requantise=True)
    assert np.array_equal(plain.codes[0], ones[0])
    assert np.array_equal(plain.codes[1], others[1])
    expected = model.codes(as_x(other), [torch.from_numpy(ones[0])])[1].numpy()
    assert np.array_equal(again.codes[1], expected)
    np.testing.assert_allclose(again.changed, (expected != others[1]).mean((1, 2)), atol=1e-6)
    assert 0 < again.changed.mean() < 1
    assert not plain.changed.any()


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((2, 1, 8, 8), np.float32), "takes uint8 images"),
        (np.zeros((2, 3, 8, 8), np.uint8), "shape"),
        (np.zeros((8, 8), np.uint8), "shape"),
        (np.zeros((0, 1, 8, 8), np.uint8), "no image here"),
    ],
)
def test_what_are_no_images_of_the_model_is_told(images: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        browse_levels(digits()[0], images)


def test_mixtures_that_cannot_be_are_told() -> None:
    model, images = digits()
    with pytest.raises(ValueError, match="9 images cannot be mixed with 8"):
        mix(model, images[:9], images[:8])
    for kept in (0, 2):
        with pytest.raises(ValueError, match=f"can be kept, not {kept}"):
            mix(model, images[:9], images[:9], kept=kept)


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ([], "1 to 2 code maps"),
        ([np.zeros((1, 2, 2), int), np.zeros((2, 4, 4), int)], "equally many"),
        ([np.zeros((1, 4, 4), int)], "Level 1 has maps"),
        ([np.zeros((1, 2, 2), np.float32)], "whole numbers"),
        ([np.full((1, 2, 2), 64)], "0 to 63"),
        ([np.full((1, 2, 2), -1)], "0 to 63"),
    ],
)
def test_what_are_no_code_maps_is_told(codes: list[np.ndarray], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        checked_codes(digits()[0], codes)


def test_code_maps_as_they_come_are_taken() -> None:
    model, images = digits()
    codes = browse_levels(model, images[:3]).codes
    found = checked_codes(model, [level.astype(np.uint8) for level in codes])
    assert all(np.array_equal(a.numpy(), b) for a, b in zip(found, codes, strict=True))
