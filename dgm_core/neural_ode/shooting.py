"""A field fitted to a series by multiple shooting: many short solutions that must join to one.

One long solution through all observations has a loss full of bad valleys. Cut into K segments, each with its own
initial state, which is learned too, it is K short solutions, solved at once as one batch; what keeps them one solution
is a penalty on the gaps between a segment's end and the next one's start (Bock & Plitt 1984).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from dgm_core.data.series import Series
from dgm_core.neural_ode.networks import FieldNetwork, FixedMethod, hermite, unroll
from dgm_core.neural_ode.series import UNITS, Scale
from dgm_core.training.averaged_adam import named_views

FINE, QUICK = 16, 4
"""Steps a unit of solutions that are kept, and of those that are looked at on the way."""


class FittedODE(nn.Module):
    """A field and the initial states of the segments, in units of the fit (`Scale`).

    Args:
        variables: D that are observed.
        hidden: dimensions beside them that are not.
        segments: K, of equal length.
        scale: of the series; kept with the weights.
        width, depth: of the field.
        generator: draws the first weights.
    """

    shift: Tensor
    size: Tensor
    clock: Tensor

    def __init__(
        self, variables: int, hidden: int, segments: int, scale: Scale, *, width: int, depth: int,
        generator: torch.Generator,
    ) -> None:  # fmt: skip
        super().__init__()
        self.variables, self.segments = variables, segments
        self.field = FieldNetwork(variables + hidden, width, depth, generator=generator)
        self.starts = nn.Parameter(torch.zeros(segments, variables + hidden))
        self.register_buffer("shift", torch.tensor(scale.shift, dtype=torch.float64))
        self.register_buffer("size", torch.tensor(scale.size, dtype=torch.float64))
        self.register_buffer("clock", torch.tensor([scale.start, scale.unit], dtype=torch.float64))

    @property
    def scale(self) -> Scale:
        """The units of the fit."""
        start, unit = self.clock.tolist()
        return Scale(self.shift.cpu().numpy(), self.size.cpu().numpy(), start, unit)

    @torch.no_grad()
    def states(self, times: np.ndarray, steps: int = FINE) -> np.ndarray:
        """One solution, from the first segment's initial state, in units of the fit.

        Args:
            times: (T,) in the series' units, in any order, from its first moment on.
            steps: RK4 steps a unit; between them a cubic.

        Returns:
            (T, D + hidden) float64.
        """
        if not len(times):
            return np.zeros((0, self.field.dim))
        s = torch.as_tensor(self.scale.moments(np.asarray(times)), dtype=self.starts.dtype, device=self.starts.device)
        cells = max(1, int(torch.ceil(s.max() * steps - 1e-6))) + 1
        grid, slopes = unroll(self.field, self.starts[:1].detach(), (0.0, cells / steps), cells)
        z, f = torch.cat(grid), torch.cat([*slopes, self.field(0.0, grid[-1])])
        cell = (s * steps).long().clamp(0, cells - 1)
        share = (s * steps - cell).unsqueeze(1)
        return hermite(z[cell], z[cell + 1], f[cell], f[cell + 1], 1 / steps, share).double().cpu().numpy()

    def predict(self, times: np.ndarray, steps: int = FINE) -> np.ndarray:
        """The same solution's observed variables in the series' own units, (T, D) float64."""
        return self.scale.back(self.states(times, steps)[:, : self.variables])

    @torch.no_grad()
    def velocity(self, x: np.ndarray) -> np.ndarray:
        """dx/dt in the series' own units; of a field with hidden dimensions, where those are 0.

        Args:
            x: (N, D).

        Returns:
            (N, D) float64.
        """
        scale = self.scale
        z = np.zeros((len(x), self.field.dim))
        z[:, : self.variables] = scale.values(np.asarray(x, np.float64))
        f = self.field(0.0, torch.as_tensor(z, dtype=self.starts.dtype, device=self.starts.device))
        return f[:, : self.variables].double().cpu().numpy() * scale.size / scale.unit


class Shooting:
    """The masked misfit of K short solutions, and the penalty on the gaps between them.

    (1/M) Σ_observed (ẑ − z)² + w (1/((K − 1) D)) Σ_k |z_k(end) − z_{k+1}(0)|², where M counts the observed values.

    Args:
        model: on the training's device.
        seen: the observations.
        method: of the solver.
        steps: its steps a unit.
    """

    def __init__(self, model: FittedODE, seen: Series, method: FixedMethod = "rk4", steps: int = 4) -> None:
        self.model, self.method, self.length = model, method, UNITS / model.segments
        self.steps = steps = math.ceil(steps * self.length)
        like, scale = model.starts, model.scale
        moments = scale.moments(seen.times) / self.length
        segment = np.minimum(moments.astype(int), model.segments - 1)
        cell = np.minimum(((moments - segment) * steps).astype(int), steps - 1)
        share = (moments - segment) * steps - cell
        self.index = torch.as_tensor(cell * model.segments + segment, device=like.device)
        self.share = torch.as_tensor(share, dtype=like.dtype, device=like.device).unsqueeze(1)
        self.mask = torch.as_tensor(seen.observed, device=like.device)
        self.values = torch.as_tensor(np.nan_to_num(scale.values(seen.values)), dtype=like.dtype, device=like.device)
        self.count = int(seen.observed.sum())

    def parts(self) -> tuple[Tensor, Tensor]:
        """The masked mean square misfit and the mean square gap, both ()."""
        states, slopes = unroll(self.model.field, self.model.starts, (0.0, self.length), self.steps, self.method)
        slopes.append(self.model.field(0.0, states[-1]))
        misfit = (self._at_observations(states, slopes) - self.values) * self.mask
        gap = states[-1][:-1] - self.model.starts[1:]
        return misfit.square().sum() / self.count, gap.square().mean() if len(gap) else gap.sum()

    def _at_observations(self, states: list[Tensor], slopes: list[Tensor]) -> Tensor:
        """The observed variables of the short solutions at the observations' moments, (N, D)."""
        seen = slice(0, self.model.variables)
        z, f = torch.cat(states)[:, seen], torch.cat(slopes)[:, seen]
        here, there = self.index, self.index + self.model.segments
        return hermite(z[here], z[there], f[here], f[there], self.length / self.steps, self.share)


