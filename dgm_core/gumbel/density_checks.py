"""Checks of the Concrete density: its mass, its derivation, and where it is log-convex."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dgm_core.checks import Check
from dgm_core.gumbel import curvature
from dgm_core.gumbel.concrete import concrete_log_prob
from dgm_core.gumbel.noise import sample_gumbel
from dgm_core.gumbel.relaxation import relax

COLDEST, HOTTEST = 0.1, 10.0
"""Below 0.1 much of the mass is nearer to the corners than float64 can say; the quadrature keeps between these."""

_REACH, _STEP = 34.0, 0.5


def mass(logits: Tensor, tau: float) -> Check:
    """∫ p(x) dx over the simplex of two or three categories, by the trapezoidal rule in τ log(x_k/x_K).

    Tolerance 1e-6: the rule is geometric (its own error is 1e-8), and the tails beyond ±34 weigh 1e-14.

    Args:
        logits: (2,) or (3,), finite.
        tau: kept between 0.1 (more for weights that differ by orders of magnitude) and 10.
    """
    double, n = logits.double(), len(logits) - 1
    # The smallest coordinate, exp(−(spread + 2·34)/τ), has to be a normal float64.
    used = max(min(max(tau, COLDEST), HOTTEST), (float(double.max() - double.min()) + 2 * _REACH) / 700)
    nodes = torch.arange(-_REACH, _REACH + _STEP / 2, _STEP, dtype=torch.float64)
    ratios = torch.stack(torch.meshgrid(*[nodes + float(double[k] - double[-1]) for k in range(n)], indexing="ij"), -1)
    ratios = ratios.reshape(-1, n) / used
    x = torch.softmax(torch.cat([ratios, torch.zeros(len(ratios), 1, dtype=torch.float64)], -1), -1)
    # dx_1 … dx_{K−1} = Π_k x_k times that of the log-ratios.
    total = float(torch.exp(concrete_log_prob(x, double, used) + x.log().sum(-1)).sum()) * (_STEP / used) ** n
    return Check(
        r"$\int p(x)\,dx$ of the Concrete law", total, 1.0, 1e-6, "tolerance", "",
        "Maddison et al. 2017, definition 1", f"at τ = {used:g}, by quadrature",
    )  # fmt: skip


def against_the_integral(logits: Tensor, tau: float, seed: int, points: int = 200) -> Check:
    """log p(x) against the law of log α + G integrated over what softmax forgets, the common shift c, at drawn points.

    p(x) = τ^{K−1} / Π_k x_k · ∫ Π_k g(τ log x_k + c − log α_k) dc with the Gumbel density g(y) = exp(−y − e^{−y}).
    Tolerance 1e-6 nats, relative to the largest |log p| where that is above 1: the trapezoidal rule is geometric here.
    """
    used, double = min(max(tau, COLDEST), HOTTEST), logits.double()
    generator = torch.Generator().manual_seed(seed)
    x = relax(double + sample_gumbel((points, len(double)), generator, torch.float64), used)
    # The centre is always there; a draw with a coordinate that float64 rounds to 0 has no logarithm.
    x = torch.cat([torch.full_like(x[:1], 1 / len(double)), x[(x > 1e-290).all(-1)]])
    y = used * x.log() - double
    # The integrand peaks where Σ exp(−y − c) = K.
    peak = torch.logsumexp(-y, -1, keepdim=True) - math.log(len(double))
    c = peak + torch.arange(-20.0, 60.0, 0.125, dtype=torch.float64)
    shifted = y.unsqueeze(1) + c.unsqueeze(-1)
    inner = torch.logsumexp((-shifted - torch.exp(-shifted)).sum(-1), -1) + math.log(0.125)
    direct = (len(double) - 1) * math.log(used) - x.log().sum(-1) + inner
    found = concrete_log_prob(x, double, used)
    size = max(1.0, float(found.abs().max()))
    return Check(
        r"Concrete $\log p(x)$ against the integral over the shift, largest difference",
        float((found - direct).abs().max()), 0.0, 1e-6 * size, "tolerance", "nats",
        "Maddison et al. 2017, definition 1", f"at τ = {used:g}, {len(x)} points",
    )  # fmt: skip


def log_convexity(logits: Tensor, seed: int) -> list[Check]:
    """The border τ = 1/(K−1): 2 % below it no curvature is negative, 2 % above one is; and the border at the centre.

    Eigenvalues of order 1 are rounded at 1e-15; 1e-12 is left for that.

    Args:
        logits: (K,), finite, K at least 2.
        seed: of the points inside.
    """
    categories = len(logits)
    border = 1 / (categories - 1)
    below, above = 0.98 * border, 1.02 * border
    where = "just above the border only next to an edge" if categories > 2 else "at the ends of the segment"
    source = "Maddison et al. 2017, proposition 1"
    return [
        Check(
            rf"smallest curvature of $\log p$ at $\tau = {below:.3g} < 1/(K-1)$, sign turned",
            -curvature.smallest(logits, below, seed), 0.0, 1e-12, "at most", "", source, "log-convex: none is negative",
        ),
        Check(
            rf"smallest curvature of $\log p$ at $\tau = {above:.3g} > 1/(K-1)$",
            curvature.smallest(logits, above, seed), 0.0, -1e-9, "at most", "", source,
            f"no longer log-convex: one is negative, {where}",
        ),
        Check(
            r"$\tau$ at which the centre of the uniform law turns from valley to hill",
            curvature.centre_border(categories), 1.0, 1e-6, "tolerance", "", "second derivative of log p",
            "another border than 1/(K−1) = 1/2" if categories == 3 else f"beside 1/(K−1) = {border:.3g}",
        ),
    ]  # fmt: skip
