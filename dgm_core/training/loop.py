"""The training loop of all topics: it loops, reports, and knows neither the model nor the objective."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from dgm_core.experiment import Progress, Training, TrainingFailedError
from dgm_core.training.averaged_adam import AveragedAdam, cosine
from dgm_core.training.checkpoints import flatten, restore

REPORT_SECONDS = 0.1
CHECKPOINT_SECONDS = 1.0
EXPLODED = 1e6
"""A loss beyond this is no training any more; sensible ones are below a few thousand."""

Picture = tuple[dict[str, float], dict[str, np.ndarray]]


class Objective(Protocol):
    """A step's loss, its gradient left in the flat vector that the objective was given."""

    def __call__(self, step: int = 0) -> Tensor:
        """The loss of one fresh batch, shape ().

        Args:
            step: steps done before this one, for what changes on the way, such as a temperature.
        """
        ...

    def figures(self) -> dict[str, float]:
        """What else there is to report about the last step, by name."""
        ...


class Snapshot(Protocol):
    """A copy of the model that is looked at while the model itself trains on."""

    def look(self, weights: Tensor, step: int, *, last: bool) -> Picture:
        """Figures and small arrays for flat ``weights``, (P,), after ``step`` steps; the ``last`` are kept."""
        ...


@dataclass(frozen=True)
class Plan:
    """How long, how fast, and when to look.

    Args:
        steps: in all.
        learning_rate: at the start; half a cosine takes it to 0.
        warmup: steps over which it rises first.
        pictures: steps after which a picture is taken.
    """

    steps: int
    learning_rate: float
    warmup: int
    pictures: frozenset[int]


def schedule(total: int, frames: int, bend: float = 1.5) -> list[int]:
    """Steps at which a picture is taken: the first, the last, and between them more at the start, total (k/K)^bend.

    Example:
        >>> schedule(100, 4)
        [1, 12, 35, 65, 100]
    """
    return sorted({max(1, round(total * (k / frames) ** bend)) for k in range(frames + 1)})


class Loop:
    """Steps of an objective, with reports that wait for their pictures in order.

    Pictures and held-out figures are computed from a copy of the averaged weights on a second thread, so the training
    does not stand still for them.

    Args:
        objective: writes the gradient that ``optimiser`` reads.
        optimiser: steps the model's weights.
        snapshot: evaluates the averaged weights.
        generator: the only source of randomness of the objective.
        plan: see `Plan`.
    """

    def __init__(
        self, objective: Objective, optimiser: AveragedAdam, snapshot: Snapshot, generator: torch.Generator, plan: Plan
    ) -> None:
        self.objective, self.optimiser, self.snapshot = objective, optimiser, snapshot
        self.generator, self.plan, self.learning_rate = generator, plan, plan.learning_rate
        self.step = 0
        self.good = optimiser.average.clone()
        self.good_step = 0

    def resume(self, checkpoint: Mapping[str, Tensor]) -> None:
        """Go on where the training that reported ``checkpoint`` was.

        Raises:
            TrainingFailedError: when it belongs to another model.
        """
        try:
            rest = restore(checkpoint, optimiser=self.optimiser, noise=self.generator)
        except ValueError as error:
            raise TrainingFailedError(f"This checkpoint does not fit the model: {error}") from error
        self.step, self.learning_rate = rest["step"], rest["learning_rate"]
        self.good.copy_(self.optimiser.average)
        self.good_step = self.step

    def run(self) -> Training:
        """Train to the end; the averaged weights are in the model however this ends.

        Raises:
            TrainingFailedError: when the loss is no number any more or explodes.
        """
        waiting: deque[tuple[dict[str, Any], Future[Picture] | None]] = deque()
        pool = ThreadPoolExecutor(1, thread_name_prefix="preview")
        try:
            for report, pictured in self._reports():
                future = self._picture(pool) if pictured else None
                waiting.append((report, future))
                while waiting and (self._last or len(waiting) > 3 or _ready(waiting[0][1])):
                    control = yield _progress(*waiting.popleft())
                    if control is not None and control.learning_rate is not None:
                        self.learning_rate = control.learning_rate
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            with torch.no_grad():
                self.optimiser.weights.copy_(self.good)

    @property
    def _last(self) -> bool:
        return self.step >= self.plan.steps

    def _reports(self) -> Iterator[tuple[dict[str, Any], bool]]:
        """Train, and stop for a report every tenth of a second and wherever a picture is due."""
        reported, checkpointed = time.perf_counter(), -math.inf  # the first report is one to resume from
        since = self.step
        while not self._last:
            rate = self.learning_rate * cosine(self.step, self.plan.steps, self.plan.warmup)
            loss = self.objective(self.step)
            self.optimiser.step(rate)
            self.step += 1
            now = time.perf_counter()
            pictured = self.step in self.plan.pictures or self._last
            if not pictured and now - reported < REPORT_SECONDS:
                continue
            self._accept(float(loss))
            keep = now - checkpointed >= CHECKPOINT_SECONDS or self._last
            metrics = {
                "loss": float(loss), "learning_rate": rate, **self.objective.figures(),
                "seconds_per_step": (now - reported) / (self.step - since),
            }  # fmt: skip
            yield {
                "step": self.step, "total": self.plan.steps, "metrics": metrics,
                "checkpoint": self._checkpoint() if keep else None,
            }, pictured  # fmt: skip
            # What the reader does between two reports is not training time.
            reported, since = time.perf_counter(), self.step
            checkpointed = reported if keep else checkpointed

    def _accept(self, loss: float) -> None:
        """Keep the averaged weights as the last good ones, or end the training with a sentence."""
        sound = math.isfinite(loss) and bool(torch.isfinite(self.optimiser.average).all())
        if sound and abs(loss) < EXPLODED:
            self.good.copy_(self.optimiser.average)
            self.good_step = self.step
            return
        found = f"exploded to {loss:.1e}" if sound else "stopped being a number (NaN)"
        raise TrainingFailedError(
            f"The loss {found} by step {self.step:,}; a smaller learning rate may help. "
            f"The weights of step {self.good_step:,} are kept."
        )

    def _checkpoint(self) -> dict[str, Tensor]:
        return flatten(optimiser=self.optimiser, noise=self.generator, step=self.step, learning_rate=self.learning_rate)

    def _picture(self, pool: ThreadPoolExecutor) -> Future[Picture]:
        return pool.submit(self.snapshot.look, self.good.clone(), self.step, last=self._last)


def _ready(future: Future[Picture] | None) -> bool:
    return future is None or future.done()


def _progress(report: dict[str, Any], future: Future[Picture] | None) -> Progress:
    figures, picture = future.result() if future is not None else ({}, {})
    return Progress(**{**report, "metrics": {**report["metrics"], **figures}}, preview=picture)
