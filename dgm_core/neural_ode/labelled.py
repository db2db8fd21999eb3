"""Points of two classes in the plane."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from dgm_core.film import Extent

TaskName = Literal["circles", "moons", "spirals"]
EXTENT: Extent = (-2.0, 2.0, -2.0, 2.0)
"""Where every task lies; a few noisy points may be outside."""


@dataclass(frozen=True)
class Labelled:
    """Points and their classes.

    Args:
        x: (N, 2) float32.
        y: (N,) float32, 0 or 1.
    """

    x: Tensor
    y: Tensor

    def first(self, n: int) -> Labelled:
        """The first n; the order is random, so they are a sample."""
        return Labelled(self.x[:n], self.y[:n])

    def to(self, device: torch.device | str) -> Labelled:
        """On a device."""
        return Labelled(self.x.to(device), self.y.to(device))


def labelled(name: str, n: int, seed: int) -> Labelled:
    """n independent points, each of either class with probability ½.

    Args:
        name: of `TASKS`.
        seed: of everything random.

    Example:
        >>> data = labelled("circles", 500, seed=0)
        >>> r = data.x.norm(dim=1)
        >>> bool((r[data.y == 1] <= 0.5).all() and (r[data.y == 0] >= 1.0).all())
        True
    """
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(2, (n,), generator=generator).float()
    return Labelled(TASKS[name](y, generator), y)


def _circles(y: Tensor, generator: torch.Generator) -> Tensor:
    """A disc of radius ½ (class 1) within a ring from 1 to 1½ (class 0), uniform (Dupont et al. 2019, section 3)."""
    u = torch.rand(len(y), generator=generator)
    radius = torch.where(y > 0.5, 0.5 * u.sqrt(), (1 + 1.25 * u).sqrt())
    return radius.unsqueeze(1) * _direction(2 * math.pi * torch.rand(len(y), generator=generator))


def _moons(y: Tensor, generator: torch.Generator) -> Tensor:
    """Two half circles that reach into one another, noise 0.1."""
    angle = math.pi * torch.rand(len(y), generator=generator)
    turned = _direction(angle) * torch.where(y > 0.5, -1.0, 1.0).unsqueeze(1)
    shift = torch.where(y > 0.5, 0.5, -0.5).unsqueeze(1) * torch.tensor([1.0, 0.5])
    return turned + shift + 0.1 * torch.randn(len(y), 2, generator=generator)


def _spirals(y: Tensor, generator: torch.Generator) -> Tensor:
    """Two arms of 1¼ turns each, noise 0.05."""
    share = torch.rand(len(y), generator=generator).sqrt()
    arm = share.unsqueeze(1) * 1.8 * _direction(2.5 * math.pi * share)
    arm = arm * torch.where(y > 0.5, -1.0, 1.0).unsqueeze(1)
    return arm + 0.05 * torch.randn(len(y), 2, generator=generator)


def _direction(angle: Tensor) -> Tensor:
    return torch.stack([angle.cos(), angle.sin()], dim=1)


TASKS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "circles": _circles, "moons": _moons, "spirals": _spirals,
}  # fmt: skip
