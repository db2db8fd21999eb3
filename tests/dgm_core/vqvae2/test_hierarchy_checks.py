"""Checks pass on what is right and fail on what is broken; the view, and what is shipped."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from dgm_core import zoo
from dgm_core.checks import Check, read_checks
from dgm_core.data.images.own import keep
from dgm_core.device import resolve
from dgm_core.experiment import TrainingFailedError
from dgm_core.nn.vector_quantiser import VectorQuantizer
from dgm_core.reel import Reel
from dgm_core.vqvae2.checks import hierarchy_checks
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.model import HierarchicalAutoencoder
from dgm_core.vqvae2.views import HierarchyChecks
from dgm_core.zoo.checking import check

CPU = resolve("cpu")
SHIPPED = [name for name in zoo.names("vqvae2") if isinstance(zoo.experiment(name), VQVAE2)]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@cache
def digits() -> tuple[HierarchicalAutoencoder, Tensor, Tensor]:
    model, recipe = zoo.load("vqvae2-digits"), zoo.experiment("vqvae2-digits")
    assert isinstance(model, HierarchicalAutoencoder)
    assert isinstance(recipe, VQVAE2)
    images = recipe.images()
    return model, torch.tensor(images.train[:400]), torch.tensor(images.test[:300])


def failed(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.passed]


def changed(**weights: float) -> list[str]:
    """Failed checks of a copy, all weights under a module's name multiplied."""
    model, train, test = copy.deepcopy(digits()[0]), *digits()[1:]
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            for start, factor in weights.items():
                if name.startswith(start):
                    parameter.mul_(factor)
    return failed(hierarchy_checks(model, train, test))


def test_a_shipped_hierarchy_passes_every_check() -> None:
    found = hierarchy_checks(*digits())
    assert failed(found) == []
    assert len(found) == 2 * 5 + 1 + 2 + 1 + 2 + 1


def test_a_bottom_that_is_told_nothing_is_noticed() -> None:
    """What the top says is multiplied by 0: no bottom code changes with the top's."""
    assert any("another image's" in name for name in changed(telling=0.0))


def test_a_decoder_that_does_not_look_at_a_level_is_noticed() -> None:
    assert [name for name in changed(falling=0.0) if "slope" in name] == [
        "top: slope of the picture along this level's codes, by differences"
    ]
    assert [name for name in changed(bottom=0.0) if "slope" in name] == [
        "bottom: slope of the picture along this level's codes, by differences"
    ]


def test_a_wrong_nearest_code_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VectorQuantizer, "nearest", lambda self, z: torch.zeros(z.shape[:-1], dtype=torch.long))
    found = failed(hierarchy_checks(*digits()))
    assert {name[:6] for name in found if "min_k" in name} == {"top: $", "bottom"}


def test_a_bottom_that_makes_it_worse_is_noticed() -> None:
    """The bottom's share of the picture, multiplied by −3."""
    assert any(name.startswith("PSNR without the bottom") for name in changed(bottom=-3.0))


def test_an_untrained_model_is_no_better_than_colours() -> None:
    _, train, test = digits()
    model = VQVAE2(dataset="digits", patch=2, codes=64, width=8).build()
    assert any("constant patches" in name for name in failed(hierarchy_checks(model, train, test)))


def test_three_levels_have_their_lines() -> None:
    """Untrained, so only names are looked at."""
    _, train, test = digits()
    model = VQVAE2(dataset="digits", patch=2, codes=64, width=8, levels=3).build()
    names = [check.name for check in hierarchy_checks(model, train, test[:50])]
    assert sum(name.startswith("middle: ") for name in names) == 8
    assert len(names) == 3 * 5 + 2 + 3 + 2 + 3 + 1


def test_the_view_makes_the_table() -> None:
    view = HierarchyChecks(source="zoo:vqvae2-digits")
    made = view.make(view.build(), CPU)
    found = read_checks(made["checks"])
    assert found
    assert all(check.passed for check in found)


def test_a_view_of_another_topic_is_told() -> None:
    view = HierarchyChecks(source="zoo:vqvae-digits")
    with pytest.raises(TrainingFailedError, match="A hierarchy of the page vqvae2 is looked at here"):
        view.make(view.build(), CPU)


def test_images_that_are_gone_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8), np.uint8)
    experiment = VQVAE2(dataset="own", data=keep(noise), patch=2, codes=16, width=8)
    view = HierarchyChecks()
    made = view.build()
    made.declaration = experiment.model_copy(update={"data": "0" * 64})
    with pytest.raises(TrainingFailedError):
        view.make(made, CPU)


@pytest.mark.parametrize("name", ["vqvae2-digits"])
def test_what_is_shipped_is_as_recorded(name: str) -> None:
    found = check(name)
    assert failed(found) == []
    assert len(found) >= 12


def test_shipped_reels_can_be_read_and_end_as_the_model_decodes() -> None:
    """The last row of pictures but one is what all levels of the shipped model give back, to rounding."""
    for name in SHIPPED:
        packed = zoo.artifact(name, "training")
        recipe, model = zoo.experiment(name), zoo.load(name)
        assert isinstance(recipe, VQVAE2)
        assert isinstance(model, HierarchicalAutoencoder)
        if recipe.dataset == "cifar10":
            assert packed is None  # its pictures are not the product's to ship
            continue
        assert packed is not None
        reel = Reel.from_bytes(packed)
        images = recipe.images().test[:6]
        codes = model.codes(torch.tensor(images).float() / 255)
        back = (model.decode_codes(codes) * 255).round().byte().numpy()
        shown = back[:, 0] if back.shape[1] == 1 else np.moveaxis(back, 1, -1)
        assert np.abs(reel.frames[-1, -2].astype(int) - shown.astype(int)).max() <= 1
        assert len(reel.row_labels) == recipe.levels + 1
