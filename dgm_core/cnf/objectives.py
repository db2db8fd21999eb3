"""One training step of each objective: draw a batch, write the gradient into one flat vector, return the loss."""

from __future__ import annotations

import torch
from torch import Tensor

from dgm_core.cnf.fields import MLPField
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.flow_matching import MatchingGradient, matching_loss, straight_path, stratified_times
from dgm_core.cnf.likelihood import clip_norm_, negative_log_likelihood
from dgm_core.cnf.planar import PlanarFlow
from dgm_core.cnf.traces import TraceName
from dgm_core.nn.solvers import Solver
from dgm_core.training.averaged_adam import named_views


class Batches:
    """Endless batches, with replacement, from a pool of the target's points.

    Args:
        pool: (P, 2), on the device of the training.
        size: N.
        generator: on that device; its state is all that a resumed training needs.
    """

    def __init__(self, pool: Tensor, size: int, generator: torch.Generator) -> None:
        self.pool, self.size, self.generator = pool, size, generator
        self.index = torch.empty(size, dtype=torch.long, device=pool.device)

    def draw(self) -> Tensor:
        """(N, 2)."""
        return self.pool[self.index.random_(len(self.pool), generator=self.generator)]


class FlowMatching:
    """Conditional flow matching; by hand for an `MLPField`, by autograd for any other field.

    Args:
        flow: whose field is trained; its parameters are views of one vector.
        batches: of the data.
        gradient: (P,), where the gradient is written.
        by_hand: False takes autograd for every field, for comparison.
    """

    nfe = 1

    def __init__(self, flow: ContinuousFlow, batches: Batches, gradient: Tensor, *, by_hand: bool = True) -> None:
        self.field, self.batches = flow.field, batches
        views = named_views(gradient, flow.field)
        self.by_hand: MatchingGradient | None = None
        if by_hand and isinstance(flow.field, MLPField):
            self.by_hand = MatchingGradient(flow.field, batches.size, views)
        else:
            _accumulate_into(flow.field, views)
        self.gradient = gradient

    def figures(self) -> dict[str, float]:
        """``nfe``: evaluations of the field in the last step."""
        return {"nfe": float(self.nfe)}

    def __call__(self, step: int = 0) -> Tensor:
        data, generator = self.batches.draw(), self.batches.generator
        t = stratified_times(len(data), generator, data.device)
        base = torch.randn(data.shape, generator=generator, device=data.device)
        z, velocity = straight_path(base, data, t)
        if self.by_hand is not None:
            return self.by_hand(t, z, velocity)
        self.gradient.zero_()
        loss = matching_loss(self.field, t, z, velocity)
        loss.backward()
        return loss.detach()


class MaximumLikelihood:
    """−(1/N) Σ log p(x_n) by autograd, the gradient's norm clipped.

    Args:
        flow: continuous or planar; its parameters are views of one vector.
        batches: of the data.
        gradient: (P,), where the gradient is written.
        solver, trace, adjoint: of a continuous flow, see `negative_log_likelihood`.
        limit: of the gradient's norm; one bad probe or a steep moment then costs one step, not the run.
    """

    def __init__(
        self, flow: ContinuousFlow | PlanarFlow, batches: Batches, gradient: Tensor, *,
        solver: Solver | None = None, trace: TraceName = "exact", adjoint: bool = False, limit: float = 10.0,
    ) -> None:  # fmt: skip
        self.flow, self.batches, self.gradient, self.limit = flow, batches, gradient, limit
        self.solver, self.trace, self.adjoint = solver, trace, adjoint
        _accumulate_into(flow, named_views(gradient, flow))
        self.nfe = 0

    def figures(self) -> dict[str, float]:
        """``nfe``: evaluations of the field in the last step."""
        return {"nfe": float(self.nfe)}

    def __call__(self, step: int = 0) -> Tensor:
        self.gradient.zero_()
        loss = negative_log_likelihood(
            self.flow, self.batches.draw(), solver=self.solver, trace=self.trace, adjoint=self.adjoint,
            generator=self.batches.generator,
        )  # fmt: skip
        loss.backward()
        clip_norm_(self.gradient, self.limit)
        # Read after the backward pass: the adjoint's evaluations count as well.
        self.nfe = self.flow.nfe
        return loss.detach()


def _accumulate_into(module: torch.nn.Module, views: dict[str, Tensor]) -> None:
    for name, parameter in module.named_parameters():
        parameter.grad = views[name]
