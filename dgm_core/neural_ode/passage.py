"""A trained classifier at work: its decision surface, the hidden states' paths, and what a flow can never do to them.

Different solutions of one ODE never meet, so its flow is a homeomorphism of its space, and since it begins as the
identity it keeps orientation: det ∂z(t)/∂z(0) > 0 throughout. In the plane a ring about a point stays a closed curve
that winds once about that point's image, and no straight line separates the two.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from torch import Tensor

from dgm_core.film import Extent, lattice
from dgm_core.neural_ode.classifiers import Classifier, closest, jacobians
from dgm_core.neural_ode.deciding import surface
from dgm_core.neural_ode.labelled import EXTENT, Labelled
from dgm_core.neural_ode.rings import follow
from dgm_core.pack import pack, unpack

POINTS = 400
CELLS = 100
STATES = 25
"""Moments on the paths of an ODE that RK4 solves; of others as many as they have."""
SAME = 0.01
"""Classifiers whose probabilities differ by less on the mean are taken for one."""
VALUE = 64
"""Cells of the value's pictures along each axis."""
LINES = 13
"""Lines of the grid each way, and four times as many points on each."""


@dataclass(frozen=True)
class Passage:
    """Arrays to be drawn.

    Args:
        times: (T,), 0 … 1; of a residual network l/L.
        states: (T, N, D) float16, the paths of held-out points with the added dimensions.
        labels: (N,) uint8.
        probability: (N,) float32, P(class 1).
        surface: (S, S) float32, P(class 1) at the centres of a lattice of cells over ``extent``, row 0 at ymin.
        extent: (xmin, xmax, ymin, ymax).
        line: (D + 1,) float32, w and b of the readout: class 1 is where wᵀ z + b > 0.
        determinant: (T, N) float32, det ∂z(t)/∂z(0): below 0 the map has folded the plane over.
        stretch: (T,) float32, the largest factor by which any small step from a point has grown: the largest singular
            value of ∂z(t)/∂z(0).
        closest: (T,) float32, the least distance between points of different classes.
        ring: (T, R, 2) float16, the first two coordinates of the image of a ring of radius 1¼ about the origin; see
            `dgm_core.neural_ode.rings`.
        angles: (R,) float64, where on the ring its points are, increasing in [0, 2π).
        ring_probability: (R,) float32, P(class 1) of the ring's points.
        centre: (T, 2) float32, of the origin.
        winding: (T,) float32, how often the ring's image winds about the origin's.
        window: around all states' first two coordinates, as ``extent``.
        value: (T, V, V) float16 over ``window``: P(class 1) of whatever is at a place at that time; a straight line
            divides it at t = 1. With added dimensions a place says too little: (T, 0, 0).
        grid: (T, 2 · `LINES`, 4 · `LINES`, 2) float16, the lines of a grid over ``extent`` on their way.
    """

    times: np.ndarray
    states: np.ndarray
    labels: np.ndarray
    probability: np.ndarray
    surface: np.ndarray
    extent: Extent
    line: np.ndarray
    determinant: np.ndarray
    stretch: np.ndarray
    closest: np.ndarray
    ring: np.ndarray
    angles: np.ndarray
    ring_probability: np.ndarray
    centre: np.ndarray
    winding: np.ndarray
    window: Extent
    value: np.ndarray
    grid: np.ndarray

    def to_bytes(self) -> bytes:
        """Compressed, without loss (`dgm_core.pack`)."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("extent", "window")}
        return pack({"extent": list(self.extent), "window": list(self.window)}, arrays, compress=True)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these bytes are no passage.
        """
        meta, arrays = unpack(packed)
        try:
            return cls(extent=tuple(meta["extent"]), window=tuple(meta["window"]), **arrays)
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
    model = _followed(model, few.x)
    states, grid, ring = model.path(few.x), _grid_on_its_way(model), follow(model)
    window = _window(torch.cat([states[..., :2].flatten(0, 1), grid.flatten(0, 2)]))
    jacobian = jacobians(model, few.x)
    arrays = {
        "states": states,
        "probability": model.read(states[-1]).sigmoid(),
        "line": torch.cat([model.readout, model.threshold.unsqueeze(0)]),
        "determinant": torch.linalg.det(jacobian),
        "stretch": torch.linalg.matrix_norm(jacobian, 2).amax(dim=1),
        "closest": closest(states, few.y),
        "ring": ring.images[..., :2],
        "ring_probability": model.read(ring.images[-1].to(states)).sigmoid(),
        "centre": ring.centre[:, :2],
        "winding": ring.winding,
        "grid": grid,
    }
    drawn = {name: array.float().cpu().numpy() for name, array in arrays.items()}
    for name in ("states", "ring", "grid"):
        drawn[name] = drawn[name].astype(np.float16)
    return Passage(
        times=model.times, labels=few.y.cpu().numpy().astype(np.uint8), surface=surface(model, cells), extent=EXTENT,
        window=window, value=_value(model, window), angles=ring.angles.numpy(), **drawn,
    )  # fmt: skip


def _followed(model: Classifier, x: Tensor) -> Classifier:
    """With more states on a path, unless finer steps would be another classifier."""
    finer = model.refined(STATES)
    return finer if float((finer(x).sigmoid() - model(x).sigmoid()).abs().mean()) < SAME else model


def _grid_on_its_way(model: Classifier) -> Tensor:
    """(T, 2 `LINES`, 4 `LINES`, 2): lines along x, then along y."""
    across, along = torch.linspace(*EXTENT[:2], LINES), torch.linspace(*EXTENT[:2], 4 * LINES)
    flat = torch.stack(torch.meshgrid(across, along, indexing="ij"), dim=-1)  # (L, P, 2): y, x of lines along x
    lines = torch.cat([flat.flip(-1), flat]).to(model.readout)
    return model.path(lines.reshape(-1, 2))[..., :2].reshape(-1, *lines.shape)


def _window(places: Tensor) -> Extent:
    (left, bottom), (right, top) = places.amin(0).tolist(), places.amax(0).tolist()
    x, y = 0.05 * (right - left), 0.05 * (top - bottom)
    return left - x, right + x, bottom - y, top + y


def _value(model: Classifier, window: Extent) -> np.ndarray:
    moments = len(model.times)
    if model.dim != 2:
        return np.zeros((moments, 0, 0), np.float16)
    places = torch.as_tensor(lattice(window, VALUE, VALUE).reshape(-1, 2)).to(model.readout)
    logits = [model.read(model.path_of(places, first)[-1]) for first in range(moments - 1)]
    values = torch.stack([*logits, model.read(places)]).sigmoid()
    return values.reshape(moments, VALUE, VALUE).cpu().numpy().astype(np.float16)
