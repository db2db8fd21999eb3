"""The trade-off of a generator of images against its knob: its numbers by another way, and the presets' figures."""

import functools
import io

import numpy as np
import pytest
import torch

from dgm_core.checks import read_checks
from dgm_core.data.images import load
from dgm_core.device import resolve
from dgm_core.experiment import TrainingFailedError
from dgm_core.generators import Knob, load_generator
from dgm_core.metrics import expected_coverage
from dgm_core.precision_recall import presets
from dgm_core.precision_recall.checks import exhaustive
from dgm_core.precision_recall.curves import joined
from dgm_core.precision_recall.spaces import fitted_space
from dgm_core.precision_recall.trade_off import SPLITS, TradeOff, chosen, floats, reference_of

PRIOR = "zoo:vqvae-shapes-prior"


@functools.lru_cache
def measured(**settings):
    view = TradeOff(**settings)
    model = view.build()
    previews = [dict(report.preview) for report in view.train(model, resolve("cpu"))]
    return view, joined(previews), model.made


def small():
    return measured(source=PRIOR, embed="pixels", n=60, k=3, count=3)


def test_the_numbers_are_those_of_all_pairs_on_the_images_drawn_again():
    view, found, _ = small()
    declaration, model = load_generator(PRIOR)
    real = chosen(load("shapes").test, 60, 0).reshape(60, -1) / 255
    assert found["x"].tolist() == [0, 1, 2]
    for place, values, low, high in zip(found["x"], found["values"], found["low"], found["high"], strict=True):
        drawn = declaration.generate(model, 60, float(place), torch.Generator().manual_seed(0))
        expected = exhaustive(real, drawn.reshape(60, -1) / 255, view.k)
        np.testing.assert_allclose(
            values, [expected.precision, expected.recall, expected.density, expected.coverage], atol=1e-6
        )
        assert (low <= values + 1e-12).all()
        assert (values <= high + 1e-12).all()
    assert found["images"].shape == (3, 24, 3, 32, 32)
    assert found["sizes"].tolist() == [[60, 60, 60]] * 3


def test_real_images_in_the_generators_place_meet_theory():
    view, found, made = small()
    reference = reference_of(found)
    assert found["reference"].shape == (3, SPLITS, 4)
    # five standard errors of a mean over eight splits
    assert abs(reference.mean[2] - 1) < 5 * reference.error[2]
    assert abs(reference.mean[3] - expected_coverage(60, 60, view.k)) < 5 * reference.error[3] + 1e-9
    assert all(check.passed for check in read_checks(made["checks"]))
    with np.load(io.BytesIO(made["figures"]), allow_pickle=False) as file:
        np.testing.assert_array_equal(file["values"], found["values"])


def test_what_draws_no_images_is_a_sentence():
    view = TradeOff(source="zoo:cnf-moons")
    with pytest.raises(TrainingFailedError, match="draws no images"):
        next(iter(view.train(view.build(), resolve("cpu"))))
    with pytest.raises(TrainingFailedError):
        TradeOff(source="run:nothing").build()


@pytest.mark.parametrize(
    ("knob", "count", "expected"),
    [
        (Knob("t", 0.0, 2.0), 5, (0.0, 0.5, 1.0, 1.5, 2.0)),
        (Knob("ψ", 0.0, 1.0, 0.7), 3, (0.0, 0.5, 0.7, 1.0)),
        (Knob("ψ", -1.0, 1.0, 1.0), 3, (-1.0, 0.0, 1.0)),
    ],
)
def test_the_models_own_law_is_among_the_places(knob, count, expected):
    assert TradeOff(count=count).places(knob) == pytest.approx(expected)


@pytest.mark.parametrize("space", ["pca", "classifier"])
@pytest.mark.parametrize(("temperature", "said"), [(0.25, presets.COOLED), (1.0, presets.PLAIN), (2.0, presets.HEATED)])
def test_what_the_presets_say(space, temperature, said):
    view = TradeOff(embed=space)
    declaration, model = load_generator(view.source)
    real = floats(chosen(load("shapes").test, view.n, view.seed))
    drawn = declaration.generate(model, view.n, temperature, torch.Generator().manual_seed(view.seed))
    embed = fitted_space(real, space, network=view.network, components=view.components)
    found = exhaustive(embed(real), embed(floats(drawn)), view.k)
    assert (found.precision, found.recall) == pytest.approx(said[space], abs=0.012)


@pytest.mark.parametrize("preset", presets.KNOB, ids=lambda preset: preset.name)
def test_the_presets_settings_are_valid(preset):
    TradeOff(**preset.settings)
