"""One step at a time: the stages k₁, k₂, … of a Runge-Kutta method as arrows that can be drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import torch
from torch import Tensor

from dgm_core.neural_ode.tableaux import TABLEAUX

FieldFunction = Callable[[Tensor, Tensor], Tensor]
"""f(t, z): a scalar and (N, D) → (N, D)."""


@dataclass(frozen=True)
class Stages:
    """One step, opened.

    Args:
        times: (S,) moments at which the field is asked.
        places: (S, N, D) where it is asked.
        slopes: (S, N, D) k₁ … k_S, what it answers: arrow i starts at ``places[i]``.
        state: (N, D) z after the step.
        error: (N, D) difference to the embedded method's step; None where the method has none.
    """

    times: Tensor
    places: Tensor
    slopes: Tensor
    state: Tensor
    error: Tensor | None


def stages(field: FieldFunction, z: Tensor, t: float, h: float, method: str) -> Stages:
    """Take one step of ``method`` from ``t`` to ``t + h`` and keep all that happens on the way.

    Args:
        field: f(t, z).
        z: (N, D).
        t: where the step starts.
        h: its size; negative steps go backwards.
        method: a name of `TABLEAUX`.

    Raises:
        ValueError: when the method's stages are not written out.

    Example:
        >>> step = stages(lambda t, z: -z, torch.ones(1, 1), 0.0, 0.5, "midpoint")
        >>> step.slopes.flatten().tolist(), step.state.item()
        ([-1.0, -0.75], 0.625)
    """
    tableau = TABLEAUX.get(method)
    if tableau is None:
        raise ValueError(f"the stages of {method} are not shown; choose one of {', '.join(TABLEAUX)}")
    moments = torch.tensor([t + float(c) * h for c in tableau.c], dtype=z.dtype, device=z.device)
    places: list[Tensor] = []
    slopes: list[Tensor] = []
    for moment, row in zip(moments, tableau.a, strict=True):
        places.append(_moved(z, h, row, slopes))
        slopes.append(field(moment, places[-1]))
    state = _moved(z, h, tableau.b, slopes)
    error = state - _moved(z, h, tableau.low, slopes) if tableau.low else None
    return Stages(moments, torch.stack(places), torch.stack(slopes), state, error)


def walk(field: FieldFunction, z0: Tensor, times: Sequence[float], method: str) -> Tensor:
    """States at ``times``, one step of ``method`` from each to the next: (T, N, D); ``z0`` (N, D) is the first.

    Example:
        >>> walk(lambda t, z: -z, torch.ones(1, 1), [0.0, 0.5, 1.0], "euler").flatten().tolist()
        [1.0, 0.5, 0.25]
    """
    states = [z0]
    for start, end in pairwise(times):
        states.append(stages(field, states[-1], start, end - start, method).state)
    return torch.stack(states)


def _moved(z: Tensor, h: float, weights: Sequence[Fraction], slopes: Sequence[Tensor]) -> Tensor:
    for weight, slope in zip(weights, slopes, strict=True):
        if weight:
            z = z + (h * float(weight)) * slope
    return z
