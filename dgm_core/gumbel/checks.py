"""What theory fixes about Gumbel noise and its relaxation beside what is measured just now: the page's Check table."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from scipy.special import chdtri
from torch import Tensor

from dgm_core.checks import Check
from dgm_core.gumbel import density_checks
from dgm_core.gumbel.expectation import expectation_curve
from dgm_core.gumbel.noise import EULER, as_printed, gumbel_from_uniform, sample_gumbel
from dgm_core.gumbel.relaxation import relax, require_temperature, weights_to_logits, winner
from dgm_core.gumbel.topk import gumbel_top_k, plackett_luce_log_prob

_FEW = 4
"""Up to so many categories each has a line of its own."""
_QUADRATURE = 1e-8
_VARIANCE = math.pi**2 / 6
_COLD, _HOT = 1e-4, 1e6


def checks(pi: Sequence[float] | Tensor, tau: float, seed: int = 0, samples: int = 20_000) -> list[Check]:
    """All checks that apply to these weights at this temperature, in the page's order.

    Args:
        pi: (K,) weights, 0 or more, not all 0; they need not sum to 1.
        tau: temperature, 0 or more.
        seed: of all draws.
        samples: S, of every statistic; everything is measured in float64.

    Returns:
        The lines of the table.

    Raises:
        ValueError: for weights or a temperature that mean nothing.
    """
    require_temperature(tau)
    weights = torch.as_tensor(pi, dtype=torch.float64)
    log_pi = weights_to_logits(weights)
    generator = torch.Generator().manual_seed(seed)
    noise = sample_gumbel((samples, len(weights)), generator, torch.float64)
    perturbed = log_pi + noise
    soft = relax(perturbed, tau) if tau > 0 else winner(perturbed)[1]
    drawable = log_pi[log_pi > -torch.inf]
    found = [*frequencies(soft, log_pi.exp()), *expectations(soft, perturbed, weights, tau)]
    found += [*maximum(weights.log() + noise, float(weights.log().logsumexp(0))), *difference(noise, generator)]
    if len(drawable) in (2, 3):
        found.append(density_checks.mass(drawable, tau))
    if len(drawable) > 1:
        found.append(density_checks.against_the_integral(drawable, tau, seed))
        found += density_checks.log_convexity(drawable, seed)
        found += without_replacement(log_pi, samples, generator)
    return [*found, *extremes(), printed(generator, samples)]


def frequencies(soft: Tensor, pi: Tensor) -> list[Check]:
    """P(argmax z = k) = π_k: each of few categories, or the most probable of many and χ² over all.

    Args:
        soft: (S, K) relaxed draws, at any temperature.
        pi: (K,), normalised.
    """
    counts = torch.bincount(soft.max(-1).indices, minlength=len(pi))
    shown = range(len(pi)) if len(pi) <= _FEW else [int(pi.argmax())]
    source = "Gumbel-Max: the relaxation keeps the order"
    found = [
        _share(rf"$P(\arg\max z = {k + 1}) = \pi_{{{k + 1}}}$", int(counts[k]), float(pi[k]), len(soft), source)
        for k in shown
    ]
    if len(pi) > _FEW:
        found += _chi_square(r"$\chi^2$ of all $P(\arg\max z = k) = \pi_k$", counts, pi, source)
        impossible = int(counts[pi == 0].sum())
        if bool((pi == 0).any()):
            found.append(_share(r"draws of categories with $\pi_k = 0$", impossible, 0.0, len(soft), "log 0 = −∞"))
    return found


def expectations(soft: Tensor, perturbed: Tensor, weights: Tensor, tau: float) -> list[Check]:
    """E[z] against quadrature for up to three drawable categories, and against its limits, π and uniform.

    Args:
        soft: (S, K) draws at tau.
        perturbed: (S, K), log π + G of the same draws.
        weights: (K,).
        tau: of ``soft``.
    """
    drawable, pi = weights > 0, weights / weights.sum()
    found: list[Check] = []
    if int(drawable.sum()) <= 3:
        exact = expectation_curve(weights.numpy(), [tau])[0]
        shown = range(len(weights)) if len(weights) <= _FEW else [int(weights.argmax())]
        for k in shown:
            found.append(_mean(rf"$E[z_{{{k + 1}}}]$ at $\tau = {tau:g}$", soft[:, k], float(exact[k]), _QUADRATURE,
                               "quadrature"))  # fmt: skip
    k = int(weights.argmax())
    cold, hot = relax(perturbed, _COLD)[:, k], relax(perturbed, _HOT)[:, k]
    uniform = 1 / int(drawable.sum())
    # At a temperature τ near 0 a share τ of the draws is undecided; at a large one z is off by |log π + G| / τ.
    spread = float(perturbed[perturbed > -torch.inf].abs().max())
    found.append(_mean(rf"$E[z_{{{k + 1}}}] \to \pi_{{{k + 1}}}$, $\tau \to 0$", cold, float(pi[k]), _COLD,
                       "Maddison et al. 2017, proposition 1", f"at τ = {_COLD:g}"))  # fmt: skip
    found.append(Check(rf"$E[z_{{{k + 1}}}] \to 1/K$, $\tau \to \infty$", float(hot.mean()), uniform, spread / _HOT,
                       "tolerance", "", "z tends to the centre",
                       f"at τ = {_HOT:g}; K counts what can be drawn"))  # fmt: skip
    return found


def maximum(perturbed: Tensor, log_total: float) -> list[Check]:
    """max_k (log w_k + G_k) is Gumbel at log Σ w whichever k it is: mean, variance, and no dependence on the argmax.

    Standard errors are the Gumbel law's own: variance π²/6, kurtosis 27/5.

    Args:
        perturbed: (S, K), log w + G.
        log_total: log Σ_k w_k.
    """
    largest, index = perturbed.max(-1)
    n, source = len(largest), "max-stability of the Gumbel law"
    found = [
        Check(r"$E[\max_k(\log w_k + G_k)] = \log\sum_k w_k + \gamma$", float(largest.mean()), log_total + EULER,
              math.sqrt(_VARIANCE / n), "standard error", "", source),
        Check(r"$\mathrm{Var}[\max_k(\log w_k + G_k)] = \pi^2/6$", float(largest.var()), _VARIANCE,
              _VARIANCE * math.sqrt(4.4 / n), "standard error", "", source),
    ]  # fmt: skip
    won = index == index.mode().values
    first, rest = int(won.sum()), n - int(won.sum())
    if rest > 1:
        gap = float(largest[won].mean() - largest[~won].mean())
        found.append(Check(
            r"$E[\max \mid \arg\max = k] - E[\max \mid \arg\max \neq k]$", gap, 0.0,
            math.sqrt(_VARIANCE / first + _VARIANCE / rest), "standard error", "", "max and argmax are independent",
            f"k = {int(index.mode().values) + 1}, {first:,} and {rest:,} draws",
        ))  # fmt: skip
    return found


def difference(noise: Tensor, generator: torch.Generator) -> list[Check]:
    """G₁ − G₂ is logistic: variance π²/3 (kurtosis 21/5), and P(G₁ − G₂ ≤ 1) = 1/(1 + e⁻¹).

    Args:
        noise: (S, K); its first column is G₁.
        generator: of G₂.
    """
    gap = noise[:, 0] - sample_gumbel((len(noise),), generator, noise.dtype)
    variance, n = 2 * _VARIANCE, len(gap)
    return [
        Check(r"$\mathrm{Var}[G_1 - G_2] = \pi^2/3$", float(gap.var()), variance, variance * math.sqrt(3.2 / n),
              "standard error", "", "G₁ − G₂ is logistic"),
        _share(r"$P(G_1 - G_2 \leq 1) = \sigma(1)$", int((gap <= 1).sum()), 1 / (1 + math.exp(-1)), n,
               "G₁ − G₂ is logistic"),
    ]  # fmt: skip


def without_replacement(log_pi: Tensor, samples: int, generator: torch.Generator) -> list[Check]:
    """Gumbel-Top-2 against Plackett–Luce: the most probable ordered pair, and χ² over all pairs.

    Args:
        log_pi: (K,), at least two entries finite.
        samples: draws.
        generator: of the noise.
    """
    size = len(log_pi)
    order = gumbel_top_k(log_pi.expand(samples, -1), 2, generator)
    counts = torch.bincount(order[:, 0] * size + order[:, 1], minlength=size**2)
    pairs = torch.cartesian_prod(torch.arange(size), torch.arange(size))
    chances = plackett_luce_log_prob(pairs, log_pi).exp()
    best = int(chances.argmax())
    first, second = (int(k) + 1 for k in pairs[best])
    source = r"Plackett–Luce: $P = \pi_i \pi_j / (1 - \pi_i)$"
    return [
        _share(rf"Gumbel-Top-2: $P({first}\ \mathrm{{then}}\ {second})$", int(counts[best]), float(chances[best]),
               samples, source),
        *_chi_square(r"Gumbel-Top-2: $\chi^2$ of all ordered pairs", counts, chances, source),
    ]  # fmt: skip


def extremes() -> list[Check]:
    """The float32 noise made of u = 1 and u = 0, which are moved to 1 − 2⁻²⁴ and 2⁻²⁴; tolerance float32's rounding."""
    low, high = gumbel_from_uniform(torch.tensor([0.0, 1.0])).tolist()
    top, note = 24 * math.log(2), "u is kept between 2⁻²⁴ and 1 − 2⁻²⁴"
    return [
        Check(r"largest float32 $G$, at $u = 1$", high, top, 1e-4, "tolerance", "", "−log(2⁻²⁴)", note),
        Check(r"smallest float32 $G$, at $u = 0$", low, -math.log(top), 1e-4, "tolerance", "", "−log(24 log 2)", note),
    ]


