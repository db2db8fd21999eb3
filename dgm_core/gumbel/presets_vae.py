"""The Try section of the discrete VAE: predictions first, then shipped models that show what happens.

The numbers are those of the shipped models; a test measures every one of them again.
"""

from __future__ import annotations

from dgm_core.presets import Preset

HARD = -18.3
"""The default model's hard ELBO, nats."""
PLAIN = -25.1
"""Log-likelihood of independent Bernoulli pixels on the same images."""
MELTED = {0.1: -17.8, 1.0: -15.7, 10.0: -24.5}
"""The default model's relaxed ELBO by temperature."""
LEARNED = (-9.3, -120)
"""Relaxed and hard ELBO where τ is learned with the weights."""
ONE = (-19.9, 0.76)
"""Hard ELBO of a single latent of ten categories, and the share of held-out digits that are their category's commonest.
"""

PRESETS: tuple[Preset, ...] = (
    Preset(
        name="learned-temperature",
        question="Let the training choose τ as well, so that the relaxed ELBO is as high as can be. And the hard ELBO?",
        options=("It rises along", "It stays where it was", "It falls far below independent pixels"),
        answer=2,
        reveal=f"The relaxed ELBO climbs to {LEARNED[0]} nats, the hard one falls to {LEARNED[1]}; independent pixels "
        f"reach {PLAIN}. τ rises until a relaxed code is a vector of real numbers that tells far more than a choice "
        "can, and the decoder no longer knows what a hard code means. The relaxed ELBO bounds nothing.",
        settings={},
        against={"schedule": "learned"},
    ),
    Preset(
        name="too-hot",
        question="Train at τ = 5 all the time. How much will the code say about the image, in nats?",
        options=("As much as ever", "About half", "Nothing"),
        answer=2,
        reveal=f"KL = 0.00: at τ = 5 every relaxed code lies near the centre whatever the encoder says, so the decoder "
        f"learns to ignore it, and all that is left is independent pixels, {PLAIN} nats.",
        settings={"schedule": "fixed", "tau": 5.0},
    ),
    Preset(
        name="one-latent",
        question="One latent of ten categories instead of ten latents: ten pictures in all. Do they become the digits?",
        options=("Exactly", "Mostly", "Not at all"),
        answer=1,
        reveal=f"No label was shown, yet {100 * ONE[1]:.0f} % of held-out digits are the commonest digit of their "
        f"category. Nearly every 0 lands in the same one; the eights are scattered over several. The hard ELBO is "
        f"{ONE[0]} nats against {HARD}.",
        settings={},
        against={"latents": 1},
    ),
)
"""For `DiscreteVAE`; every setting is shipped."""

MELTING: tuple[Preset, ...] = (
    Preset(
        name="melting",
        question="A trained model; only τ of its relaxed codes is raised, from .1 on. What does the relaxed ELBO do?",
        options=("It only falls", "It rises, then falls", "It stays: the model is the same"),
        answer=1,
        reveal=f"{MELTED[0.1]} nats at τ = .1, {MELTED[1.0]} at τ = 1, {MELTED[10.0]} at τ = 10; the hard ELBO stays "
        f"at {HARD}. A slightly relaxed code hedges between categories and is rewarded for it; a very relaxed one "
        "says nearly the same of every image, and the reconstructions melt into one another.",
        settings={},
    ),
)
"""For the temperature of the shipped default model."""
