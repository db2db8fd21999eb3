"""One training step of the discrete VAE, and what is looked at while it trains."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from dgm_core.gumbel.binary_images import BinaryBatches, BinaryImages, as_bytes
from dgm_core.gumbel.elbo import bound, kl_to_uniform
from dgm_core.gumbel.estimators import Estimator
from dgm_core.gumbel.temperature import Temperature
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.gumbel.vae_views import draw
from dgm_core.training.averaged_adam import flatten_parameters, named_views

RUNNING = 512
"""Held-out images of the figures while a training runs; the last figures take all."""
FINAL_ROWS = 20_000
"""Codes drawn for the last figures; each image gets an equal share, one at least and 64 at most."""


class NegativeElbo:
    """−(1/B) Σ_b [ f(z_b) − KL_b ], f = log p(x|z) through an estimator, KL in closed form.

    Args:
        model: whose parameters are views of one vector.
        batches: of the data.
        gradient: (P,), where the gradient is written.
        estimator: carries ∇E[f(z)] to the encoder's logits.
        temperature: τ after so many steps; a model that learns its own takes that.
    """

    def __init__(
        self, model: CategoricalVAE, batches: BinaryBatches, gradient: Tensor, estimator: Estimator,
        temperature: Temperature,
    ) -> None:  # fmt: skip
        self.model, self.batches, self.gradient = model, batches, gradient
        self.estimator, self.temperature = estimator, temperature
        for parameter, view in zip(model.parameters(), named_views(gradient, model).values(), strict=True):
            parameter.grad = view
        self.tau = temperature.at(0)

    def figures(self) -> dict[str, float]:
        """``tau``, the last step's."""
        return {"tau": self.tau}

    def __call__(self, step: int = 0) -> Tensor:
        """See `dgm_core.training.loop.Objective`."""
        self.gradient.zero_()
        x, tau = self.batches.draw(), self.model.learned_tau()
        logits = self.model.encode(x)
        surrogate = self.estimator(
            lambda z: self.model.log_likelihood(x, z), logits,
            tau=self.temperature.at(step) if tau is None else tau, generator=self.batches.generator,
        )  # fmt: skip
        loss = (kl_to_uniform(logits) - surrogate).mean()
        loss.backward()
        self.tau = self.temperature.at(step) if tau is None else float(tau.detach())
        return loss.detach()


class VAESnapshot:
    """A copy of the model that is looked at while the model itself trains on.

    The same noise and the same prior codes every time, so that pictures change only as the weights do.

    Args:
        model: copied.
        images: the data set.
        temperature: of the relaxed figures.
        seed: of all noise.
    """

    def __init__(self, model: CategoricalVAE, images: BinaryImages, temperature: Temperature, seed: int) -> None:
        self.model = copy.deepcopy(model).eval()
        self.flat = flatten_parameters(self.model)
        self.images, self.temperature, self.seed = images, temperature, seed
        self.held_out = images.held_out.to(self.flat.device)

    def look(self, weights: Tensor, step: int, *, last: bool) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Held-out figures (`Bound.figures`) and the picture; the last ones of all images and of more codes."""
        with torch.no_grad():
            self.flat.copy_(weights)
        tau = self.tau(step)
        return self.figures(tau, last=last), self.picture(tau)

    def tau(self, step: int) -> float:
        """τ after so many steps: the schedule's, or the one that these weights have learned."""
        learned = self.model.learned_tau()
        return self.temperature.at(step) if learned is None else float(learned.detach())

    def figures(self, tau: float, *, last: bool) -> dict[str, float]:
        """See `Bound.figures`."""
        x = self.held_out if last else self.held_out[:RUNNING]
        samples = max(1, min(64, FINAL_ROWS // len(x))) if last else 1
        return bound(self.model, x, tau, samples, self._generator()).figures()

    @torch.no_grad()
    def picture(self, tau: float) -> dict[str, np.ndarray]:
        """Ten held-out images as they are and as the model sees, keeps and gives them back.

        ``inputs``, ``seen`` (binarised), ``recon_hard``, ``recon_soft`` and ``samples`` from the prior, each
        (10, C, H, W) uint8; ``logits`` (10, N, K) float16.
        """
        images, model, shape = self.images, self.model, self.images.shape
        chosen = images.pictured
        logits = model.encode(self.held_out[chosen])
        hard, soft = draw(logits, tau, self.seed)
        codes = torch.randint(
            model.categories, (len(chosen), model.latents), generator=torch.Generator().manual_seed(self.seed)
        ).to(logits.device)
        return {
            "inputs": as_bytes(images.test[chosen], shape),
            "seen": as_bytes(images.held_out[chosen], shape),
            "recon_hard": as_bytes(model.decode(hard).sigmoid(), shape),
            "recon_soft": as_bytes(model.decode(soft).sigmoid(), shape),
            "samples": as_bytes(model.decode_codes(codes).sigmoid(), shape),
            "logits": logits.clamp(-1e4, 1e4).half().cpu().numpy(),
        }

    def _generator(self) -> torch.Generator:
        return torch.Generator(self.flat.device).manual_seed(self.seed)
