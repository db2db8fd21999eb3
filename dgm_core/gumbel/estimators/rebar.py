"""REBAR: REINFORCE with the relaxed draw as a control variate, unbiased again by a conditional relaxed draw.

References:
    Tucker, Mnih, Maddison, Lawson, Sohl-Dickstein, REBAR: Low-variance, unbiased gradient estimates for discrete latent
    variable models (2017), section 3 and the appendix on conditional relaxed draws.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_core.gumbel.estimators.base import Function, draw_perturbed, log_prob, path_only
from dgm_core.gumbel.relaxation import plain, relax


def rebar(
    f: Function,
    logits: Tensor,
    *,
    tau: float | Tensor = 1.0,
    generator: torch.Generator | None = None,
    strength: float = 1.0,
) -> Tensor:
    """(f(D) − η f(s̃)) ∇ log p(D) + η ∇f(s) − η ∇f(s̃), s = softmax(z/τ), s̃ = softmax(z̃/τ), Tucker et al. 2017.

    z = log π + G is the relaxed draw, z̃ a draw of it given D. The noise of z̃ is chosen so that z̃ = z by value (common
    random numbers): z̃_D = −log E_D and z̃_j = −log(E_j/π_j + E_D) with E solved from z. Then f(s̃) = f(s) needs no
    evaluation of its own, and the two gradients differ by the paths alone: ∂z̃_j/∂ log π_j = 1 − exp(z_j − z_D), so
    what is left of ∂z_j − ∂z̃_j is exp(z_j − z_D).

    Args:
        f: (B, …, K) → (B,).
        logits: (B, …, K).
        tau: above 0; no gradient passes to it.
        generator: of the samples.
        strength: η.

    Returns:
        (B,), by value f(D).
    """
    log_pi = torch.log_softmax(logits, -1)
    index, hard, z = draw_perturbed(log_pi.detach(), generator)
    slope, relaxed_value = _at_relaxed(f, z, plain(tau))
    value = f(hard)
    lead = torch.exp(z - z.gather(-1, index))
    finite = log_pi.masked_fill(log_pi == -torch.inf, 0.0)
    pathwise = (slope * lead * path_only(finite)).reshape(len(logits), -1).sum(1)
    score = (value.detach() - strength * relaxed_value) * path_only(log_prob(index, logits))
    return value + score + strength * pathwise


def _at_relaxed(f: Function, z: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """∂f(softmax(z/τ))/∂z (B, …, K) and f there (B,); nothing passes on to f's own parameters."""
    with torch.enable_grad():
        leaf = z.detach().requires_grad_(True)
        value = f(relax(leaf, tau))
        slope = torch.autograd.grad(value.sum(), leaf)[0]
    return slope, value.detach()
