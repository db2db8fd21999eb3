"""What theory fixes about a discrete VAE beside what this one gives: a part of the page's Check table.

All together take about a fifth of a second for 360 digits of 8 × 8.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dgm_core.checks import Check
from dgm_core.gumbel import enumeration
from dgm_core.gumbel.elbo import bound, importance_bound, independent_bernoulli, kl_to_uniform, standard_error
from dgm_core.gumbel.noise import sample_gumbel, winner
from dgm_core.gumbel.vae import CategoricalVAE

MOST_IMAGES = 1_000
COLD = 0.01
"""The temperature at which relaxed codes stand for hard ones: the best two are apart by far more, nearly always."""
CODES = 8
"""Codes drawn for an image."""
IMPORTANCE = 32


def vae_checks(model: CategoricalVAE, x: Tensor, seed: int = 0) -> list[Check]:
    """All checks, in the page's order.

    Args:
        model: trained, its `mean` the training set's.
        x: held-out images, (M, D), 0 or 1; at most the first `MOST_IMAGES` are looked at.
        seed: of all codes.
    """
    x, generator = x[:MOST_IMAGES], torch.Generator(x.device).manual_seed(seed)
    with torch.no_grad():
        logits = model.encode(x).double()
    found = [
        *kl_bounds(logits),
        kl_by_sampling(logits, generator),
        kl_and_information(logits, generator),
        above_independent_pixels(model, x, generator),
        cold_is_hard(model, x, generator),
        tighter_bound(model, x, generator),
    ]
    if model.categories**model.latents <= enumeration.MOST_CODES:
        found += summed_over_codes(model, x, generator)
    return found


def kl_bounds(logits: Tensor) -> list[Check]:
    """0 ≤ KL ≤ N log K for every image; rounding in float64 is allowed 1e-9 nats."""
    kl, (latents, categories) = kl_to_uniform(logits), logits.shape[-2:]
    most, count = latents * math.log(categories), f"{len(kl):,} images, mean {float(kl.mean()):.3f}"
    return [
        Check(r"$-\min_x \mathrm{KL}(q(z|x)\,\|\,p(z)) \leq 0$", -float(kl.min()), 0.0, 1e-9, "at most", "nats",
              "Gibbs' inequality", count),
        Check(r"$\max_x \mathrm{KL}(q(z|x)\,\|\,p(z)) \leq N \log K$", float(kl.max()), most, 1e-9, "at most", "nats",
              "the prior is uniform and entropy is not negative", f"N = {latents}, K = {categories}"),
    ]  # fmt: skip


def kl_by_sampling(logits: Tensor, generator: torch.Generator) -> Check:
    """The KL in closed form against the mean of log q(z|x) − log p(z) over drawn codes, image by image.

    The standard error is that of the codes alone: the images are the same on both sides.
    """
    log_q = logits.log_softmax(-1)
    z = _codes((CODES, *logits.shape), logits, generator)
    drawn = (z * log_q).sum((-2, -1)) + logits.shape[-2] * math.log(logits.shape[-1])
    error = float(drawn.var(0).mean().sqrt()) / math.sqrt(drawn.numel())
    return Check(
        r"$\mathbb{E}_q[\log q(z|x) - \log p(z)]$ by sampling", float(drawn.mean()),
        float(kl_to_uniform(logits).mean()), error, "standard error", "nats", "KL in closed form",
        f"{drawn.numel():,} codes",
    )  # fmt: skip


def kl_and_information(logits: Tensor, generator: torch.Generator) -> Check:
    """I(x; z) ≤ E KL, over the M images: E KL = I(x; z) + KL(q(z) ‖ p(z)) (Hoffman & Johnson 2016).

    I is the mean of log q(z|x) − log q(z) with one code for an image and q(z) = (1/M) Σ_j q(z|x_j).
    """
    log_q = logits.log_softmax(-1)
    z = _codes(logits.shape, logits, generator)
    pairs = z.flatten(1) @ log_q.flatten(1).T  # pairs[i, j] = log q(z_i | x_j)
    information = pairs.diagonal() - (pairs.logsumexp(1) - math.log(len(pairs)))
    kl = kl_to_uniform(logits)
    return Check(
        r"$I(x; z) \leq \mathbb{E}\,\mathrm{KL}$", float(information.mean()), float(kl.mean()),
        4 * standard_error(information - kl), "at most", "nats", "Hoffman & Johnson 2016",
        f"and at most log {len(kl)} = {math.log(len(kl)):.2f}, with so many images",
    )  # fmt: skip


def above_independent_pixels(model: CategoricalVAE, x: Tensor, generator: torch.Generator) -> Check:
    """log p of independent Bernoulli pixels ≤ the hard ELBO: no theorem, but what a code is for.

    The error is 4 standard errors of the difference on the same images.
    """
    found, plain = bound(model, x, 1.0, CODES, generator), independent_bernoulli(x, model.mean)
    elbo = found.hard - found.kl
    return Check(
        r"independent Bernoulli pixels $\leq$ hard ELBO", float(plain.mean()), float(elbo.mean()),
        4 * standard_error(elbo - plain), "at most", "nats",
        note=f"the code is worth {float((elbo - plain).mean()):.2f} nats an image",
    )  # fmt: skip


def cold_is_hard(model: CategoricalVAE, x: Tensor, generator: torch.Generator) -> Check:
    """The relaxed ELBO at τ = 0.01 against the hard one, each with noise of its own: an honest standard error."""
    hard, cold = bound(model, x, COLD, CODES, generator), bound(model, x, COLD, CODES, generator)
    return Check(
        rf"relaxed ELBO at $\tau = {COLD}$, hard ELBO", float((cold.soft - cold.kl).mean()),
        float((hard.hard - hard.kl).mean()), standard_error(cold.soft - hard.hard), "standard error", "nats",
        r"$\tau \to 0$ is the argmax",
    )  # fmt: skip


def tighter_bound(model: CategoricalVAE, x: Tensor, generator: torch.Generator) -> Check:
    """ELBO ≤ the importance-weighted bound ≤ log p(x), each with codes of its own; 4 standard errors."""
    found, tighter = bound(model, x, 1.0, CODES, generator), importance_bound(model, x, IMPORTANCE, generator)
    elbo = found.hard - found.kl
    return Check(
        rf"hard ELBO $\leq$ importance-weighted bound, {IMPORTANCE} codes", float(elbo.mean()), float(tighter.mean()),
        4 * standard_error(tighter - elbo), "at most", "nats", "Burda et al. 2016, theorem 1",
    )  # fmt: skip


def summed_over_codes(model: CategoricalVAE, x: Tensor, generator: torch.Generator) -> list[Check]:
    """Where all K^N codes can be summed over: the sampled ELBO against the exact one, and the exact one's identity.

    In float64 the identity holds to 1e-6 nats, the networks themselves being in float32.
    """
    exact, found = enumeration.exact(model, x), bound(model, x, 1.0, CODES, generator)
    elbo, count = found.hard - found.kl, model.categories**model.latents
    return [
        Check(f"hard ELBO by sampling, by summing over all {count} codes", float(elbo.mean()), float(exact.elbo.mean()),
              standard_error(elbo - exact.elbo), "standard error", "nats", "enumeration"),
        Check(r"ELBO $+ \mathrm{KL}(q(z|x)\,\|\,p(z|x)) = \log p(x)$, largest difference",
              float((exact.elbo + exact.kl_to_posterior - exact.log_prob).abs().max()), 0.0, 1e-6, "tolerance", "nats",
              "enumeration", f"mean log p(x) = {float(exact.log_prob.mean()):.3f}"),
    ]  # fmt: skip


def _codes(shape: torch.Size | tuple[int, ...], logits: Tensor, generator: torch.Generator) -> Tensor:
    """One-hot draws from q(z|x), in the logits' type."""
    return winner(logits + sample_gumbel(shape, generator, logits.dtype, logits.device))[1]
