"""A trained classifier at work: its decision surface, the hidden states' paths, and what a flow can never do to them.

Different solutions of one ODE never meet, so its flow is a homeomorphism of its space, and since it begins as the
identity it keeps orientation: det ∂z(t)/∂z(0) > 0 throughout. In the plane a ring about a point stays a closed curve
that winds once about that point's image, and no straight line separates the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from torch import Tensor

from dgm_core.film import Extent
from dgm_core.neural_ode.classifiers import Classifier, closest, jacobians
from dgm_core.neural_ode.deciding import surface
from dgm_core.neural_ode.labelled import EXTENT, Labelled
from dgm_core.pack import pack, unpack

POINTS = 400
CELLS = 120
RING = 1_024
"""Points of the ring of radius 1¼ about the origin whose image is followed."""
RADIUS = 1.25


@dataclass(frozen=True)
class Passage:
    """Arrays to be drawn.

    Args:
        times: (T,), 0 … 1; of a residual network l/L.
        states: (T, N, D) float32, the paths of held-out points with the added dimensions.
        labels: (N,) uint8.
        probability: (N,) float32, P(class 1).
        surface: (S, S) float32, P(class 1) at the centres of a lattice of cells over ``extent``, row 0 at ymin.
        extent: (xmin, xmax, ymin, ymax).
        line: (D + 1,) float32, w and b of the readout: class 1 is where wᵀ z + b > 0.
        determinant: (T, N) float32, det ∂z(t)/∂z(0): below 0 the map has folded the plane over.
        closest: (T,) float32, the least distance between points of different classes.
        ring: (T, R, 2) float32, the first two coordinates of the image of a ring of radius 1¼ about the origin.
        centre: (T, 2) float32, of the origin.
        winding: (T,) float32, how often the ring's image winds about the origin's.
    """

    times: np.ndarray
    states: np.ndarray
    labels: np.ndarray
    probability: np.ndarray
    surface: np.ndarray
    extent: Extent
    line: np.ndarray
    determinant: np.ndarray
    closest: np.ndarray
    ring: np.ndarray
    centre: np.ndarray
    winding: np.ndarray

    def to_bytes(self) -> bytes:
        """Compressed, without loss (`dgm_core.pack`)."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "extent"}
        return pack({"extent": list(self.extent)}, arrays, compress=True)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these bytes are no passage.
        """
        meta, arrays = unpack(packed)
        try:
            return cls(extent=tuple(meta["extent"]), **arrays)
        except (KeyError, TypeError) as error:
            raise ValueError(f"these bytes are no passage: {error}") from error


@torch.no_grad()
def passage_of(model: Classifier, data: Labelled, points: int = POINTS, cells: int = CELLS) -> Passage:
    """A passage of the first of some labelled points.

    Args:
        model: trained.
        data: on the CPU.
        points: how many at most.
        cells: of the surface along each axis.
    """
    device = model.readout.device
    few = data.first(points).to(device)
    states, ring = model.path(few.x), model.path(circle(RING, RADIUS).to(device))
    centre = model.path(torch.zeros(1, 2, device=device))[:, 0, :2]
    arrays = {
        "states": states,
        "probability": model.read(states[-1]).sigmoid(),
        "line": torch.cat([model.readout, model.threshold.unsqueeze(0)]),
        "determinant": torch.linalg.det(jacobians(model, few.x)),
        "closest": closest(states, few.y),
        "ring": ring[..., :2],
        "centre": centre,
        "winding": winding_number(ring[..., :2] - centre.unsqueeze(1)),
    }
    return Passage(
        times=model.times, labels=few.y.cpu().numpy().astype(np.uint8), surface=surface(model, cells), extent=EXTENT,
        **{name: array.float().cpu().numpy() for name, array in arrays.items()},
    )  # fmt: skip


def circle(count: int, radius: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Points of a circle about the origin, counter-clockwise at equal angles: (count, 2)."""
    angle = torch.arange(count, dtype=dtype) * (2 * math.pi / count)
    return radius * torch.stack([angle.cos(), angle.sin()], dim=1)


def winding_number(curve: Tensor) -> Tensor:
    """How often closed polygons wind about the origin, counter-clockwise: the sum of the angles of their sides.

    Args:
        curve: (…, R, 2), the corners; the last is joined to the first.

    Returns:
        (…), whole numbers but for rounding, as long as no side passes through the origin.

    Example:
        >>> round(winding_number(circle(8, 1.0)).item()), round(winding_number(circle(8, 1.0) + 3).item())
        (1, 0)
    """
    after = curve.roll(-1, dims=-2)
    cross = curve[..., 0] * after[..., 1] - curve[..., 1] * after[..., 0]
    return torch.atan2(cross, (curve * after).sum(-1)).sum(-1) / (2 * math.pi)
