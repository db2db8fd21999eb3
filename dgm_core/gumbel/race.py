"""The convergence race: the same descent by every estimator, many seeds at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from dgm_core.gumbel.estimators import ESTIMATORS
from dgm_core.gumbel.estimators.base import Function, Surrogate
from dgm_core.gumbel.estimators.gumbel_rao import gumbel_rao
from dgm_core.gumbel.estimators.score import reinforce_with_baseline
from dgm_core.gumbel.relaxation import require_drawable, require_temperature
from dgm_core.nn.threads import alone

MEMORY = 0.9
"""Of the running mean of f that serves REINFORCE as its baseline."""


@dataclass(frozen=True)
class Race:
    """Curves of the exact E[f(z)] while every estimator descends it.

    Args:
        names: of the estimators, E of them.
        steps: (T+1,), 0 … T.
        value: (E, T+1) the mean over seeds of E[f(z)], summed over all categories, not sampled.
        error: (E, T+1) its standard error, from the seeds.
        evaluations: (E, T+1) of f, spent by one seed up to there.
        arrived: (E,) the share of seeds whose most probable category at the end is the best one.
        start, best: E[f] before the first step, and the lowest that any π reaches, the smallest f of a category that
            can be drawn.
    """

    names: tuple[str, ...]
    steps: np.ndarray
    value: np.ndarray
    error: np.ndarray
    evaluations: np.ndarray
    arrived: np.ndarray
    start: float
    best: float


def race(
    f: Function, logits: Tensor, tau: float, *, steps: int = 300, seeds: int = 16, rate: float = 0.3, seed: int = 0,
    names: Sequence[str] = (), rao_samples: int = 32,
) -> Race:  # fmt: skip
    """Minimise E[f(z)] by plain gradient descent on the logits, one estimate of the gradient a step and seed.

    Args:
        f: (R, K) → (R,).
        logits: (K,), where all start.
        tau: above 0, the same throughout.
        steps: T.
        seeds: independent descents an estimator; they run as rows of one batch.
        rate: of the descent.
        seed: of all noise; every estimator has the same at its first step.
        names: of the estimators; all where none are named.
        rao_samples: conditional draws of Gumbel-Rao, fewer than on the bench since its variance is nearly as small.

    Returns:
        The curves.

    Raises:
        ValueError: for an unknown name, logits that mean nothing, τ ≤ 0, or fewer than one step or two seeds.
    """
    chosen = tuple(names or ESTIMATORS)
    unknown = [name for name in chosen if name not in ESTIMATORS]
    if unknown:
        raise ValueError(f"There is no estimator {unknown[0]!r}; there are {', '.join(ESTIMATORS)}.")
    require_drawable(logits)
    require_temperature(tau, zero=False)
    if steps < 1 or seeds < 2:
        raise ValueError("A race needs at least one step and two seeds.")
    with alone():
        paths = torch.stack([_descend(name, f, logits, tau, steps, seeds, rate, seed, rao_samples) for name in chosen])
    corners = f(torch.eye(logits.shape[-1], dtype=torch.float64)).detach()
    values = torch.softmax(paths.double(), -1) @ corners
    cost = np.array([ESTIMATORS[name].evaluations for name in chosen])
    drawable = logits > -torch.inf
    best = corners.masked_fill(~drawable, torch.inf)
    return Race(
        names=chosen, steps=np.arange(steps + 1), value=values.mean(-1).numpy(),
        error=(values.std(-1) / seeds**0.5).numpy(), evaluations=cost[:, None] * np.arange(steps + 1)[None],
        arrived=(paths[:, -1].argmax(-1) == best.argmin()).double().mean(-1).numpy(),
        start=float(values[0, 0, 0]), best=float(best.min()),
    )  # fmt: skip


def _descend(
    name: str, f: Function, logits: Tensor, tau: float, steps: int, seeds: int, rate: float, seed: int, rao: int
) -> Tensor:
    """All logits on the way: (T+1, S, K)."""
    generator = torch.Generator().manual_seed(seed)
    surrogate: Surrogate = partial(gumbel_rao, samples=rao) if name == "gumbel-rao" else ESTIMATORS[name].surrogate
    now = logits.detach().float().expand(seeds, -1).clone()
    running, path = torch.zeros(seeds), [now]
    for _ in range(steps):
        leaf = now.clone().requires_grad_(True)
        if name == "reinforce-baseline":
            # The mean over the other rows would be other seeds' knowledge; each descent has only its own past.
            surrogate = partial(reinforce_with_baseline, baseline=running)
        loss = surrogate(f, leaf, tau=tau, generator=generator)
        now = now - rate * torch.autograd.grad(loss.sum(), leaf)[0]
        running = MEMORY * running + (1 - MEMORY) * loss.detach()
        path.append(now)
    return torch.stack(path)
