"""A run's numbers in memory, and the Snapshot of them that a page draws."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dgm_core.runs.record import Run, State
from dgm_core.runs.series import Series

Preview = tuple[int, dict[str, np.ndarray]]
RECENT = 5.0
"""Seconds of training over which the speed is measured."""


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment: plain numbers and read-only arrays.

    Args:
        run: its line in the store.
        place: how many runs of its lane go before it, counted from 1; 0 once it runs or has ended.
        metrics: columns of equal length, ``step``, ``seconds`` and each metric.
        previews: (step, arrays) of every picture after the step asked for, in order.
        artifacts: names of the results that are ready.
        seconds: of training so far.
        steps_per_second: lately; None before two steps were reported.
        seconds_left: at that speed; None where it cannot be told, 0 once it has ended.
        finishing: trained, and making its artifacts.
    """

    run: Run
    place: int
    metrics: Mapping[str, np.ndarray]
    previews: tuple[Preview, ...]
    artifacts: tuple[str, ...]
    seconds: float
    steps_per_second: float | None
    seconds_left: float | None
    finishing: bool

    @property
    def state(self) -> State:
        """Where the run stands."""
        return self.run.state

    @property
    def reason(self) -> str:
        """Why it stands there, in one sentence, where that is not plain."""
        return self.run.reason

    @property
    def step(self) -> int:
        """Steps done."""
        return self.run.step

    @property
    def total(self) -> int:
        """Steps asked for."""
        return self.run.total

    @property
    def live(self) -> bool:
        """Whether more is to come."""
        return self.run.live

    @property
    def last_preview(self) -> Preview | None:
        """The newest of ``previews``."""
        return self.previews[-1] if self.previews else None


@dataclass(eq=False)
class LiveRun:
    """A run that this server knows by heart; whoever changes it holds the Runner's lock.

    Args:
        run: its line in the store.
        lane: which queue it waits in.
        resume: whether its worker goes on from the checkpoint.
        series, previews, artifacts: what it has reported.
        before: seconds of training in earlier goes.
        watched: when somebody last looked (monotonic).
        ending: the state and reason that it gets when its worker has let go, once it was asked to end.
        deadline: when its worker is killed, if it has not let go by then (monotonic).
        trained: whether its weights are final.
    """

    run: Run
    lane: str
    resume: bool = False
    series: Series = field(default_factory=Series)
    previews: list[Preview] = field(default_factory=list)
    artifacts: tuple[str, ...] = ()
    before: float = 0.0
    watched: float = field(default_factory=time.monotonic)
    ending: tuple[State, str] | None = None
    deadline: float | None = None
    trained: bool = False

    @property
    def seconds(self) -> float:
        """Seconds of training that were reported."""
        return self.series.last_seconds or self.before

    def progress(self, meta: Mapping[str, Any], preview: dict[str, np.ndarray]) -> float:
        """Take in a report; returns its seconds of training, earlier goes included."""
        seconds = self.before + float(meta["seconds"])
        self.series.append(int(meta["step"]), seconds, meta["metrics"])
        if preview:
            self.previews.append((int(meta["step"]), preview))
        self.run = replace(self.run, step=int(meta["step"]), total=int(meta["total"]))
        return seconds

    def speed(self) -> float | None:
        """Steps a second lately, or None."""
        return self.series.speed(RECENT)

    def seconds_left(self) -> float | None:
        """Seconds of training to come, or None where that cannot be told."""
        if not self.run.live:
            return 0.0
        speed = self.speed()
        if self.trained or not speed or self.run.state != "running":
            return None
        return max(0, self.run.total - self.run.step) / speed

    def snapshot(self, place: int, since: int) -> Snapshot:
        """What a page draws."""
        first = len(self.previews)
        while first and self.previews[first - 1][0] > since:
            first -= 1
        return Snapshot(
            run=self.run, place=place, metrics=self.series.columns(), previews=tuple(self.previews[first:]),
            artifacts=self.artifacts, seconds=self.seconds, steps_per_second=self.speed(),
            seconds_left=self.seconds_left(), finishing=self.trained and self.run.live,
        )  # fmt: skip
