"""The estimator bench: bias, variance and cost of every estimator where the exact gradient is known by enumeration."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dgm_core.gumbel.estimators import ESTIMATORS
from dgm_core.gumbel.estimators.base import Function, Surrogate
from dgm_core.gumbel.objectives import exact_gradient
from dgm_core.gumbel.relaxation import require_drawable, require_temperature
from dgm_core.nn.threads import alone

SAMPLES = 10_000


@dataclass(frozen=True)
class Estimate:
    """One mark of the plot of bias against variance.

    Args:
        name: of the estimator.
        tau: the temperature that it ran at.
        bias: ‖mean − exact‖ / ‖exact‖. Of an unbiased estimator it is about as large as ``bias_error``.
        bias_error: what chance alone makes of the bias, std / √samples.
        std: of one sample, relative: √(E‖g − mean‖²) / ‖exact‖.
        mean: the mean of the samples, (K,) float64.
        exact: the gradient by enumeration, (K,) float64.
        evaluations: of f, for one sample.
        seconds_per_sample: measured, forward and backward, all samples at once.
        samples: how many.
    """

    name: str
    tau: float
    bias: float
    bias_error: float
    std: float
    mean: np.ndarray
    exact: np.ndarray
    evaluations: int
    seconds_per_sample: float
    samples: int


def measure(
    name: str, f: Function, logits: Tensor, tau: float, samples: int = SAMPLES, seed: int = 0,
    exact: Tensor | None = None,
) -> Estimate:  # fmt: skip
    """Bias, standard deviation and cost of one estimator, from many samples in one call.

    Args:
        name: a key of `dgm_core.gumbel.estimators.ESTIMATORS`.
        f: (R, K) → (R,).
        logits: (K,) log π up to a constant.
        tau: above 0.
        samples: of the gradient, at least 2.
        seed: of the noise; the same for every estimator gives them the same Gumbels.
        exact: the gradient (K,), where it is known already.

    Returns:
        The figures; relative ones are infinite where the exact gradient is 0.

    Raises:
        ValueError: for an unknown name, logits that mean nothing, or τ ≤ 0.
    """
    if name not in ESTIMATORS:
        raise ValueError(f"There is no estimator {name!r}; there are {', '.join(ESTIMATORS)}.")
    require_drawable(logits)
    require_temperature(tau, zero=False)
    truth = exact_gradient(f, logits) if exact is None else exact
    start = time.perf_counter()
    gradients = per_sample_gradients(ESTIMATORS[name], f, logits, tau, samples, seed)
    seconds = (time.perf_counter() - start) / samples
    mean = gradients.double().mean(0)
    spread = float((gradients - mean.to(gradients)).square().sum(1).mean().sqrt())
    size = float(truth.norm())
    relative = 1 / size if size > 0 else float("inf")
    std = spread * relative if spread > 0 else 0.0
    offset = float((mean - truth).norm())
    return Estimate(
        name=name, tau=float(tau), bias=offset * relative if offset > 0 else 0.0, bias_error=std / samples**0.5,
        std=std, mean=mean.numpy(), exact=truth.numpy(), evaluations=ESTIMATORS[name].evaluations,
        seconds_per_sample=seconds, samples=samples,
    )  # fmt: skip


def measure_all(
    f: Function, logits: Tensor, tau: float, samples: int = SAMPLES, seed: int = 0, names: Sequence[str] = (),
) -> list[Estimate]:  # fmt: skip
    """`measure` for every estimator, or for those named, on one thread and with the same noise."""
    require_drawable(logits)
    exact = exact_gradient(f, logits)
    with alone():
        return [measure(name, f, logits, tau, samples, seed, exact) for name in names or ESTIMATORS]


def sweep(
    f: Function, logits: Tensor, taus: Sequence[float], samples: int = 2_000, seed: int = 0,
    names: Sequence[str] = (),
) -> dict[str, list[Estimate]]:  # fmt: skip
    """The trail of every mark as τ moves, with the same noise at every τ.

    Returns:
        By name, one Estimate for each τ; an estimator without a temperature has a single one, at the first τ.
    """
    require_drawable(logits)
    exact = exact_gradient(f, logits)
    trails: dict[str, list[Estimate]] = {}
    with alone():
        for name in names or ESTIMATORS:
            own = taus if ESTIMATORS[name].uses_tau else taus[:1]
            trails[name] = [measure(name, f, logits, tau, samples, seed, exact) for tau in own]
    return trails


def per_sample_gradients(
    surrogate: Surrogate, f: Function, logits: Tensor, tau: float, samples: int, seed: int
) -> Tensor:
    """One estimate of the gradient a row: (samples, K)."""
    rows = logits.detach().expand(samples, *logits.shape).clone().requires_grad_(True)
    loss = surrogate(f, rows, tau=tau, generator=torch.Generator(rows.device).manual_seed(seed))
    return torch.autograd.grad(loss.sum(), rows)[0]
