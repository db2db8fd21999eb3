"""The film of a drawing: what is grey, what is a stand-in, what does not change any more, and when it looks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from dgm_core.nn.vector_quantiser import VectorQuantizer
from dgm_core.vqvae2.model import HierarchicalAutoencoder
from dgm_core.vqvae2.sampling_film import GREY, moments, sampling_reel, unfinished

SHAPE = (3, 16, 16)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def lively(levels: int, channels: int = 3) -> HierarchicalAutoencoder:
    """Every weight drawn anew, so that each code matters."""
    generator = torch.Generator().manual_seed(0)
    quantisers = [VectorQuantizer(6, 4, generator=generator) for _ in range(levels)]
    model = HierarchicalAutoencoder((channels, 16, 16), quantisers, patch=2, width=8, depth=1)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2, generator=generator)
    return model.eval()


def maps(model: HierarchicalAutoencoder, n: int = 3) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(6, (n, *grid), generator=generator) for grid in model.grids]


@pytest.mark.parametrize("levels", [2, 3])
def test_each_levels_end_is_what_its_codes_decode_to(levels: int) -> None:
    """After the top, and after each lower level: `decode_codes` of as many levels, byte for byte."""
    model = lively(levels)
    codes, drawn = maps(model), 0
    for level in range(levels):
        drawn += codes[level][0].numel()
        expected = (model.decode_codes(codes, level + 1) * 255).round().byte()
        assert torch.equal(unfinished(model, codes, drawn), expected)


def test_pixels_under_top_codes_to_come_are_grey() -> None:
    """16 top codes of 4 × 4 pixels each; after 6 of them the first row and half of the second are there."""
    model = lively(2)
    picture = unfinished(model, maps(model), 6)
    assert bool((picture[:, :, 4:8, 8:] == GREY).all())
    assert bool((picture[:, :, 8:] == GREY).all())
    assert float((picture[:, :, :4] != GREY).float().mean()) > 0.9
    assert bool((unfinished(model, maps(model), 0) == GREY).all())


def test_codes_to_come_change_nothing() -> None:
    """Top or bottom codes after the place: any others give the same picture."""
    model = lively(2)
    codes = maps(model)
    for drawn in (5, 16, 16 + 20):
        other = [level.flatten(1).clone() for level in codes]
        other[0][:, drawn:] = (other[0][:, drawn:] + 1) % 6
        other[1][:, max(0, drawn - 16) :] = (other[1][:, max(0, drawn - 16) :] + 1) % 6
        shaped = [level.view_as(was) for level, was in zip(other, codes, strict=True)]
        assert torch.equal(unfinished(model, shaped, drawn), unfinished(model, codes, drawn))


def test_drawing_one_more_lower_code_changes_pixels_near_it_only() -> None:
    """A bottom code reaches 1 + depth places further: 3 × 3 convolutions of entry and of one block, 2 pixels each."""
    model = lively(2)
    codes = maps(model)
    one, next_one = (unfinished(model, codes, 16 + 27 + k) for k in (0, 1))  # row 3, column 3 of 8 × 8
    changed = (one != next_one).any(1).any(0)
    assert bool(changed[6:8, 6:8].any())
    changed[2:12, 2:12] = False
    assert not bool(changed.any())


@pytest.mark.parametrize(("channels", "shape"), [(1, (16, 16)), (3, (16, 16, 3))])
def test_the_reel_counts_codes(channels: int, shape: tuple[int, ...]) -> None:
    model = lively(2, channels)
    codes = maps(model)
    reel = sampling_reel(model, codes, 20)
    assert reel.frames.shape[1:] == (1, 3, *shape)
    assert (reel.times[0], reel.times[-1]) == (0, 80)
    assert 16 in reel.times
    last = unfinished(model, codes, 80).numpy()
    assert np.array_equal(reel.frames[-1, 0], last[:, 0] if channels == 1 else np.moveaxis(last, 1, -1))


@given(st.lists(st.integers(1, 300), min_size=1, max_size=3), st.integers(4, 200))
def test_moments_hold_every_levels_end_and_are_few(lengths: list[int], frames: int) -> None:
    found = moments(lengths, frames)
    ends = np.cumsum([0, *lengths]).tolist()
    assert set(ends) <= set(found)
    assert all(a < b for a, b in pairwise(found))
    assert len(found) <= frames + len(lengths) + 1
    if sum(lengths) <= frames - len(lengths):
        assert found == list(range(ends[-1] + 1))