def printed(generator: torch.Generator, samples: int) -> Check:
    """The share of NaN among −log(log u), as the lecture prints it: all."""
    share = float(as_printed(torch.rand(samples, generator=generator)).isnan().double().mean())
    return Check(r"share of NaN in $-\log(\log u)$, as printed", share, 1.0, 0.0, "tolerance", "",
                 "log u < 0 has no logarithm", "as in the papers: G = −log(−log u)")  # fmt: skip


def _share(name: str, count: int, chance: float, samples: int, source: str) -> Check:
    """A share of draws against its chance; one draw more or less is allowed beside the binomial error."""
    error = math.sqrt(chance * (1 - chance) / samples) + 1 / samples if 0 < chance < 1 else 0.0
    return Check(name, count / samples, chance, error, "standard error", "", source, f"{samples:,} draws")


def _mean(name: str, values: Tensor, expected: float, slack: float, source: str, note: str = "") -> Check:
    """A sample mean; the standard error is the sample's own, ``slack`` what else the two may differ by."""
    error = float(values.std()) / math.sqrt(len(values)) + slack
    return Check(name, float(values.mean()), expected, error, "standard error", "", source, note)


def _chi_square(name: str, counts: Tensor, chances: Tensor, source: str) -> list[Check]:
    """Pearson's χ², at most what chance exceeds once in 16,000 looks; nothing where a single cell holds all.

    Cells that expect fewer than 5 are put together.
    """
    expected = chances.double() * counts.sum()
    rare = expected < 5
    groups = [(counts[~rare].double(), expected[~rare])]
    if float(expected[rare].sum()) >= 1:
        groups.append((counts[rare].sum().double().view(1), expected[rare].sum().view(1)))
    statistic = sum(float(((seen - due).square() / due).sum()) for seen, due in groups)
    freedom = sum(len(due) for _, due in groups) - 1
    if freedom < 1:
        return []
    slack = float(chdtri(freedom, 1 / 16_000)) - freedom
    note = f"{freedom} degrees of freedom" if freedom > 1 else "1 degree of freedom"
    return [Check(name, statistic, float(freedom), slack, "at most", "", source, note)]
