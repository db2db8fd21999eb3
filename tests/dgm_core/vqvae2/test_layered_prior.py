"""Laws of a hierarchy's codes as runs: what they learn, report, resume, draw, ship and refuse."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dgm_core.checks import Check
from dgm_core.device import resolve
from dgm_core.errors import DataError
from dgm_core.experiment import Progress, TrainingFailedError
from dgm_core.generators import ImageGenerator
from dgm_core.home import home
from dgm_core.vqvae2.exhibit import EXHIBIT
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.prior import HierarchicalPrior
from dgm_core.vqvae2.prior_bits import baselines, bits_figures, level_bits, told_others
from dgm_core.vqvae2.prior_checks import prior_checks
from dgm_core.vqvae2.prior_exhibit import samples_reel
from dgm_core.vqvae2.prior_law import HierarchicalLaw
from dgm_core.vqvae2.prior_maps import LayeredMaps, source_model

CPU = resolve("cpu")
SMALL = {"source": "run:hierarchy", "width": 16, "depth": 2, "batch": 16, "steps": 120, "learning_rate": 1e-2}


@pytest.fixture(scope="module", autouse=True)
def _hierarchy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A hierarchy of 2 × 2 and 4 × 4 codes of digits, trained for a moment, as a run's folder holds it."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DGM_HOME", str(tmp_path_factory.mktemp("home")))
        experiment = VQVAE2(dataset="digits", patch=2, codes=16, dimension=8, width=16, steps=150)
        weights = {name: tensor.contiguous() for name, tensor in experiment.fit("cpu").state_dict().items()}
        folder = home() / "runs" / "hierarchy"
        folder.mkdir(parents=True)
        save_file(weights, folder / "weights.safetensors", metadata={"experiment": experiment.canonical()})
        yield


def prior(**changes: object) -> HierarchicalPrior:
    return HierarchicalPrior(**{**SMALL, **changes})


def reports(experiment: HierarchicalPrior, model: nn.Module, **settings: object) -> list[Progress]:
    return list(experiment.train(model, CPU, **settings))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trained(_hierarchy: None) -> tuple[HierarchicalLaw, list[Progress]]:
    """A law after its 120 steps."""
    law = prior().build()
    told = reports(prior(), law)
    return law.eval(), told


def test_maps_are_the_hierarchys_codes_of_the_sets_images() -> None:
    declaration, model = source_model("run:hierarchy")
    maps, images = prior().maps(), declaration.images()
    assert [tuple(level.shape) for level in maps.train] == [(len(images.train), 2, 2), (len(images.train), 4, 4)]
    expected = model.codes(torch.tensor(images.test).float() / 255)
    assert all(torch.equal(one, other) for one, other in zip(maps.test, expected, strict=True))


def test_laws_learn_more_than_histograms_tell(trained: tuple[HierarchicalLaw, list[Progress]]) -> None:
    """Before the first step 20 · log₂ 16 = 80 bits; after 120 short ones well below the histograms' bits."""
    maps = prior().maps()
    assert bits_figures(prior().build().eval(), maps.test)["bits"] == pytest.approx(80, rel=1e-5)
    last = trained[1][-1].metrics
    assert last["bits_uniform"] == 80
    assert last["bits"] < last["bits_independent"] - 4


def test_figures_are_the_laws_log_probabilities(trained: tuple[HierarchicalLaw, list[Progress]]) -> None:
    """Every reported figure again from `log_prob`, by NumPy; 1e-3 bits."""
    law, last = trained[0], trained[1][-1].metrics
    maps = prior().maps().test
    with torch.no_grad():
        told = -law.log_prob(maps).double().numpy() / math.log(2)
        alone = -law.alone_log_prob(maps).double().numpy()[0] / math.log(2)
    root = math.sqrt(len(alone))
    expected = {
        "bits": told.sum(0).mean(), "bits_error": told.sum(0).std(ddof=1) / root, "bits_top": told[0].mean(),
        "bits_bottom": told[1].mean(), "bits_bottom_alone": alone.mean(), "saved_bottom": (alone - told[1]).mean(),
        "saved_bottom_error": (alone - told[1]).std(ddof=1) / root, "bits_per_code": told.sum(0).mean() / 20,
    }  # fmt: skip
    assert {name: last[name] for name in expected} == pytest.approx(expected, abs=1e-3)


def test_baselines_are_closed_forms() -> None:
    """Uniform: Σ h w log₂ K. Independent: the cross-entropy of smoothed shares, by NumPy."""
    law = HierarchicalLaw((4, 8), ((1, 1), (2, 2)), width=8, depth=1)
    top, bottom = torch.tensor([0, 0, 1]).view(3, 1, 1), torch.full((3, 2, 2), 5)
    found = baselines(LayeredMaps((top, bottom), (top[:1], bottom[:1])), law)
    assert found["bits_uniform"] == 2 + 4 * 3
    assert found["bits_top_independent"] == pytest.approx(-math.log2(2.5 / 5), rel=1e-5)
    assert found["bits_bottom_independent"] == pytest.approx(-4 * math.log2(12.5 / 16), rel=1e-5)
    assert found["bits_independent"] == pytest.approx(found["bits_top_independent"] + found["bits_bottom_independent"])


