"""A ring in the plane on its way through a classifier, followed closely enough that no gap between its points matters.

A flow that has to part a disc from a ring around it tears the ring where the data are thin: a millionth of it may be
stretched over the whole picture. So points are added wherever neighbours have moved apart.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dgm_core.neural_ode.classifiers import Classifier

RADIUS = 1.25
"""In the middle of the ring of the task ``circles``."""
FIRST, MOST = 256, 4_096
"""Points of the ring to begin with, and at most."""
APART = 0.1
"""Neighbours further apart than this, at any time, get a point between them."""
ROUNDS = 45
"""Halvings at most: the first side is then as short as float64 tells angles apart."""


@dataclass(frozen=True)
class Ring:
    """A ring's images.

    Args:
        angles: (R,) float64, increasing in [0, 2π).
        images: (T, R, D) float64; the first is the ring itself.
        centre: (T, D) float64, the origin's images.
        winding: (T,) float64, how often the ring's image winds about the origin's, in the first two coordinates.
    """

    angles: Tensor
    images: Tensor
    centre: Tensor
    winding: Tensor


@torch.no_grad()
def follow(model: Classifier, radius: float = RADIUS) -> Ring:
    """A ring about the origin on its way, in float64 on the CPU, by the model's own steps.

    Args:
        model: any; it is not changed.
        radius: of the ring.
    """
    exact = copy.deepcopy(model).cpu().double()
    angles = torch.arange(FIRST, dtype=torch.float64) * (2 * math.pi / FIRST)
    images = exact.path(radius * direction(angles))
    for _ in range(ROUNDS):
        apart = (images - images.roll(-1, dims=1)).norm(dim=-1).amax(dim=0) > APART
        if not apart.any() or len(angles) >= MOST:
            break
        after = torch.cat([angles[1:], angles[:1] + 2 * math.pi])
        fresh = ((angles + after) / 2)[apart]
        angles, order = torch.cat([angles, fresh]).sort()
        images = torch.cat([images, exact.path(radius * direction(fresh))], dim=1)[:, order]
    centre = exact.path(torch.zeros(1, 2, dtype=torch.float64))[:, 0]
    return Ring(angles, images, centre, winding_number((images - centre.unsqueeze(1))[..., :2]))


def direction(angles: Tensor) -> Tensor:
    """(N,) → (N, 2): the unit vectors at these angles."""
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def winding_number(curve: Tensor) -> Tensor:
    """How often closed polygons wind about the origin, counter-clockwise: the sum of the angles of their sides.

    Args:
        curve: (…, R, 2), the corners; the last is joined to the first.

    Returns:
        (…), whole numbers but for rounding, as long as no side passes through the origin.

    Example:
        >>> octagon = direction(torch.arange(8) * math.pi / 4)
        >>> round(winding_number(octagon).item()), round(winding_number(octagon + 3).item())
        (1, 0)
    """
    after = curve.roll(-1, dims=-2)
    cross = curve[..., 0] * after[..., 1] - curve[..., 1] * after[..., 0]
    return torch.atan2(cross, (curve * after).sum(-1)).sum(-1) / (2 * math.pi)
