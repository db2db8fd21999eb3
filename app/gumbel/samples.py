"""The simplex stage's samples as files."""

from __future__ import annotations

import csv
import io

import numpy as np
import torch

from app.simplex import stage_noise
from dgm_core.gumbel.relaxation import relax, weights_to_logits
from dgm_core.gumbel.views import ConcreteChecks

SAMPLES = 2000


def samples_of(now: ConcreteChecks) -> tuple[np.ndarray, np.ndarray]:
    """The noise (N, 3) that the stage holds, and the relaxed draws (N, 3) that it shows."""
    noise = stage_noise(now.seed).reshape(-1, 3)[:SAMPLES]
    perturbed = torch.from_numpy(noise.copy()) + weights_to_logits(torch.tensor(now.pi, dtype=torch.float32))
    if now.tau == 0:
        return noise, torch.nn.functional.one_hot(perturbed.argmax(1), 3).float().numpy()
    return noise, relax(perturbed, now.tau).numpy()


def samples_csv(now: ConcreteChecks) -> bytes:
    """A row a sample: noise, relaxed draw, and which category won."""
    noise, z = samples_of(now)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["g1", "g2", "g3", "z1", "z2", "z3", "argmax"])
    for g, draw in zip(noise, z, strict=True):
        writer.writerow([*(f"{value:.8g}" for value in (*g, *draw)), int(draw.argmax()) + 1])
    return out.getvalue().encode()


def samples_npz(now: ConcreteChecks) -> bytes:
    """Noise, relaxed draws, π and τ."""
    noise, z = samples_of(now)
    out = io.BytesIO()
    np.savez_compressed(out, noise=noise, z=z, pi=np.array(now.pi), tau=np.array(now.tau), seed=np.array(now.seed))
    return out.getvalue()
