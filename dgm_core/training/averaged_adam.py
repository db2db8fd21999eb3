"""Adam on one flat vector, with averaged weights beside the trained ones.

A small network's optimiser spends its time on one short operation for each of many parameters. When all parameters are
views of one vector, a step is five operations in all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dgm_core.nn.threads import alone


def flatten_parameters(module: nn.Module) -> Tensor:
    """Move all parameters into one vector, of which they become views; returns the vector, (P,).

    Example:
        >>> linear = nn.Linear(2, 1)
        >>> flat = flatten_parameters(linear)
        >>> flat.zero_().shape, linear.weight.tolist()
        (torch.Size([3]), [[0.0, 0.0]])
    """
    flat = torch.cat([p.detach().reshape(-1) for p in module.parameters()])
    for parameter, view in zip(module.parameters(), named_views(flat, module).values(), strict=True):
        parameter.data = view
    return flat


def named_views(flat: Tensor, module: nn.Module) -> dict[str, Tensor]:
    """``flat`` (P,) cut and shaped like the module's parameters, by their names; the pieces share its memory."""
    views, offset = {}, 0
    for name, parameter in module.named_parameters():
        views[name] = flat[offset : offset + parameter.numel()].view(parameter.shape)
        offset += parameter.numel()
    return views


def cosine(step: int, total: int, warmup: int = 0) -> float:
    """The factor of the rate at ``step`` of ``total``: a linear rise over ``warmup`` steps, then half a cosine.

    Example:
        >>> [round(cosine(step, 4), 3) for step in range(4)]
        [1.0, 0.854, 0.5, 0.146]
    """
    rise = min(1.0, (step + 1) / (warmup + 1))
    return rise * 0.5 * (1 + math.cos(math.pi * min(step, total) / total))


class AveragedAdam:
    """Adam (Kingma & Ba 2015, algorithm 1) in place on a flat vector, with an exponential average of the iterates.

    The average forgets with decay min(``decay``, (1 + n)/(10 + n)) at step n, so that it does not remember the start.

    Args:
        weights: (P,), stepped in place.
        gradient: (P,), read at every step; whoever computes gradients writes here.
        betas: decay of the gradient's first and second moment.
        decay: of the averaged weights.
    """

    def __init__(
        self, weights: Tensor, gradient: Tensor, betas: tuple[float, float] = (0.9, 0.99), decay: float = 0.99
    ) -> None:
        self.weights, self.gradient, self.betas, self.decay = weights, gradient, betas, decay
        self.moment, self.square = torch.zeros_like(weights), torch.zeros_like(weights)
        self.scratch = torch.empty_like(weights)
        self.average = weights.clone()
        self.steps = 0

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """One step along ``gradient``, and one of the average."""
        with alone():  # so short a work loses more by being shared out than it gains
            self._step(learning_rate)

    def _step(self, learning_rate: float) -> None:
        beta1, beta2 = self.betas
        self.steps += 1
        self.moment.lerp_(self.gradient, 1 - beta1)
        self.square.mul_(beta2).addcmul_(self.gradient, self.gradient, value=1 - beta2)
        # θ ← θ − lr · m̂ / (√v̂ + ε), the two bias corrections moved into the step's size and into ε
        correction = math.sqrt(1 - beta2**self.steps)
        torch.sqrt(self.square, out=self.scratch).add_(1e-8 * correction)
        self.weights.addcdiv_(self.moment, self.scratch, value=-learning_rate * correction / (1 - beta1**self.steps))
        self.average.lerp_(self.weights, 1 - min(self.decay, (1 + self.steps) / (10 + self.steps)))

    def state_dict(self) -> dict[str, Tensor | int]:
        """Everything that a later `load_state_dict` needs to go on exactly."""
        return {
            "weights": self.weights, "moment": self.moment, "square": self.square, "average": self.average,
            "steps": self.steps,
        }  # fmt: skip

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over, by copy, what `state_dict` returned.

        Raises:
            ValueError: when it belongs to another number of weights.
        """
        for name in ("weights", "moment", "square", "average"):
            if state[name].shape != self.weights.shape:
                raise ValueError(f"it holds {state[name].numel()} weights where the model has {self.weights.numel()}")
            getattr(self, name).copy_(state[name])
        self.steps = int(state["steps"])