def copied(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Bottom maps in which every code is the top code over it: H(top) = 8, H(bottom) = 8, H(bottom | top) = 0 bits."""
    top = torch.randint(4, (n, 2, 2), generator=torch.Generator().manual_seed(seed))
    return top, top.repeat_interleave(2, 1).repeat_interleave(2, 2)


def test_bits_find_the_entropies_of_a_law_that_is_known() -> None:
    """Copied maps, 160 steps: 8 bits at the top and below alone, none below when told; 0.6 bits, never less by 0.2.

    Held-out bits bound the entropy from above but for the noise of 500 maps; with other images' tops they exceed 8.
    """
    law = HierarchicalLaw((4, 4), ((2, 2), (4, 4)), width=16, depth=1, reach=1)
    train, test = copied(500, 1), copied(500, 2)
    optimiser, generator = torch.optim.Adam(law.parameters(), 2e-2), torch.Generator().manual_seed(3)
    for _ in range(160):
        rows = torch.randint(500, (32,), generator=generator)
        maps = [level[rows] for level in train]
        loss = -law.log_prob(maps).sum(0).mean() - law.alone_log_prob(maps).sum(0).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    found = bits_figures(law, test)
    for name, entropy in (("bits_top", 8.0), ("bits_bottom", 0.0), ("bits_bottom_alone", 8.0)):
        assert entropy - 0.2 < found[name] < entropy + 0.6, name
    assert float(told_others(law, test, 1).mean()) > 8


def test_others_tops_are_whole_maps_of_other_images(trained: tuple[HierarchicalLaw, list[Progress]]) -> None:
    """The same shuffle by hand."""
    law, maps = trained[0], [level[:40] for level in prior().maps().test]
    order = torch.randperm(40, generator=torch.Generator().manual_seed(5))
    expected = level_bits(law, [maps[0][order], maps[1]]).told[1]
    assert torch.allclose(told_others(law, maps, 1, 5), expected, atol=1e-4)


def test_a_resumed_training_ends_where_an_unbroken_one_does() -> None:
    experiment = prior(steps=30)
    whole, again = experiment.build(), experiment.build()
    checkpoint = next(report.checkpoint for report in reports(experiment, whole) if report.checkpoint)
    reports(experiment, again, resume=checkpoint)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_it_draws_images_at_the_turn_of_a_knob(trained: tuple[HierarchicalLaw, list[Progress]]) -> None:
    law, experiment = trained[0], prior()
    assert isinstance(experiment, ImageGenerator)
    found = [experiment.generate(law, 5, t, torch.Generator().manual_seed(1)) for t in (0.0, 1.0, 1.0)]
    assert found[0].shape == (5, *experiment.real().shape)
    assert found[0].dtype == np.uint8
    assert np.array_equal(found[1], found[2])
    assert len(np.unique(found[0], axis=0)) == 1 < len(np.unique(found[1], axis=0))
    assert experiment.generate(law, 0, 1.0, torch.Generator()).shape == (0, *experiment.real().shape)


def test_pictures_make_a_reel(trained: tuple[HierarchicalLaw, list[Progress]]) -> None:
    pictures = [(report.step, report.preview) for report in trained[1]]
    reel = samples_reel(pictures)
    assert reel.frames.shape[1:] == (2, 8, 8, 8)
    assert reel.times[-1] == 120
    assert np.array_equal(reel.frames[-1, 1], pictures[-1][1]["samples"][:, 0])
    with pytest.raises(ValueError, match="no picture yet"):
        samples_reel([])


def test_half_precision_keeps_the_bits(trained: tuple[HierarchicalLaw, list[Progress]]) -> None:
    """What is shipped: every held-out figure to 0.02 bits."""
    law = prior().build()
    stored = EXHIBIT.weights(prior(), trained[0].state_dict())
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    law.load_state_dict(dict(stored))
    found = bits_figures(law.eval(), prior().maps().test)
    assert found == pytest.approx({name: trained[1][-1].metrics[name] for name in found}, abs=0.02)


def failed(lines: list[Check]) -> list[str]:
    return [line.name for line in lines if not line.passed]


def test_checks_pass_on_a_trained_law(trained: tuple[HierarchicalLaw, list[Progress]]) -> None:
    assert failed(prior_checks(trained[0], prior().maps())) == []


def test_checks_notice_a_law_that_looks_ahead(trained: tuple[HierarchicalLaw, list[Progress]]) -> None:
    """The bottom's first layer shifted by one code to the right sees its own code."""
    law = prior().build()
    law.load_state_dict(trained[0].state_dict())
    bottom = law.law(1)
    plain: Any = bottom.logits_of
    object.__setattr__(bottom, "logits_of", lambda embedded, context=None: plain(embedded.roll(-1, 3), context))
    names = failed(prior_checks(law.eval(), prior().maps()))
    assert any("bottom: gradient of a code's law" in name for name in names)


def test_checks_notice_what_is_told_wrong(trained: tuple[HierarchicalLaw, list[Progress]]) -> None:
    """Tops of the held-out images in another order: being told costs more than being told nothing."""
    maps = prior().maps()
    mixed = replace(maps, test=(maps.test[0].roll(7, 0), maps.test[1]))
    names = failed(prior_checks(trained[0], mixed))
    assert any("bottom: bits told its own codes above" in name or "told nothing" in name for name in names)


@pytest.mark.parametrize(
    ("source", "words"),
    [("zoo:nothing-such", "cannot be read"), ("zoo:vqvae-digits", "is none with levels of codes")],
)
def test_what_is_no_hierarchy_is_told(source: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        source_model(source)
    with pytest.raises(TrainingFailedError, match=words):
        prior(source=source).build()


def test_another_model_is_refused() -> None:
    with pytest.raises(TypeError, match="laws of a hierarchy's codes are meant here"):
        next(prior().train(nn.Linear(1, 1), CPU))
