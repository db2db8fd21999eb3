"""Functions f of a relaxed category for the estimator bench, and the exact gradient of their mean by enumeration."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Literal, get_args

import torch
from torch import Tensor

from dgm_core.gumbel.relaxation import require_drawable

ObjectiveName = Literal["linear", "quadratic", "network"]
OBJECTIVES: tuple[ObjectiveName, ...] = get_args(ObjectiveName)
Objective = Callable[[Tensor], Tensor]
"""f: (…, K) → (…), defined on the whole simplex, in the dtype of what it is given."""

HIDDEN = 16
MOST_STATES = 200_000


def objective(name: ObjectiveName, categories: int, seed: int = 0) -> Objective:
    """A function f whose values at the K corners have mean 0 and standard deviation 1.

    Linear cᵀz; quadratic ½ zᵀAz + cᵀz with a symmetric A; network wᵀ tanh(Wz + b) with 16 units. All weights are
    standard normal from the seed, drawn in float64, so every precision sees the same function.

    Args:
        name: ``"linear"``, ``"quadratic"`` or ``"network"``.
        categories: K, at least 1.
        seed: of the weights.

    Returns:
        f, differentiable.

    Raises:
        ValueError: for another name.

    Example:
        >>> f = objective("quadratic", 4)
        >>> f(torch.eye(4)).shape
        torch.Size([4])
    """
    makers: dict[str, Callable[[int, torch.Generator], Objective]] = {
        "linear": _linear, "quadratic": _quadratic, "network": _network,
    }  # fmt: skip
    if name not in makers:
        raise ValueError(f"There is no objective {name!r}; there are {', '.join(makers)}.")
    return _standardised(makers[name](categories, torch.Generator().manual_seed(seed)), categories)


def exact_gradient(f: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    """∇ E[f(z)] with respect to the logits, by summing over every state, in float64.

    Args:
        f: (R, …, K) → (R,).
        logits: (K,), or (N, K) for N independent latents; K^N at most 200,000.

    Returns:
        The shape of the logits, float64.

    Raises:
        ValueError: if there are too many states, or logits that mean nothing.

    Example:
        >>> exact_gradient(lambda z: z[:, 0], torch.zeros(2)).tolist()
        [0.25, -0.25]
    """
    leaf = logits.detach().double().requires_grad_(True)
    return torch.autograd.grad(expected_value(f, leaf), leaf)[0]


def expected_value(f: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    """E[f(z)] by summing over every state, with the gradient of the logits; arguments as for `exact_gradient`."""
    require_drawable(logits)
    rows = logits if logits.ndim == 2 else logits.unsqueeze(0)
    latents, categories = rows.shape
    if categories**latents > MOST_STATES:
        raise ValueError(f"{categories}^{latents} states are too many to enumerate; {MOST_STATES:,} at most.")
    states = torch.tensor(list(product(range(categories), repeat=latents)), device=logits.device)
    chances = torch.log_softmax(rows, -1)[torch.arange(latents), states].sum(1).exp()
    corners = torch.eye(categories, dtype=logits.dtype, device=logits.device)[states]
    return (chances * f(corners.view(-1, *logits.shape))).sum()


def _linear(categories: int, generator: torch.Generator) -> Objective:
    c = _normal((categories,), generator)
    return lambda z: z @ c.to(z)


def _quadratic(categories: int, generator: torch.Generator) -> Objective:
    root, c = _normal((categories, categories), generator), _normal((categories,), generator)
    matrix = root + root.T

    def f(z: Tensor) -> Tensor:
        return 0.5 * ((z @ matrix.to(z)) * z).sum(-1) + z @ c.to(z)

    return f


def _network(categories: int, generator: torch.Generator) -> Objective:
    first, bias = _normal((categories, HIDDEN), generator), _normal((HIDDEN,), generator)
    last = _normal((HIDDEN,), generator)

    def f(z: Tensor) -> Tensor:
        return torch.tanh(z @ first.to(z) + bias.to(z)) @ last.to(z)

    return f


def _standardised(f: Objective, categories: int) -> Objective:
    """f shifted and scaled, the same at every point, so that its values at the corners have mean 0 and deviation 1."""
    values = f(torch.eye(categories, dtype=torch.float64))
    shift = float(values.mean())
    scale = float(values.std(unbiased=False)) if categories > 1 else 1.0

    def standardised(z: Tensor) -> Tensor:
        return (f(z) - shift) / scale

    return standardised


def _normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)
