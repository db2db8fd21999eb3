"""What a fitted field shows: its one long solution, its arrows, its errors on what is held back."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from dgm_core.film import Extent, lattice
from dgm_core.neural_ode.baseline import LinearFit, linear_fit
from dgm_core.neural_ode.series import UNITS, FitData, root_mean_square
from dgm_core.neural_ode.shooting import FINE, QUICK, FittedODE
from dgm_core.nn.solvers import Counted, Solver, SolverError, solve
from dgm_core.pack import pack, unpack
from dgm_core.training.averaged_adam import flatten_parameters
from dgm_core.training.loop import Picture

MOMENTS = 400
"""Of a curve, from the first moment seen to the last one asked for."""
ARROWS = 20
ADAPTIVE = Solver(method="dopri5", tolerance=1e-5)
"""Counts how many evaluations the learned field asks for."""


def moments_of(data: FitData) -> np.ndarray:
    """Equal moments from the first that was seen to the last that was held back, (`MOMENTS`,)."""
    last = data.beyond.times[-1] if len(data.beyond.times) else data.seen.times[-1]
    return np.linspace(data.seen.times[0], last, MOMENTS)


def window(data: FitData) -> Extent:
    """Of the first two variables, with a margin of a tenth: (xmin, xmax, ymin, ymax)."""
    values = np.concatenate([data.seen.values, data.inside.values, data.beyond.values])[:, :2]
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    (left, bottom), (right, top) = (low - 0.1 * (high - low)).tolist(), (high + 0.1 * (high - low)).tolist()
    return left, right, bottom, top


@dataclass(frozen=True)
class Fit:
    """A fitted field, to be drawn.

    Args:
        times: (P,), equal moments from the first seen to the last asked for.
        curve: (P, D), the fitted solution.
        linear: (P, D), the solution of the linear field fitted to the same.
        arrows: (G, G, D), the field at the centres of a lattice of cells over ``extent``, row 0 at ymin; of two
            observed variables, else (0, 0, D).
        extent: see `window`; of one variable alone (0, 1, 0, 1).
        seen, inside, beyond: (N, 1 + D) tables of what was seen and what is held back.
        last_seen: the moment after which all is extrapolation.
        errors: ``inside``, ``beyond``, ``linear_inside``, ``linear_beyond``, where there is something to compare with.
    """

    times: np.ndarray
    curve: np.ndarray
    linear: np.ndarray
    arrows: np.ndarray
    extent: Extent
    seen: np.ndarray
    inside: np.ndarray
    beyond: np.ndarray
    last_seen: float
    errors: dict[str, float]

    def to_bytes(self) -> bytes:
        """Compressed, without loss (`dgm_core.pack`)."""
        meta = {"extent": list(self.extent), "last_seen": self.last_seen, "errors": self.errors}
        names = ("times", "curve", "linear", "arrows", "seen", "inside", "beyond")
        return pack(meta, {name: getattr(self, name) for name in names}, compress=True)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these bytes are no fit.
        """
        meta, arrays = unpack(packed)
        try:
            return cls(**{**meta, "extent": tuple(meta["extent"]), **arrays})
        except (KeyError, TypeError) as error:
            raise ValueError(f"these bytes are no fit: {error}") from error


def fit_of(model: FittedODE, data: FitData) -> Fit:
    """The fit, drawn and measured."""
    linear, times = linear_of(model, data), moments_of(data)
    plane = model.variables == 2
    return Fit(
        times, model.predict(times), linear.predict(times), arrows_of(model, data),
        window(data) if plane else (0.0, 1.0, 0.0, 1.0),
        data.seen.table(), data.inside.table(), data.beyond.table(), float(data.seen.times[-1]),
        {**errors(model, data), **errors(linear, data, "linear_")},
    )  # fmt: skip


def arrows_of(model: FittedODE, data: FitData) -> np.ndarray:
    """The field over the window, (G, G, 2); none, (0, 0, D), unless two variables are observed."""
    if model.variables != 2:
        return np.zeros((0, 0, model.variables), np.float32)
    places = lattice(window(data), ARROWS, ARROWS)
    return model.velocity(places.reshape(-1, 2)).reshape(places.shape).astype(np.float32)


def linear_of(model: FittedODE, data: FitData) -> LinearFit:
    """The linear field with as many dimensions."""
    return linear_fit(data, model.field.dim - model.variables)


def errors(model: FittedODE | LinearFit, data: FitData, prefix: str = "") -> dict[str, float]:
    """Root mean square errors on what is held back, in standard deviations of the observations; none where none is.

    Returns:
        ``inside`` and ``beyond``, with ``prefix`` before them.
    """
    return _errors(model.predict(_held_back(data)), data, model.scale.size, prefix)


def _held_back(data: FitData) -> np.ndarray:
    return np.concatenate([data.inside.times, data.beyond.times])


def _errors(predicted: np.ndarray, data: FitData, size: np.ndarray, prefix: str = "") -> dict[str, float]:
    count, found = len(data.inside.times), dict[str, float]()
    parts = {"inside": (predicted[:count], data.inside), "beyond": (predicted[count:], data.beyond)}
    for name, (values, series) in parts.items():
        if series.observed.any():
            found[prefix + name] = root_mean_square(values, series.values, size)
    return found


def evaluations(model: FittedODE) -> int:
    """How often dopri5 evaluates the field over the time that was seen, with tolerance 1e-5; −1 where it gives up."""
    counted = Counted(lambda t, state: (model.field(t, state[0]),))
    try:
        with torch.no_grad():
            solve(counted, (model.starts[:1].detach(),), [0.0, float(UNITS)], ADAPTIVE)
    except SolverError:
        return -1
    return counted.nfe


class FitSnapshot:
    """A copy of the model that is looked at while the model itself trains on.

    Previews: ``curve`` (P, D), the solution at `moments_of` the data; ``starts`` (K, D), where the segments start, both
    in the series' units; ``arrows`` (G, G, 2) of two variables. All float32.
    """

    def __init__(self, model: FittedODE, data: FitData) -> None:
        self.model, self.data, self.moments = copy.deepcopy(model).eval(), data, moments_of(data)
        self.flat = flatten_parameters(self.model)

    def look(self, weights: Tensor, step: int, *, last: bool) -> Picture:
        """See `dgm_core.training.loop.Snapshot`; the last figures include the linear field's."""
        with torch.no_grad():
            self.flat.copy_(weights)
        model, data = self.model, self.data
        times = np.concatenate([self.moments, _held_back(data)])
        curves = model.predict(times, FINE if last else QUICK)
        curve, held_back = curves[: len(self.moments)], curves[len(self.moments) :]
        figures = {**_errors(held_back, data, model.scale.size), "nfe": float(evaluations(model))}
        if last:
            figures |= errors(linear_of(model, data), data, "linear_")
        starts = model.starts.detach().double().cpu().numpy()[:, : model.variables]
        picture = {"curve": curve, "starts": model.scale.back(starts)}
        if model.variables == 2:
            picture["arrows"] = arrows_of(model, data)
        return figures, {name: array.astype(np.float32) for name, array in picture.items()}
