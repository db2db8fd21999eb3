"""Every number that a prediction's answer says, measured again on what is shipped."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from dgm_core import zoo
from dgm_core.presets import Preset
from dgm_core.vqvae2 import presets
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.levels import mix
from dgm_core.vqvae2.model import HierarchicalAutoencoder
from dgm_core.zoo.reading import record


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@cache
def shapes() -> tuple[HierarchicalAutoencoder, np.ndarray]:
    model, recipe = zoo.load("vqvae2-shapes"), zoo.experiment("vqvae2-shapes")
    assert isinstance(model, HierarchicalAutoencoder)
    assert isinstance(recipe, VQVAE2)
    return model, recipe.images().test


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    return float(-10 * np.log10((((one.astype(np.float64) - other) / 255) ** 2).mean()))


def psnrs(name: str, levels: int) -> list[float]:
    """Recorded; that they hold is what `zoo --check` and its test measure."""
    return [record(name)["figures"][f"psnr_{k}"] for k in range(1, levels + 1)]


@pytest.mark.parametrize("preset", presets.LEVELS, ids=lambda preset: preset.name)
def test_settings_and_their_other_side_are_declarations_and_one_is_shipped(preset: Preset) -> None:
    one, other = VQVAE2(**preset.settings), VQVAE2(**{**preset.settings, **preset.against})
    assert (one != other) == bool(preset.against)
    assert all(getattr(one, name) == value for name, value in preset.settings.items())
    assert (zoo.find(one) or "").startswith("vqvae2-")


def test_names_are_unique_and_there_are_five() -> None:
    names = [preset.name for preset in (*presets.LEVELS, *presets.MIX)]
    assert len(set(names)) == len(names) >= 5


def test_levels_give_and_cost_what_is_said() -> None:
    assert psnrs("vqvae2-shapes", 2) == pytest.approx(presets.SHIPPED, abs=0.05)
    assert psnrs("vqvae2-shapes-3", 3) == pytest.approx(presets.THREE, abs=0.05)
    assert psnrs("vqvae2-shapes-paper", 2) == pytest.approx(presets.PAPER, abs=0.05)
    for name, said in (("vqvae2-shapes", presets.BITS), ("vqvae2-shapes-3", presets.THREE_BITS)):
        assert tuple(record(name)["figures"][f"bits_{k}"] for k in range(1, len(said) + 1)) == said
    images = shapes()[1]
    flat = np.broadcast_to(images.mean((2, 3), keepdims=True), images.shape)
    assert decibels(flat, images) == pytest.approx(presets.MEAN, abs=0.05)


def test_without_level_dropout_the_top_uses_one_code() -> None:
    recipe, model = zoo.experiment("vqvae2-shapes-paper"), zoo.load("vqvae2-shapes-paper")
    assert isinstance(recipe, VQVAE2)
    assert isinstance(model, HierarchicalAutoencoder)
    assert recipe == VQVAE2(level_dropout=0.0)
    top, bottom = model.codes(torch.tensor(shapes()[1][:500]).float() / 255)
    assert len(top.unique()) == 1
    assert len(bottom.unique()) > 200


def test_mixtures_are_as_near_as_is_said() -> None:
    """500 pairs, all held-out images."""
    model, images = shapes()
    upper, lower = images[:500], images[500:1_000]
    plain = mix(model, upper, lower)
    assert decibels(plain.pictures, upper) == pytest.approx(presets.TO_UPPER, abs=0.06)
    assert decibels(plain.pictures, lower) == pytest.approx(presets.TO_LOWER, abs=0.06)
    assert decibels(upper, lower) == pytest.approx(presets.APART, abs=0.06)
    again = mix(model, upper, lower, requantise=True)
    assert 100 * float(again.changed.mean()) == pytest.approx(presets.CHANGED, abs=0.6)
