"""Checks pass on what is right and fail on what is broken; views, and what is shipped."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from dgm_core import zoo
from dgm_core.checks import Check, read_checks
from dgm_core.device import resolve
from dgm_core.experiment import TrainingFailedError
from dgm_core.nn.causal_transformer import CachedWalk, CausalTransformer
from dgm_core.nn.vector_quantiser import VectorQuantizer
from dgm_core.reel import Reel
from dgm_core.vqvae.atlas import CodeAtlas
from dgm_core.vqvae.checks import codebook_checks
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.plane_film import PlaneFilm
from dgm_core.vqvae.plane_view import CodebookPlane
from dgm_core.vqvae.prior import CodePrior
from dgm_core.vqvae.prior_checks import prior_checks
from dgm_core.vqvae.views import CodebookAtlas, CodebookChecks, PriorChecks
from dgm_core.zoo.checking import check
from dgm_core.zoo.reels import large, small

CPU = resolve("cpu")
SHIPPED = zoo.names("vqvae")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@cache
def _digits() -> tuple[QuantisedAutoencoder, Tensor, Tensor]:
    model, recipe = zoo.load("vqvae-digits"), zoo.experiment("vqvae-digits")
    assert isinstance(model, QuantisedAutoencoder)
    assert isinstance(recipe, VQVAE)
    images = recipe.images()
    return model, torch.tensor(images.train[:400]), torch.tensor(images.test[:300])


def failed(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.passed]


def broken(
    model: QuantisedAutoencoder, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> QuantisedAutoencoder:
    copied = copy.deepcopy(model)
    monkeypatch.setattr(copied.quantiser, name, value)
    return copied


def test_a_shipped_codebook_passes_every_check() -> None:
    model, train, test = _digits()
    found = codebook_checks(model, train, test)
    assert failed(found) == []
    assert len(found) == 9


def test_a_wrong_nearest_code_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    model, train, test = _digits()
    wrong = broken(model, monkeypatch, "nearest", lambda z: torch.zeros(z.shape[:-1], dtype=torch.long))
    assert any("min_k" in name for name in failed(codebook_checks(wrong, train, test)))


def test_a_lost_gradient_is_noticed() -> None:
    model, train, test = copy.deepcopy(_digits()[0]), *_digits()[1:]
    assert isinstance(model.quantiser, VectorQuantizer)
    model.quantiser.gradient = "rotation"  # the check then asks for the part along q, which copying does not keep
    model.quantiser.__class__ = type("Copying", (VectorQuantizer,), {"forward": _copying})
    assert any("gradient" in name for name in failed(codebook_checks(model, train, test)))


def _copying(self: VectorQuantizer, z: Tensor) -> object:
    self.gradient = "straight-through"
    try:
        return VectorQuantizer.forward(self, z)
    finally:
        self.gradient = "rotation"


def test_running_means_that_forget_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    model, train, test = _digits()
    monkeypatch.setattr(VectorQuantizer, "observe", lambda self, z, indices, generator=None: None)
    assert any("running means" in name for name in failed(codebook_checks(model, train, test)))


def test_a_model_that_has_learned_nothing_is_no_better_than_colours() -> None:
    _, train, test = _digits()
    assert any("constant patches" in name for name in failed(codebook_checks(VQVAE(
        dataset="digits", patch=2, codes=64, width=8).build(), train, test)))  # fmt: skip


@cache
def _prior() -> tuple[CausalTransformer, CodePrior]:
    model, recipe = zoo.load("vqvae-shapes-prior"), zoo.experiment("vqvae-shapes-prior")
    assert isinstance(model, CausalTransformer)
    assert isinstance(recipe, CodePrior)
    return model, recipe


def test_the_shipped_prior_passes_every_check() -> None:
    model, recipe = _prior()
    found = prior_checks(model, recipe.maps())
    assert failed(found) == []
    assert len(found) == 6


def test_a_law_that_sees_itself_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes not shifted: the law at t knows c_t."""
    model, recipe = _prior()

    def unshifted(self: CausalTransformer, embedded: Tensor, context: Tensor | None = None) -> Tensor:
        x = embedded + self.placed(context)
        for block in self.blocks:
            x = block(x)
        found: Tensor = self.head(self.norm(x))
        return found.unflatten(1, self.grid)

    monkeypatch.setattr(CausalTransformer, "logits_of", unshifted)
    assert any("later codes" in name for name in failed(prior_checks(model, recipe.maps())))


def test_a_cache_that_loses_a_place_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    model, recipe = _prior()

    def forgetful(self: CachedWalk, codes: Tensor) -> None:
        self.input = self.model.embedding(codes * 0).unsqueeze(1)
        self.place += 1

    monkeypatch.setattr(CachedWalk, "take", forgetful)
    names = failed(prior_checks(model, recipe.maps()))
    assert any("without the cache" in name for name in names)
    assert any("teacher forcing" in name for name in names)


def test_views_make_what_they_promise() -> None:
    digits = CodebookChecks(source="zoo:vqvae-digits")
    assert failed(read_checks(digits.make(digits.build(), CPU)["checks"])) == []
    atlas = CodebookAtlas(source="zoo:vqvae-digits", count=100)
    assert CodeAtlas.from_bytes(atlas.make(atlas.build(), CPU)["atlas"]).codes.shape == (100, 4, 4)
    plane = CodebookPlane(steps=4)
    assert len(PlaneFilm.from_bytes(plane.make(plane.build(), CPU)["plane"]).steps) == 5


@pytest.mark.parametrize("view", [CodebookChecks(source="zoo:cnf-moons"), CodebookAtlas(source="zoo:cnf-moons")])
def test_views_of_other_topics_models_end_with_a_sentence(view: CodebookChecks) -> None:
    with pytest.raises(TrainingFailedError, match="A model of the page vqvae is looked at here"):
        view.make(view.build(), CPU)


def test_a_codebook_is_no_prior() -> None:
    view = PriorChecks(source="zoo:vqvae-digits")
    with pytest.raises(TrainingFailedError, match="this model is none"):
        view.make(view.build(), CPU)


@pytest.mark.parametrize("name", ["vqvae-digits", "vqvae-shapes-prior"])
def test_what_is_shipped_is_as_good_as_was_written_down(name: str) -> None:
    """The others are measured by ``python -m dgm_core zoo --check``."""
    assert failed(check(name)) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_files_are_read(name: str) -> None:
    for kind in ("training", "codebook", "samples"):
        packed = zoo.artifact(name, kind)
        assert packed is None or Reel.from_bytes(packed).times[-1] == zoo.experiment(name).steps  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["vqvae-mnist", "vqvae-cifar10"])
def test_published_images_are_not_shipped(name: str) -> None:
    assert zoo.artifact(name, "training") is None
    assert zoo.artifact(name, "codebook") is not None


def test_small_reels_lose_nothing() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (5, 2, 3, 4, 4, 3), np.uint8)
    reel = Reel(np.arange(5.0), frames, ("a", "b"), note="n")
    back = large(small(reel))
    assert np.array_equal(back.frames, frames)
    assert (back.row_labels, back.note) == (("a", "b"), "n")
    with pytest.raises(ValueError, match="no shipped reel"):
        large(small(reel)[:-9])
