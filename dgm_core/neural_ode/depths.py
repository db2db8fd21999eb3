"""A trained flow run with other solvers and fewer steps: how deep must the residual net be that stands for it?"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from dgm_core.neural_ode.classifiers import ODEClassifier
from dgm_core.neural_ode.labelled import Labelled
from dgm_core.neural_ode.networks import EVALUATIONS, FixedMethod
from dgm_core.pack import pack, unpack

DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
METHODS: tuple[FixedMethod, ...] = ("euler", "midpoint", "rk4")
_EXACT = 256


@dataclass(frozen=True)
class Depths:
    """One trained flow, solved in many ways; rows are `METHODS`, columns `DEPTHS`.

    Args:
        depths: (C,) int32, steps from t = 0 to 1; with Euler, residual blocks z + f(z)/L.
        evaluations: (3, C) int32, of the field.
        accuracy: (3, C) float32, on held-out points.
        error: (3, C) float32, the mean distance of z(1) from the exact flow's.
    """

    depths: np.ndarray
    evaluations: np.ndarray
    accuracy: np.ndarray
    error: np.ndarray

    def to_bytes(self) -> bytes:
        """Compressed, without loss (`dgm_core.pack`)."""
        return pack({}, dict(self.__dict__), compress=True)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these bytes are no such table.
        """
        _, arrays = unpack(packed)
        try:
            return cls(**arrays)
        except TypeError as error:
            raise ValueError(f"these bytes are no table of depths: {error}") from error


@torch.no_grad()
def depths_of(model: ODEClassifier, data: Labelled) -> Depths:
    """Solve for all points with every method and depth; exact is RK4 with 256 steps."""
    solved = copy.copy(model)
    solved.steps, solved.method = _EXACT, "rk4"
    z = model.lift(data.x)
    exact = solved.path_of(z)[-1]
    accuracy, error = np.zeros((2, len(METHODS), len(DEPTHS)), np.float32)
    for row, method in enumerate(METHODS):
        for column, depth in enumerate(DEPTHS):
            solved.steps, solved.method = depth, method
            end = solved.path_of(z)[-1]
            accuracy[row, column] = ((model.read(end) > 0) == (data.y > 0.5)).double().mean()
            error[row, column] = (end - exact).norm(dim=1).mean()
    depths = np.array(DEPTHS, np.int32)
    return Depths(depths, np.outer([EVALUATIONS[m] for m in METHODS], depths).astype(np.int32), accuracy, error)
