"""What a page asks about a trained discrete VAE: codes, reconstructions, samples, curves. All fast, all arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dgm_core.gumbel.binary_images import as_bytes
from dgm_core.gumbel.elbo import bound, kl_to_uniform
from dgm_core.gumbel.noise import sample_gumbel, winner
from dgm_core.gumbel.relaxation import relax
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.reel import Reel

MELTING = tuple(float(tau) for tau in np.geomspace(0.05, 10, 48))
"""Temperatures of `melting`."""
CURVE = tuple(float(tau) for tau in np.geomspace(0.05, 5, 16))
"""Temperatures of `gap_curve`."""
TRAINING_ROWS = {
    "inputs": "image", "seen": "black and white", "recon_hard": "from hard codes", "recon_soft": "from relaxed codes",
    "samples": "from the prior",
}  # fmt: skip
"""Names of a training's pictures and what the reel calls them."""


@dataclass(frozen=True)
class Codes:
    """Images, their codes and what comes back.

    Args:
        logits: of q(z|x), (B, N, K) float32.
        probabilities: softmax of the logits, (B, N, K).
        hard: (B, N) int64, 0…K−1.
        soft: relaxed by the same noise, (B, N, K).
        recon_hard, recon_soft: E[x|z], (B, C, H, W) uint8.
        kl: for each latent, (B, N) nats.
    """

    logits: np.ndarray
    probabilities: np.ndarray
    hard: np.ndarray
    soft: np.ndarray
    recon_hard: np.ndarray
    recon_soft: np.ndarray
    kl: np.ndarray


@torch.no_grad()
def browse(model: CategoricalVAE, x: Tensor, tau: float, seed: int | None = 0) -> Codes:
    """Encode images and decode their codes.

    Args:
        model: trained.
        x: (B, D), 0 or 1.
        tau: of the relaxed codes; 0 makes them hard.
        seed: of the Gumbel noise, the same whatever τ is; None for no noise: each latent's likeliest category.
    """
    logits = model.encode(x)
    hard, soft = draw(logits, tau, seed)
    return Codes(
        logits.cpu().numpy(), logits.softmax(-1).cpu().numpy(), hard.argmax(-1).cpu().numpy(), soft.cpu().numpy(),
        as_bytes(model.decode(hard).sigmoid(), model.shape), as_bytes(model.decode(soft).sigmoid(), model.shape),
        kl_to_uniform(logits.unsqueeze(-2)).cpu().numpy(),
    )  # fmt: skip


def draw(logits: Tensor, tau: float, seed: int | None) -> tuple[Tensor, Tensor]:
    """Hard codes and, from the same Gumbel noise, relaxed ones at τ: two tensors (B, N, K).

    Args:
        logits: (B, N, K).
        tau: 0 gives the hard ones twice.
        seed: the same seed, the same noise, whatever τ is; None for no noise.
    """
    perturbed = logits + _noise(logits, seed)
    hard = winner(perturbed)[1]
    return hard, relax(perturbed, tau) if tau > 0 else hard


@torch.no_grad()
def decode(model: CategoricalVAE, codes: np.ndarray | Sequence[Sequence[int]]) -> np.ndarray:
    """The images E[x|z] of hard codes.

    Args:
        model: trained.
        codes: (B, N) integers, 0…K−1.

    Returns:
        (B, C, H, W) uint8.

    Raises:
        ValueError: when these are no such codes.
    """
    known = np.asarray(codes)
    if known.ndim != 2 or known.shape[1] != model.latents or not np.issubdtype(known.dtype, np.integer):
        raise ValueError(f"a code is {model.latents} whole numbers; these have shape {known.shape}")
    if known.size and not (known.min() >= 0 and known.max() < model.categories):
        raise ValueError(f"a code's numbers are 0 to {model.categories - 1}")
    codes_there = torch.from_numpy(known.astype(np.int64)).to(model.mean.device)
    return as_bytes(model.decode_codes(codes_there).sigmoid(), model.shape)


