"""A Gaussian whose mean runs half round a circle, known in closed form: the film that the player's tests play."""

from __future__ import annotations

import numpy as np

from dgm_core.film import Film, lattice

EXTENT, SIZE, FRAMES, SIGMA, RADIUS = (-4.0, 4.0, -4.0, 4.0), 128, 61, 0.6, 2.0


def mean(t: np.ndarray | float) -> np.ndarray:
    """Half a turn from (2, 0) over (0, 2) to (−2, 0): (T,) → (T, 2)."""
    return RADIUS * np.stack([np.cos(np.pi * np.asarray(t)), np.sin(np.pi * np.asarray(t))], -1)


def log_density(points: np.ndarray, t: float, sigma: float = SIGMA) -> np.ndarray:
    """ln N(x; mean(t), σ² I) in nats: (…, 2) → (…)."""
    square = ((np.asarray(points) - mean(t)) ** 2).sum(-1)
    return -square / (2 * sigma**2) - np.log(2 * np.pi * sigma**2)


def film(frames: int = FRAMES, sigma: float = SIGMA, size: int = SIZE) -> Film:
    """The moving Gaussian with particles, its velocity field and a grid that moves with it."""
    times, rng = np.arange(frames) / (FRAMES - 1), np.random.default_rng(0)
    centre, cells = mean(times), lattice(EXTENT, size, size)
    log_prob = np.stack([log_density(cells, t, sigma) for t in times]).astype(np.float32)
    particles = centre[:, None] + sigma * rng.standard_normal((2000, 2))
    coarse = lattice(EXTENT, 16, 16)
    spin = np.pi * np.stack([-coarse[..., 1], coarse[..., 0]], -1)
    line = np.linspace(-1.2, 1.2, 25)
    rows = [np.stack([line, np.full(25, c)], -1) for c in np.linspace(-1.2, 1.2, 9)]
    lines = np.array(rows + [row[:, ::-1] for row in rows])
    return Film(
        times, log_prob, EXTENT, particles.astype(np.float32),
        np.broadcast_to(spin, (frames, 16, 16, 2)).astype(np.float32),
        (centre[:, None, None] + lines).astype(np.float32),
    )  # fmt: skip
