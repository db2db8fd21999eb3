"""The ELBO's parts against sums over all codes, torch.distributions and NumPy in float64."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Bernoulli, Categorical, kl_divergence

from dgm_core.gumbel.elbo import bound, importance_bound, independent_bernoulli, kl_to_uniform, standard_error
from dgm_core.gumbel.enumeration import all_codes, exact
from dgm_core.gumbel.vae import CategoricalVAE, bernoulli_log_prob


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sharp(latents: int = 3, categories: int = 4, seed: int = 0, factor: float = 4) -> CategoricalVAE:
    """A small model whose posteriors are far from uniform and whose decoder tells codes apart, by ``factor``."""
    model = CategoricalVAE(
        (1, 3, 2), latents=latents, categories=categories, width=12, depth=1, generator=generator(seed)
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(factor)
    return model


def images(n: int = 7, pixels: int = 6, seed: int = 1) -> Tensor:
    return (torch.rand(n, pixels, generator=generator(seed)) < 0.5).float()


def by_hand(model: CategoricalVAE, x: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """ELBO and log p(x), each (B,), by loops over images and codes in NumPy, float64."""
    weights = {name: p.detach().double().numpy() for name, p in model.named_parameters()}

    def layers(name: str, value: np.ndarray) -> np.ndarray:
        hidden = np.maximum(weights[f"{name}.0.weight"] @ value + weights[f"{name}.0.bias"], 0)
        return weights[f"{name}.2.weight"] @ hidden + weights[f"{name}.2.bias"]

    n, k, elbos, logs = model.latents, model.categories, [], []
    for image in x.double().numpy():
        logits = layers("encoder", image - model.mean.double().numpy()).reshape(n, k)
        q = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        elbo, p = 0.0, 0.0
        for code in itertools.product(range(k), repeat=n):
            z = np.eye(k)[list(code)].ravel()
            chance = 1 / (1 + np.exp(-layers("decoder", z)))
            likelihood = np.prod(np.where(image == 1, chance, 1 - chance))
            weight = np.prod([q[i, c] for i, c in enumerate(code)])
            elbo += weight * (np.log(likelihood) - n * np.log(k) - np.log(weight))
            p += likelihood / k**n
        elbos.append(elbo)
        logs.append(np.log(p))
    return np.array(elbos), np.array(logs)


def test_enumeration_is_the_sum_by_hand() -> None:
    """To 1e-4 nats: the networks run in float32."""
    model, x = sharp(), images()
    elbo, log_prob = by_hand(model, x)
    found = exact(model, x)
    np.testing.assert_allclose(found.elbo, elbo, atol=1e-4)
    np.testing.assert_allclose(found.log_prob, log_prob, atol=1e-4)
    torch.testing.assert_close(found.elbo + found.kl_to_posterior, found.log_prob, rtol=0, atol=1e-9)
    assert bool((found.kl_to_posterior >= 0).all())


def test_too_many_codes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"4\^6 codes are too many"):
        exact(sharp(latents=6), images())


def test_all_codes_are_all_and_each_once() -> None:
    codes = all_codes(3, 4)
    assert codes.shape == (64, 3)
    assert {tuple(code) for code in codes.tolist()} == set(itertools.product(range(4), repeat=3))
    assert all_codes(1, 5).tolist() == [[0], [1], [2], [3], [4]]


def test_the_sampled_elbo_is_unbiased() -> None:
    """4,000 codes an image, seed 3: each image within 4.5 standard errors of the sum over all codes."""
    model, x, samples = sharp(), images(), 4_000
    truth = exact(model, x)
    draws = torch.stack([bound(model, x, 1.0, 200, generator(seed)).hard for seed in range(samples // 200)])
    elbo = draws.mean(0) - kl_to_uniform(model.encode(x).double()).detach()
    error = draws.std(0) / math.sqrt(len(draws))
    assert bool(((elbo - truth.elbo).abs() < 4.5 * error).all())
    assert float(error.max()) < 0.1


def test_the_importance_bound_lies_between_and_closes() -> None:
    """Mean over seeds: ELBO < 5 codes < 200 codes, and 20,000 codes give log p(x) within 0.02 nats.

    A model whose q is no caricature of its posterior: else one code in a million carries the whole sum.
    """
    model, x = sharp(factor=2), images()
    truth = exact(model, x)
    few, more, most = (
        torch.stack([importance_bound(model, x, n, generator(seed)) for seed in range(count)]).mean()
        for n, count in ((5, 40), (200, 40), (20_000, 1))
    )
    assert float(truth.elbo.mean()) < float(few) < float(more) < float(truth.log_prob.mean()) + 0.02
    assert float(most) == pytest.approx(float(truth.log_prob.mean()), abs=0.02)


def test_one_code_gives_the_elbo_again() -> None:
    """With S = 1 the importance bound estimates the ELBO: equal within 4 standard errors over 2,000 draws."""
    model, x = sharp(), images()
    one = torch.stack([importance_bound(model, x, 1, generator(seed)).mean() for seed in range(2_000)])
    assert float(one.mean()) == pytest.approx(float(exact(model, x).elbo.mean()), abs=4 * standard_error(one))


@given(st.integers(1, 6), st.integers(2, 9), st.floats(0, 30), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_kl_is_torchs_and_within_its_bounds(latents: int, categories: int, spread: float, seed: int) -> None:
    logits = spread * torch.randn(5, latents, categories, generator=generator(seed), dtype=torch.float64)
    kl = kl_to_uniform(logits)
    prior = Categorical(logits=torch.zeros_like(logits))
    torch.testing.assert_close(kl, kl_divergence(Categorical(logits=logits), prior).sum(-1), rtol=1e-9, atol=1e-9)
    assert bool((kl >= -1e-9).all())
    assert bool((kl <= latents * math.log(categories) + 1e-9).all())


def test_kl_meets_both_bounds() -> None:
    sure = torch.full((1, 3, 4), -200.0).index_fill(2, torch.tensor([1]), 200.0)
    assert float(kl_to_uniform(sure)) == pytest.approx(3 * math.log(4), abs=1e-5)
    assert float(kl_to_uniform(torch.full((1, 3, 4), 7.0))) == pytest.approx(0, abs=1e-5)


def test_likelihood_is_torchs() -> None:
    log_odds = 5 * torch.randn(4, 9, generator=generator(), dtype=torch.float64)
    x = images(4, 9).double()
    torch.testing.assert_close(bernoulli_log_prob(x, log_odds), Bernoulli(logits=log_odds).log_prob(x).sum(-1))
    mean = torch.rand(9, generator=generator(5), dtype=torch.float64)
    torch.testing.assert_close(independent_bernoulli(x, mean), Bernoulli(mean).log_prob(x).sum(-1))
    far = torch.tensor([800.0, -800.0])
    assert float(bernoulli_log_prob(torch.tensor([1.0, 0.0]), far)) == 0
    assert float(bernoulli_log_prob(torch.tensor([0.0, 1.0]), far)) == -1600


def test_blocks_of_samples_meet_their_own_images() -> None:
    model, x = sharp(), images()
    z = torch.rand(3 * len(x), 3, 4, generator=generator()).softmax(-1)
    found = model.log_likelihood(x, z).detach()
    for row in range(len(z)):
        alone = model.log_likelihood(x[row % len(x)][None], z[row][None]).detach()
        assert float(found[row]) == pytest.approx(float(alone), abs=1e-4)


def test_cold_relaxed_codes_are_hard_ones_and_hot_ones_uniform() -> None:
    model, x = sharp(), images()
    cold, frozen = bound(model, x, 1e-4, 50, generator()), bound(model, x, 0.0, 50, generator())
    torch.testing.assert_close(frozen.soft, frozen.hard)
    assert float((cold.soft - cold.hard).abs().max()) < 0.05
    hot = bound(model, x, 1e6, 50, generator())
    middle = model.log_likelihood(x, torch.full((len(x), 3, 4), 0.25)).double()
    torch.testing.assert_close(hot.soft, middle, rtol=0, atol=1e-3)


def test_figures_are_means_with_standard_errors() -> None:
    found = bound(sharp(), images(), 0.7, 20, generator())
    figures, hard = found.figures(), (found.hard - found.kl).numpy()
    assert figures["elbo"] == pytest.approx(hard.mean())
    assert figures["elbo_error"] == pytest.approx(hard.std(ddof=1) / math.sqrt(len(hard)))
    assert figures["elbo"] == pytest.approx(figures["reconstruction"] - figures["kl"])
    assert figures["gap"] == pytest.approx(figures["elbo_relaxed"] - figures["elbo"])


def test_centring_makes_the_untrained_decoder_independent_pixels() -> None:
    """With the decoder's last weights at 0, log p(x|z) is the independent Bernoulli log-likelihood, whatever z."""
    model, x = sharp(), images()
    mean = torch.rand(6, generator=generator(2)) * 0.8 + 0.1
    model.centre(mean)
    with torch.no_grad():
        model.decoder[-1].weight.zero_()
    z = torch.rand(len(x), 3, 4, generator=generator()).softmax(-1)
    torch.testing.assert_close(
        model.log_likelihood(x, z).double().detach(), independent_bernoulli(x, mean), rtol=0, atol=1e-5
    )


def test_hard_codes_decode_as_one_hot_rows() -> None:
    model = sharp()
    codes = torch.randint(4, (5, 3), generator=generator())
    torch.testing.assert_close(model.decode_codes(codes), model.decode(torch.eye(4)[codes]))


def test_a_learned_temperature_starts_where_it_is_told_and_stays_above_its_least() -> None:
    model = CategoricalVAE((1, 2, 2), latents=1, categories=2, width=8, depth=1, tau=1.0, tau_min=0.3)
    tau = model.learned_tau()
    assert tau is not None
    assert float(tau.detach()) == pytest.approx(1.0)
    assert model.log_tau is not None
    with torch.no_grad():
        model.log_tau.fill_(-50)
    assert float(model.learned_tau().detach()) >= 0.3
    assert sharp().learned_tau() is None
