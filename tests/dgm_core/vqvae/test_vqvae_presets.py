"""The numbers in the page's reveals are the ones that one measures, but for those that take half a minute each."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from dgm_core import zoo
from dgm_core.nn.code_bits import baseline_bits
from dgm_core.nn.code_model import CodeModel
from dgm_core.presets import Preset
from dgm_core.vqvae import presets
from dgm_core.vqvae.code_maps import CodeMaps
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.plane_film import PlaneFilm
from dgm_core.vqvae.plane_view import CodebookPlane
from dgm_core.vqvae.prior import CodePrior
from dgm_core.zoo.reading import record

PLANE = {preset.name: preset for preset in presets.PLANE}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def film(name: str, **changes: object) -> PlaneFilm:
    return CodebookPlane(**{**PLANE[name].settings, **changes}).film()


@cache
def prior() -> tuple[CodeModel, CodeMaps]:
    recipe, model = zoo.experiment("vqvae-shapes-prior"), zoo.load("vqvae-shapes-prior")
    assert isinstance(recipe, CodePrior)
    assert isinstance(model, CodeModel)
    return model, recipe.maps()


@pytest.mark.parametrize("preset", [*presets.PLANE, *presets.IMAGES], ids=lambda preset: preset.name)
def test_settings_and_their_other_side_are_declarations(preset: Preset) -> None:
    declaration = CodebookPlane if preset in presets.PLANE else VQVAE
    one, other = declaration(**preset.settings), declaration(**{**preset.settings, **preset.against})
    assert (one != other) == bool(preset.against)
    assert all(getattr(one, name) == value for name, value in preset.settings.items())


@pytest.mark.parametrize("preset", presets.IMAGES, ids=lambda preset: preset.name)
def test_one_side_is_shipped(preset: Preset) -> None:
    assert (zoo.find(VQVAE(**preset.settings)) or "").startswith("vqvae-shapes")


def test_names_are_unique() -> None:
    names = [preset.name for preset in (*presets.PLANE, *presets.IMAGES, *presets.PRIORS)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("name", "said"), [("corner", presets.CORNERED), ("restart", presets.CURED)])
def test_how_many_codes_are_used_from_a_corner(name: str, said: tuple[int, float]) -> None:
    found = film(name)
    assert round(float(found.used[-1]) * 16) == said[0]
    assert float(found.distortion[-1]) == pytest.approx(said[1], abs=0.005)
    assert found.kmeans_distortion == pytest.approx(presets.BEST, abs=0.005)


@pytest.mark.parametrize("beta", presets.RUNAWAY)
def test_how_far_free_outputs_run(beta: float) -> None:
    """Rounded as it is said."""
    found = float(film("no-commitment", beta=beta).distortion[-1])
    assert found == pytest.approx(presets.RUNAWAY[beta], abs=0.06 if beta < 1 else 0.006)


def test_at_beta_one_the_arrows_cancel() -> None:
    found = film("balance")
    assert abs(found.z - found.points).max() < 2e-3
    assert abs(found.straight + found.commit).max() < 2e-4
    assert abs(found.straight[0]).max() > 0.1


def test_the_shipped_model_is_as_said() -> None:
    """The figures are recorded; that they hold is what `zoo --check` and its test measure."""
    figures = record("vqvae-shapes")["figures"]
    assert figures["psnr"] == pytest.approx(presets.SHIPPED[0], abs=0.05)
    assert figures["perplexity"] == pytest.approx(presets.SHIPPED[1], abs=0.5)
    assert figures["commitment"] == pytest.approx(presets.SHIPPED[2], abs=5e-4)
    for said, (low, high) in zip(presets.SHIPPED, presets.DEFAULT, strict=True):
        assert low <= said <= high


def test_bits_are_as_said() -> None:
    model, maps = prior()
    base = baseline_bits(maps.train, maps.test, model.codes)
    assert base["bits_uniform"] == presets.BITS["uniform"]
    assert base["bits_independent"] == pytest.approx(presets.BITS["independent"], abs=0.6)
    with torch.no_grad():
        rows = model.logits(maps.test).log_softmax(-1).gather(-1, maps.test[..., None])[..., 0]
    each = -rows.mean(0) / torch.log(torch.tensor(2.0))
    assert float(each.sum()) == pytest.approx(presets.BITS["transformer"], abs=0.6)
    assert float(each[0, 0]) == pytest.approx(presets.CORNER_BITS, abs=0.06)
    assert float(each.flatten()[1:].max()) == pytest.approx(presets.MIDDLE_BITS, abs=0.06)
    assert 2 <= int(each.flatten()[1:].argmax() + 1) // 8 <= 5


def test_the_likeliest_map_is_bare_ground() -> None:
    """Temperature 0: a single code throughout, of so many bits; 64 maps at temperature 1, ± 4 standard errors."""
    model, _ = prior()
    bare = model.draw(1, 0.0, keep=False)
    assert len(bare.codes.unique()) == 1
    assert float(model.bits(bare.codes).detach()) == pytest.approx(presets.LIKELIEST, abs=0.6)
    bits = model.bits(model.sample(64, generator=torch.Generator().manual_seed(1))).detach()
    assert float(bits.mean()) == pytest.approx(presets.TYPICAL, abs=4 * float(bits.std()) / 8)
