"""The VAE's Try section: every preset is a real setting with a real answer, every number told a measured one.

On the shipped models where they are shipped, else on models trained here.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest
import torch

from dgm_core import zoo
from dgm_core.data.images import load
from dgm_core.gumbel import DiscreteVAE
from dgm_core.gumbel.elbo import bound, independent_bernoulli
from dgm_core.gumbel.presets_vae import HARD, LEARNED, MELTED, MELTING, ONE, PLAIN, PRESETS
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.gumbel.vae_views import browse
from dgm_core.presets import Preset

NEAR = 0.5
"""Nats: other processors round otherwise, and a training that starts alike ends a little elsewhere."""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@lru_cache
def model(experiment: DiscreteVAE) -> CategoricalVAE:
    name = zoo.find(experiment)
    found = experiment.fit("cpu") if name is None else zoo.load(name)
    assert isinstance(found, CategoricalVAE)
    return found


def figures(experiment: DiscreteVAE, tau: float) -> dict[str, float]:
    x = experiment.images().held_out
    return bound(model(experiment), x, tau, 16, torch.Generator().manual_seed(1)).figures()


def other(name: str) -> DiscreteVAE:
    preset = next(preset for preset in PRESETS if preset.name == name)
    return DiscreteVAE(**{**preset.settings, **preset.against})


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_both_sides_are_valid_and_differ(preset: Preset) -> None:
    assert len(preset.against) <= 1, "A | B shows one field"
    one, against = DiscreteVAE(**preset.settings), DiscreteVAE(**{**preset.settings, **preset.against})
    assert one != (against if preset.against else DiscreteVAE())
    assert zoo.find(against) is not None
    assert preset.question.endswith("?")


def test_names_are_unique() -> None:
    names = [preset.name for preset in (*PRESETS, *MELTING)]
    assert len(set(names)) == len(names) >= 3


def test_independent_pixels_and_the_default() -> None:
    experiment = DiscreteVAE()
    plain = independent_bernoulli(experiment.images().held_out, model(experiment).mean)
    assert float(plain.mean()) == pytest.approx(PLAIN, abs=0.05)
    assert figures(experiment, 1.0)["elbo"] == pytest.approx(HARD, abs=NEAR)


def test_a_trained_models_relaxed_elbo_rises_then_falls() -> None:
    found = {tau: figures(DiscreteVAE(), tau)["elbo_relaxed"] for tau in MELTED}
    for tau, told in MELTED.items():
        assert found[tau] == pytest.approx(told, abs=2 * NEAR)
    assert found[1.0] > found[0.1] + 0.5 > HARD + 0.5 > found[10.0]


def test_hot_codes_give_every_image_nearly_the_same_picture() -> None:
    """The spread over images of each pixel at τ = 10 is less than half of what hard codes give."""
    experiment = DiscreteVAE()
    codes = browse(model(experiment), experiment.images().held_out, 10.0)
    soft, hard = (picture.astype(float).std(0).mean() for picture in (codes.recon_soft, codes.recon_hard))
    assert soft < hard / 2


def test_a_learned_temperature_cheats() -> None:
    experiment = other("learned-temperature")
    tau = model(experiment).learned_tau()
    assert tau is not None
    found = figures(experiment, float(tau.detach()))
    assert float(tau.detach()) > 2
    assert found["elbo_relaxed"] == pytest.approx(LEARNED[0], abs=NEAR)
    assert found["elbo"] < PLAIN - 50
    assert found["elbo"] == pytest.approx(LEARNED[1], abs=20)


def test_too_hot_a_training_leaves_nothing_in_the_code() -> None:
    found = figures(other("too-hot"), 5.0)
    assert found["kl"] < 0.005
    assert found["elbo"] == pytest.approx(PLAIN, abs=0.1)


def test_one_latent_finds_most_digits() -> None:
    experiment = other("one-latent")
    labels = load("digits").labels("test")
    assert labels is not None
    codes = browse(model(experiment), experiment.images().held_out, 1.0, seed=None).hard[:, 0]
    table = np.zeros((10, 10))
    np.add.at(table, (codes, labels.numpy()), 1)
    assert table.max(1).sum() / table.sum() == pytest.approx(ONE[1], abs=0.06)
    assert figures(experiment, 1.0)["elbo"] == pytest.approx(ONE[0], abs=NEAR)
    assert figures(experiment, 1.0)["kl"] < math.log(10)
    shares = table.max(0) / table.sum(0)
    assert shares[0] > 0.9
    assert shares[8] < 0.5
