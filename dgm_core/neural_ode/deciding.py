"""How a classifier of points is trained and looked at."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from dgm_core.film import lattice
from dgm_core.neural_ode.classifiers import Classifier, ODEClassifier
from dgm_core.neural_ode.labelled import EXTENT, Labelled
from dgm_core.nn.solvers import Counted, Solver, SolverError, solve
from dgm_core.training.averaged_adam import flatten_parameters, named_views
from dgm_core.training.loop import Picture

SIZE = 48
"""Cells of a running picture along each axis."""
PATHS = 160
"""Points whose paths a running picture shows."""
MOMENTS = 9
"""States on a path in a running picture, at most."""
PROBED = 256
"""Held-out points that dopri5 carries, to count its evaluations."""
ADAPTIVE = Solver(method="dopri5", tolerance=1e-4)


class Deciding:
    """A training step's loss: −log P(class), the mean over a batch drawn from the training points.

    Args:
        model: on the training's device.
        data: the training points.
        batch: how many of them in a step, with replacement.
        gradient: (P,), where the gradient is written.
        generator: draws the batches.
        limit: of the gradient's norm.
    """

    def __init__(
        self, model: Classifier, data: Labelled, batch: int, gradient: Tensor, generator: torch.Generator,
        limit: float = 10.0,
    ) -> None:  # fmt: skip
        self.model, self.data, self.batch = model, data, batch
        self.gradient, self.generator, self.limit = gradient, generator, limit
        views = named_views(gradient, model)
        for name, parameter in model.named_parameters():
            parameter.grad = views[name]

    def __call__(self, step: int = 0) -> Tensor:
        index = torch.randint(
            len(self.data.x), (self.batch,), generator=self.generator, device=self.data.x.device
        )  # fmt: skip
        self.gradient.zero_()
        loss = decision_loss(self.model(self.data.x[index]), self.data.y[index])
        loss.backward()
        self.gradient.mul_((self.limit / (self.gradient.norm() + 1e-12)).clamp(max=1.0))
        return loss.detach()

    def figures(self) -> dict[str, float]:
        """Nothing beside the loss."""
        return {}


def decision_loss(logit: Tensor, y: Tensor) -> Tensor:
    """−(1/N) Σ log P(y_n), in nats: (N,) and (N,) → ()."""
    return nn.functional.binary_cross_entropy_with_logits(logit, y)


@torch.no_grad()
def held_out_figures(model: Classifier, data: Labelled) -> dict[str, float]:
    """``accuracy`` and ``held_out_loss`` (nats); of an ODE also ``nfe`` and ``solver_gap``.

    ``nfe`` is what dopri5 needs for `PROBED` points with tolerance 1e-4, −1 where it gives up; ``solver_gap`` the mean
    distance between its probabilities and those of the solver that was trained with.
    """
    logit = model(data.x)
    figures = {
        "accuracy": float(((logit > 0) == (data.y > 0.5)).double().mean()),
        "held_out_loss": float(decision_loss(logit, data.y)),
    }
    if isinstance(model, ODEClassifier):
        careful, nfe = adaptive(model, data.x[:PROBED])
        gap = (careful.sigmoid() - logit[:PROBED].sigmoid()).abs().mean() if nfe > 0 else float("nan")
        figures["nfe"] = float(nfe)
        figures |= {"solver_gap": float(gap)} if nfe > 0 else {}
    return figures


@torch.no_grad()
def adaptive(model: ODEClassifier, x: Tensor, solver: Solver = ADAPTIVE) -> tuple[Tensor, int]:
    """The logits by an adaptive solver and its evaluations of the field, −1 where it gives up: (N, 2) → (N,)."""
    counted = Counted(lambda t, state: (model.field(t, state[0]),))
    z = model.lift(x)
    try:
        end = solve(counted, (z,), [0.0, 1.0], solver)[0][-1]
    except SolverError:
        return model.read(z), -1
    return model.read(end), counted.nfe


@torch.no_grad()
def surface(model: Classifier, size: int) -> np.ndarray:
    """P(class 1) at the centres of a lattice of cells over `EXTENT`: (size, size) float32, row 0 at ymin."""
    like = model.readout
    places = torch.as_tensor(lattice(EXTENT, size, size).reshape(-1, 2), dtype=like.dtype, device=like.device)
    return model(places).sigmoid().float().cpu().numpy().reshape(size, size)


def thinned(count: int, most: int = MOMENTS) -> np.ndarray:
    """At most ``most`` of ``count`` indices, the first and the last among them.

    Example:
        >>> thinned(21, 5).tolist(), thinned(3).tolist()
        ([0, 5, 10, 15, 20], [0, 1, 2])
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


class DecisionSnapshot:
    """A copy of the model that is looked at while the model itself trains on.

    Previews, float16: ``surface`` (48, 48), see `surface`; ``states`` (T, N, D), the paths of the first held-out
    points at the moments `thinned` keeps; ``line`` (D + 1,), the readout's w and b.
    """

    def __init__(self, model: Classifier, held_out: Labelled) -> None:
        self.model, self.held_out = copy.deepcopy(model).eval(), held_out
        self.flat = flatten_parameters(self.model)

    @torch.no_grad()
    def look(self, weights: Tensor, step: int, *, last: bool) -> Picture:
        """See `dgm_core.training.loop.Snapshot`."""
        self.flat.copy_(weights)
        model = self.model
        states = model.path(self.held_out.x[:PATHS])[thinned(model.steps + 1)]
        line = torch.cat([model.readout, model.threshold.unsqueeze(0)])
        picture = {"surface": surface(model, SIZE), "states": states.cpu().numpy(), "line": line.cpu().numpy()}
        return held_out_figures(model, self.held_out), {k: v.astype(np.float16) for k, v in picture.items()}
