"""What a page asks about a trained discrete VAE, its checks and what is shipped of it, against sums and loops."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from dgm_core.checks import read_checks
from dgm_core.experiment import Progress, TrainingFailedError
from dgm_core.gumbel import DiscreteVAE, vae_checks
from dgm_core.gumbel.binary_images import BinaryImages
from dgm_core.gumbel.elbo import kl_to_uniform
from dgm_core.gumbel.enumeration import exact
from dgm_core.gumbel.exhibit import EXHIBIT, MELTING, OPENING, TRAINING, large, small
from dgm_core.gumbel.opening import Opening, opening
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.gumbel.vae_measured import VAEMeasured
from dgm_core.gumbel.vae_views import (
    TRAINING_ROWS,
    browse,
    code_usage,
    decode,
    gap_curve,
    melting,
    prior_samples,
    training_reel,
)
from dgm_core.reel import Reel
from dgm_core.views import Viewed

CPU = torch.device("cpu")
Trained = tuple[DiscreteVAE, CategoricalVAE, list[Progress]]


@pytest.fixture(scope="module")
def trained() -> Trained:
    """A small one, so that all its 5³ codes can be summed over."""
    torch.set_num_threads(1)
    experiment = DiscreteVAE(
        steps=200, latents=3, categories=5, width=32, estimator="gumbel-softmax", schedule="fixed", tau=0.5
    )
    model = experiment.build()
    return experiment, model, list(experiment.train(model, CPU))


@pytest.fixture
def images(trained: Trained) -> BinaryImages:
    return trained[0].images()


@pytest.fixture
def model(trained: Trained) -> CategoricalVAE:
    return trained[1].eval()


# Codes and pictures


def test_codes_are_those_of_the_encoder(model: CategoricalVAE, images: BinaryImages) -> None:
    x = images.held_out[:6]
    found = browse(model, x, 0.7, seed=None)
    logits = model.encode(x).detach().numpy().astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    np.testing.assert_array_equal(found.hard, logits.argmax(-1))
    np.testing.assert_array_equal(found.recon_hard, decode(model, found.hard))
    assert (found.recon_soft.shape, found.recon_soft.dtype) == ((6, 1, 8, 8), np.uint8)
    np.testing.assert_allclose(found.soft.sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(found.kl.sum(1), kl_to_uniform(torch.from_numpy(logits)), atol=1e-5)


def test_drawn_codes_follow_the_encoder(model: CategoricalVAE, images: BinaryImages) -> None:
    """2,000 copies of one image, seed 7: each category within 4.5 standard deviations of its probability."""
    n = 2_000
    found = browse(model, images.held_out[:1].repeat(n, 1), 1.0, seed=7)
    q = found.probabilities[0].astype(np.float64)
    shares = np.stack([(found.hard == k).mean(0) for k in range(5)], axis=1)
    assert bool((np.abs(shares - q) <= 4.5 * np.sqrt(q * (1 - q) / n) + 1e-9).all())


def test_noise_is_the_same_at_every_temperature(model: CategoricalVAE, images: BinaryImages) -> None:
    x = images.held_out[:20]
    cold, hot, other = browse(model, x, 0.1), browse(model, x, 5.0), browse(model, x, 5.0, seed=1)
    np.testing.assert_array_equal(cold.hard, hot.hard)
    np.testing.assert_array_equal(cold.soft.argmax(-1), hot.soft.argmax(-1))
    assert not np.array_equal(hot.hard, other.hard)
    np.testing.assert_array_equal(browse(model, x, 0.0).recon_soft, cold.recon_hard)


def test_decoding_is_the_decoders_mean(model: CategoricalVAE) -> None:
    codes = np.array([[0, 4, 2], [1, 1, 1]])
    one_hot = torch.from_numpy(np.eye(5, dtype=np.float32)[codes])
    mean = torch.sigmoid(model.decoder(one_hot.reshape(2, 15))).detach().numpy().reshape(2, 1, 8, 8)
    np.testing.assert_allclose(decode(model, codes), 255 * mean, atol=0.5001)


@pytest.mark.parametrize(("codes", "says"), [
    ([[0, 1]], "3 whole numbers"),
    ([0, 1, 2], "3 whole numbers"),
    ([[0.0, 1.0, 2.0]], "3 whole numbers"),
    ([[0, 1, 5]], "are 0 to 4"),
    ([[0, -1, 2]], "are 0 to 4"),
])  # fmt: skip
def test_a_code_that_is_none_is_refused(model: CategoricalVAE, codes: list[list[int]], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        decode(model, codes)


def test_prior_samples_are_uniform_and_seeded(model: CategoricalVAE) -> None:
    """3 × 3,000 draws of 5 categories, seed 0: counts within 4.5 standard deviations of a fifth."""
    codes, pictures = prior_samples(model, 3_000)
    counts = np.stack([(codes == k).sum(0) for k in range(5)])
    assert np.abs(counts - 600).max() < 4.5 * math.sqrt(3_000 * 0.2 * 0.8)
    assert pictures.shape == (3_000, 1, 8, 8)
    np.testing.assert_array_equal(prior_samples(model, 5, seed=3)[0], prior_samples(model, 5, seed=3)[0])


def test_melting_goes_from_the_hard_picture_to_the_one_of_uniform_codes(
    model: CategoricalVAE, images: BinaryImages
) -> None:
    x = images.held_out[:4]
    reel = melting(model, x, (1e-4, 1.0, 1e5))
    assert reel.frames.shape == (3, 3, 4, 8, 8)
    np.testing.assert_array_equal(reel.frames[:, 0], np.broadcast_to(255 * x.numpy().reshape(4, 8, 8), (3, 4, 8, 8)))
    np.testing.assert_allclose(reel.frames[0, 2].astype(int), reel.frames[0, 1].astype(int), atol=1)
    middle = torch.sigmoid(model.decode(torch.full((1, 3, 5), 0.2))).detach().numpy().reshape(1, 8, 8)
    np.testing.assert_allclose(reel.frames[2, 2], np.broadcast_to(255 * middle, (4, 8, 8)), atol=1)


def test_usage_counts_the_likeliest_category(model: CategoricalVAE, images: BinaryImages) -> None:
    usage = code_usage(model, images.held_out)
    modes = model.encode(images.held_out).argmax(-1).numpy()
    np.testing.assert_array_equal(usage, [np.bincount(modes[:, n], minlength=5) for n in range(3)])


def test_the_gap_curve_agrees_with_the_sum_over_codes(model: CategoricalVAE, images: BinaryImages) -> None:
    """Hard ELBO within 4.5 standard errors of codes; the gap is 0 at τ = 0 and relaxed minus hard everywhere."""
    x = images.held_out[:100]
    curve = gap_curve(model, x, (0.0, 0.5, 5.0), samples=50, seed=2)
    truth = exact(model, x)
    again = [gap_curve(model, x, (0.5,), samples=50, seed=seed).hard for seed in range(3, 13)]
    assert abs(np.mean(again) - float(truth.elbo.mean())) < 4.5 * np.std(again, ddof=1) / math.sqrt(len(again))
    assert curve.gap[0] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(curve.gap, curve.relaxed - curve.hard, atol=1e-9)
    assert bool((curve.gap_error[1:] < curve.relaxed_error[1:]).all())


def test_the_training_reel_has_every_picture_once_in_order(trained: Trained) -> None:
    pictured = [(report.step, report.preview) for report in trained[2] if report.preview]
    reel = training_reel([*reversed(pictured), pictured[0]])
    assert reel.times.tolist() == [step for step, _ in pictured]
    assert reel.frames.shape == (len(pictured), 5, 10, 8, 8)
    for row, name in enumerate(TRAINING_ROWS):
        np.testing.assert_array_equal(reel.frames[-1, row], pictured[-1][1][name][:, 0])
    with pytest.raises(ValueError, match="no picture yet"):
        training_reel([])


# Checks


def test_all_checks_of_a_trained_model_pass(model: CategoricalVAE, images: BinaryImages) -> None:
    found = vae_checks.vae_checks(model, images.held_out)
    assert len(found) == 9
    assert [check.name for check in found if not check.passed] == []


def test_the_information_is_that_of_a_sum_over_codes(model: CategoricalVAE, images: BinaryImages) -> None:
    """I(x; z) of 40 images by summing over 125 codes in float64; sampled with 40 codes, 200 seeds, 4.5 errors."""
    logits = model.encode(images.held_out[:40]).detach().double()
    log_q = logits.log_softmax(-1)
    whole = sum(log_q[:, n].view(40, *[5 if axis == n else 1 for axis in range(3)]) for n in range(3))
    assert isinstance(whole, torch.Tensor)
    whole = whole.reshape(40, 125)
    average = whole.logsumexp(0) - math.log(40)
    truth = float((whole.exp() * (whole - average)).sum(1).mean())
    drawn = torch.tensor([
        vae_checks.kl_and_information(logits, torch.Generator().manual_seed(seed)).measured for seed in range(200)
    ])  # fmt: skip
    assert abs(float(drawn.mean()) - truth) < 4.5 * float(drawn.std()) / math.sqrt(200)
    assert truth < float(kl_to_uniform(logits).mean())


def test_an_untrained_model_and_a_wrong_kl_do_not_pass(model: CategoricalVAE, images: BinaryImages) -> None:
    """A code that says nothing true costs more than it brings; a KL with a term forgotten is found out."""
    bad = CategoricalVAE((1, 8, 8), latents=3, categories=5, width=32, depth=1)
    with torch.no_grad():
        for parameter in bad.parameters():
            parameter.mul_(5)
    bad.mean.copy_(images.mean)
    check = vae_checks.above_independent_pixels(bad, images.held_out, torch.Generator().manual_seed(0))
    assert not check.passed
    logits = model.encode(images.held_out).detach().double()
    wrong = vae_checks.kl_by_sampling(logits, torch.Generator().manual_seed(0))
    assert wrong.passed
    assert abs(wrong.measured - (wrong.expected - math.log(5))) > 4 * wrong.error


# Runs


def test_a_page_opens_on_what_a_run_keeps(trained: Trained, images: BinaryImages) -> None:
    experiment, model, reports = trained
    made = dict(experiment.artifacts(model, CPU))
    opened = Opening.from_bytes(made["opening"])
    assert opened.images == len(images.held_out) == opened.usage[0].sum()
    assert opened.baseline < opened.curve.hard < opened.importance
    assert opened.curve.hard == pytest.approx(reports[-1].metrics["elbo"], abs=0.3)
    np.testing.assert_array_equal(opened.seen.reshape(10, 1, 8, 8) * 255, reports[-1].preview["seen"])
    assert Reel.from_bytes(made["melting"]).row_labels[0] == "input"
    whole = Opening.from_bytes(opening(model, images).to_bytes())
    np.testing.assert_array_equal(whole.curve.relaxed, opened.curve.relaxed)


@pytest.mark.parametrize("content", [b"", b"none", Reel(np.zeros(1), np.zeros((1, 1, 1, 2, 2), np.uint8)).to_bytes()])
def test_bytes_that_are_no_opening_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="these bytes are no"):
        Opening.from_bytes(content)


def test_a_measured_run_keeps_checks_opening_and_reel(trained: Trained) -> None:
    view = VAEMeasured(source="zoo:any")
    looked = Viewed(trained[0], trained[1])
    made = view.make(looked, CPU)
    assert set(made) == {"checks", "opening", "melting"}
    assert all(check.passed for check in read_checks(made["checks"]))
    assert view.lane == "view"
    with pytest.raises(TrainingFailedError, match="Only a discrete VAE"):
        view.make(Viewed(trained[0], torch.nn.Linear(2, 2)), CPU)


def test_what_is_shipped_is_small_and_reads_back(trained: Trained) -> None:
    experiment, model, reports = trained
    files = EXHIBIT.files(experiment, model, reports)
    assert set(files) == {MELTING, TRAINING, OPENING}
    reel = large(files[TRAINING])
    assert (reel.times[0], reel.times[-1]) == (1, 200)
    whole = Reel.from_bytes(dict(experiment.artifacts(model, CPU))["melting"])
    assert EXHIBIT.artifact("melting", files.__getitem__) == whole.to_bytes()
    assert EXHIBIT.artifact("opening", lambda name: files[name]) == files[OPENING]
    record = {
        "experiment": json.loads(experiment.canonical()),
        "figures": {key: reports[-1].metrics[key] for key in EXHIBIT.recorded},
    }
    assert all(check.passed for check in EXHIBIT.checks(experiment, model, record, files.__getitem__))
    record["figures"]["elbo"] += 0.2
    assert not all(check.passed for check in EXHIBIT.checks(experiment, model, record, files.__getitem__))


def test_a_shipped_reel_is_read_without_loss() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (4, 2, 3, 5, 6), dtype=np.uint8)
    reel = Reel(np.arange(4.0), frames, ("a", "b"), ("c",), "step", "note")
    again = large(small(reel))
    np.testing.assert_array_equal(again.frames, frames)
    assert again.words == reel.words
    with pytest.raises(ValueError, match="no shipped reel"):
        large(b"nothing")
