"""An objective that is the mean of a loss over a batch of rows, drawn anew at every step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dgm_core.nn.threads import alone
from dgm_core.training.averaged_adam import AveragedAdam, named_views


class BatchObjective(ABC):
    """One training step: draw rows, take their loss, leave its gradient in the optimiser's flat vector.

    Args:
        model: whose parameters are views of the optimiser's vector.
        arrays: tensors of N rows each, on the device of the training; row i of all belongs together.
        batch: rows in a step.
        optimiser: whose gradient is written.
        generator: of the batches.
    """

    def __init__(
        self, model: nn.Module, arrays: Sequence[Tensor], batch: int, optimiser: AveragedAdam,
        generator: torch.Generator,
    ) -> None:  # fmt: skip
        self.arrays, self.gradient, self.generator = tuple(arrays), optimiser.gradient, generator
        self.index = torch.empty(batch, dtype=torch.long, device=arrays[0].device)
        for parameter, view in zip(model.parameters(), named_views(self.gradient, model).values(), strict=True):
            parameter.grad = view

    @abstractmethod
    def loss_of(self, rows: tuple[Tensor, ...]) -> Tensor:
        """The loss of a batch, shape (); called once a step."""

    @abstractmethod
    def figures(self) -> dict[str, float]:
        """See `dgm_core.training.loop.Objective`."""

    def __call__(self, step: int = 0) -> Tensor:
        """See `dgm_core.training.loop.Objective`."""
        with alone():
            self.gradient.zero_()
            self.index.random_(len(self.arrays[0]), generator=self.generator)
            loss = self.loss_of(tuple(array[self.index] for array in self.arrays))
            loss.backward()
        return loss.detach()
