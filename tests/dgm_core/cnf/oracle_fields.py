"""Fields whose flows are known: a linear one in closed form, and a lively network for scipy and zuko to solve."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import expm
from scipy.stats import multivariate_normal
from torch import Tensor, nn

from dgm_core.cnf.fields import Field, MLPField


class LinearField(Field):
    """f(t, z) = A z + c: every p_t is Gaussian, N(m, e^{At} e^{Aᵀt}) with dm/dt = A m + c."""

    def __init__(self, matrix: list[list[float]], shift: list[float]) -> None:
        super().__init__()
        self.dim = len(shift)
        self.matrix = nn.Parameter(torch.tensor(matrix, dtype=torch.float64))
        self.shift = nn.Parameter(torch.tensor(shift, dtype=torch.float64))

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        return z @ self.matrix.T + self.shift

    def with_jacobian(self, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        return self(t, z), self.matrix.expand(len(z), -1, -1)

    def propagator(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """e^{At} and the place to which the origin has moved, from one augmented matrix exponential."""
        augmented = np.zeros((self.dim + 1, self.dim + 1))
        augmented[: self.dim, : self.dim] = self.matrix.detach().numpy()
        augmented[: self.dim, self.dim] = self.shift.detach().numpy()
        whole = expm(augmented * t)
        return whole[: self.dim, : self.dim], whole[: self.dim, self.dim]

    def log_prob(self, t: float, x: np.ndarray) -> np.ndarray:
        """log p_t in closed form, by scipy."""
        linear, mean = self.propagator(t)
        return multivariate_normal(mean, linear @ linear.T).logpdf(x)


def spiral() -> LinearField:
    """Turns, stretches and drifts."""
    return LinearField([[-0.4, 2.0], [-1.2, 0.3]], [0.6, -0.8])


def lively(width: int = 16, depth: int = 3, seed: int = 0) -> MLPField:
    """A float64 network three times as strong as a fresh one."""
    field = MLPField(width=width, depth=depth, generator=torch.Generator().manual_seed(seed)).double()
    with torch.no_grad():
        for layer in field.squashes[1:]:
            layer.weight.mul_(3)
    return field