def prior_samples(model: CategoricalVAE, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """n codes from the uniform prior, (n, N) int64, and their images, (n, C, H, W) uint8."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(model.categories, (n, model.latents), generator=generator).numpy()
    return codes, decode(model, codes)


@torch.no_grad()
def melting(model: CategoricalVAE, x: Tensor, taus: Sequence[float] = MELTING, seed: int | None = 0) -> Reel:
    """Reconstructions as the temperature moves, the Gumbel noise held fixed, so that they melt and do not flicker.

    Args:
        model: trained.
        x: (B, D), 0 or 1.
        taus: (T,), increasing, above 0.
        seed: of the noise; None for none.

    Returns:
        A reel of T frames, rows: input, from hard codes, from relaxed codes.
    """
    logits = model.encode(x)
    perturbed = logits + _noise(logits, seed)
    hard = as_bytes(model.decode(winner(perturbed)[1]).sigmoid(), model.shape)
    soft = as_bytes(model.decode(torch.stack([relax(perturbed, tau) for tau in taus])).sigmoid(), model.shape)
    still = np.stack([as_bytes(x, model.shape), hard])
    frames = np.concatenate([np.broadcast_to(still, (len(taus), *still.shape)), soft[:, None]], axis=1)
    return Reel(
        np.array(taus, np.float64), tiles(frames), ("input", "hard code", "relaxed code"), time_label="τ",
        note="The Gumbel noise stays the same; only the temperature of the relaxed codes moves.",
    )  # fmt: skip


def training_reel(previews: Iterable[tuple[int, Mapping[str, np.ndarray]]]) -> Reel:
    """The pictures that a `DiscreteVAE`'s training reported, as a reel whose times are training steps.

    Args:
        previews: step, and the arrays named in `TRAINING_ROWS`; pictures of one step count once.

    Raises:
        ValueError: when there is no picture yet.
    """
    pictures = dict(previews)
    if not pictures:
        raise ValueError("the training has no picture yet")
    steps = sorted(pictures)
    frames = np.stack([np.stack([pictures[step][row] for row in TRAINING_ROWS]) for step in steps])
    return Reel(np.array(steps, np.float64), tiles(frames), tuple(TRAINING_ROWS.values()), time_label="step")


def tiles(images: np.ndarray) -> np.ndarray:
    """Images (…, C, H, W) as a reel holds them: (…, H, W) of one channel, (…, H, W, 3) of three."""
    return images[..., 0, :, :] if images.shape[-3] == 1 else np.moveaxis(images, -3, -1)


@dataclass(frozen=True)
class GapCurve:
    """Relaxed and hard ELBO against the temperature, in nats for an image.

    Args:
        taus: (T,).
        relaxed: (T,).
        relaxed_error: (T,), standard errors over the images.
        hard: the same at every τ.
        hard_error: its standard error.
        gap: relaxed minus hard, (T,).
        gap_error: (T,), far smaller than the others', since image and noise are the same on both sides.
    """

    taus: np.ndarray
    relaxed: np.ndarray
    relaxed_error: np.ndarray
    hard: float
    hard_error: float
    gap: np.ndarray
    gap_error: np.ndarray


def gap_curve(
    model: CategoricalVAE, x: Tensor, taus: Sequence[float] = CURVE, samples: int = 1, seed: int = 0
) -> GapCurve:
    """Relaxed and hard ELBO at each temperature, all from the same noise.

    Args:
        model: trained.
        x: (B, D), 0 or 1; 360 digits of 8 × 8 take 50 ms in all.
        taus: (T,), increasing, at least 0.
        samples: codes drawn for an image.
        seed: of the noise.
    """
    device, rows = model.mean.device, []
    for tau in taus:
        found = bound(model, x, tau, samples, torch.Generator(device).manual_seed(seed))
        rows.append(found.figures())
    table = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return GapCurve(
        np.array(taus, np.float64), table["elbo_relaxed"], table["relaxed_error"], float(table["elbo"][0]),
        float(table["elbo_error"][0]), table["gap"], table["gap_error"],
    )  # fmt: skip


@torch.no_grad()
def code_usage(model: CategoricalVAE, x: Tensor) -> np.ndarray:
    """How often each category is each latent's likeliest, over images x (B, D): (N, K) int64, rows sum to B."""
    return winner(model.encode(x))[1].sum(0).round().long().cpu().numpy()


def _noise(logits: Tensor, seed: int | None) -> Tensor:
    if seed is None:
        return torch.zeros_like(logits)
    return sample_gumbel(logits.shape, torch.Generator().manual_seed(seed)).to(logits)
