"""The fields of the named problems, with their parameters, closed forms, and what their flows conserve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Quantity:
    """Something that the exact flow keeps.

    Args:
        name: in words.
        formula: in LaTeX.
        of: states (…, D) → (…).
    """

    name: str
    formula: str
    of: Callable[[Tensor], Tensor]


class VectorField(nn.Module):
    """f(t, z; θ) in float64 with what is known about its flow."""

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """f: a scalar and (N, D) → (N, D)."""
        raise NotImplementedError

    def exact(self, z0: Tensor, elapsed: Tensor) -> Tensor | None:
        """The flow in closed form, (N, D) and (T,) → (T, N, D), or None where there is none."""
        return None

    def quantities(self) -> tuple[Quantity, ...]:
        """What the flow conserves."""
        return ()


class LinearField(VectorField):
    """f(z) = A z; θ = A; the flow is exp(tA).

    Args:
        matrix: D rows of A.
    """

    def __init__(self, matrix: Sequence[Sequence[float]]) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.tensor(matrix, dtype=torch.float64))

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """A z for each row."""
        return z @ self.matrix.T

    def exact(self, z0: Tensor, elapsed: Tensor) -> Tensor:
        """exp(tA) z0."""
        flow = torch.linalg.matrix_exp(elapsed.double()[:, None, None] * self.matrix.detach())
        return torch.einsum("tij,nj->tni", flow, z0)

    def quantities(self) -> tuple[Quantity, ...]:
        """½|z|² where A is antisymmetric."""
        if len(self.matrix) == 1 or not torch.equal(self.matrix, -self.matrix.T):
            return ()
        return (Quantity("energy", r"\tfrac12 (x^2 + y^2)", lambda z: 0.5 * z.square().sum(-1)),)


class LotkaVolterraField(VectorField):
    """Prey x and predators y: ẋ = αx − βxy, ẏ = δxy − γy; θ = (α, β, γ, δ).

    Args:
        gain: δ.
    """

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        self.rates = nn.Parameter(torch.tensor([2 / 3, 4 / 3, 1.0, gain], dtype=torch.float64))

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """(αx − βxy, δxy − γy)."""
        alpha, beta, gamma, delta = self.rates
        x, y = z.unbind(-1)
        return torch.stack([x * (alpha - beta * y), y * (delta * x - gamma)], dim=-1)

    def quantities(self) -> tuple[Quantity, ...]:
        """V = δx − γ log x + βy − α log y."""
        alpha, beta, gamma, delta = self.rates.detach()
        return (
            Quantity(
                "V", r"\delta x - \gamma\log x + \beta y - \alpha\log y",
                lambda z: delta * z[..., 0] - gamma * z[..., 0].log() + beta * z[..., 1] - alpha * z[..., 1].log(),
            ),
        )  # fmt: skip


class VanDerPolField(VectorField):
    """ẋ = y, ẏ = μ(1 − x²)y − x; θ = μ.

    Args:
        stiffness: μ.
    """

    def __init__(self, stiffness: float = 2.0) -> None:
        super().__init__()
        self.stiffness = nn.Parameter(torch.tensor(stiffness, dtype=torch.float64))

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """(y, μ(1 − x²)y − x)."""
        x, y = z.unbind(-1)
        return torch.stack([y, self.stiffness * (1 - x.square()) * y - x], dim=-1)


class LorenzField(VectorField):
    """Lorenz 1963: σ(y − x), x(ρ − z) − y, xy − βz; θ = (σ, ρ, β).

    Args:
        heat: ρ.
    """

    def __init__(self, heat: float = 28.0) -> None:
        super().__init__()
        self.rates = nn.Parameter(torch.tensor([10.0, heat, 8 / 3], dtype=torch.float64))

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """The three slopes."""
        sigma, rho, beta = self.rates
        x, y, up = z.unbind(-1)
        return torch.stack([sigma * (y - x), x * (rho - up) - y, x * y - beta * up], dim=-1)


class VortexField(VectorField):
    """Two Gaussian vortices turning against each other: s Σ ± exp(−|z − c|²) J (z − c); θ = (s, centres).

    Args:
        strength: s.
    """

    signs: Tensor

    def __init__(self, strength: float = 3.0) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.tensor(strength, dtype=torch.float64))
        self.centres = nn.Parameter(torch.tensor([[-0.8, 0.0], [0.8, 0.0]], dtype=torch.float64))
        self.register_buffer("signs", torch.tensor([1.0, -1.0], dtype=torch.float64))

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """The sum of both: the field has no divergence, so the flow keeps areas."""
        away = z.unsqueeze(-2) - self.centres
        pull = self.strength * self.signs * torch.exp(-away.square().sum(-1))
        turned = torch.stack([-away[..., 1], away[..., 0]], dim=-1)
        return (pull.unsqueeze(-1) * turned).sum(-2)

    def quantities(self) -> tuple[Quantity, ...]:
        """The stream function ½ s Σ ± exp(−|z − c|²), whose level lines the flow follows."""
        strength, centres, signs = self.strength.detach(), self.centres.detach(), self.signs

        def stream(z: Tensor) -> Tensor:
            away = z.unsqueeze(-2) - centres
            return 0.5 * strength * (signs * torch.exp(-away.square().sum(-1))).sum(-1)

        return (Quantity("stream function", r"\tfrac{s}{2}\sum_i \pm e^{-|z-c_i|^2}", stream),)


class ExplosionField(VectorField):
    """f(z) = θ z² with θ = 1: z(t) = z0 / (1 − t z0), infinite from t = 1/z0 on."""

    def __init__(self) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.tensor(1.0, dtype=torch.float64))

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """θ z²."""
        return self.rate * z.square()

    def exact(self, z0: Tensor, elapsed: Tensor) -> Tensor:
        """z0 / (1 − θ t z0) while it lasts."""
        left = 1 - self.rate.detach() * elapsed.double()[:, None, None] * z0
        return torch.where(left > 0, z0 / left, torch.inf)