class FitObjective:
    """A training step's loss: `Shooting` with a weight that grows, so that in the end the gaps are closed.

    Args:
        shooting: what is fitted.
        gradient: (P,), where the gradient is written.
        total: steps of the training.
        decay: c of a penalty c |W|² on the field's weight matrices, which keeps it calm where nothing was seen.
        weights: of the gaps, at the start and at the end; in between geometric.
        limit: of the gradient's norm.
    """

    def __init__(
        self, shooting: Shooting, gradient: Tensor, total: int, decay: float = 0.0,
        weights: tuple[float, float] = (0.1, 100.0), limit: float = 10.0,
    ) -> None:  # fmt: skip
        self.shooting, self.gradient, self.total = shooting, gradient, total
        self.decay, self.weights, self.limit = decay, weights, limit
        views = named_views(gradient, shooting.model)
        for name, parameter in shooting.model.named_parameters():
            parameter.grad = views[name]
        self.last: Mapping[str, Tensor] = {}

    def __call__(self, step: int = 0) -> Tensor:
        self.gradient.zero_()
        misfit, gap = self.shooting.parts()
        low, high = self.weights
        loss = misfit + low * (high / low) ** min(1.0, step / self.total) * gap
        loss.backward()
        if self.decay:
            for weight in self.shooting.model.field.weights:
                weight.grad.add_(weight.detach(), alpha=2 * self.decay)
        self.gradient.mul_((self.limit / (self.gradient.norm() + 1e-12)).clamp(max=1.0))
        self.last = {"misfit": misfit.detach(), "gap": gap.detach()}
        return loss.detach()

    def figures(self) -> dict[str, float]:
        """``misfit`` and ``gap``: the loss's two parts, as root mean squares."""
        return {name: float(value) ** 0.5 for name, value in self.last.items()}
