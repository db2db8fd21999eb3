"""A Run: an Experiment that was started, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from dgm_core import registry

if TYPE_CHECKING:
    from dgm_core.experiment import Experiment

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
STATES: tuple[State, ...] = get_args(State)
LIVE: tuple[State, ...] = ("queued", "running")


@dataclass(frozen=True)
class Run:
    """One line of the run store. Times are Unix seconds.

    Args:
        id: its name; also its folder's.
        key: the Experiment's key; runs of equal Experiments share it.
        topic: the Experiment's topic.
        canonical: the Experiment's declaration as canonical JSON.
        state: where it stands.
        reason: one plain sentence about why it stands there; empty where that is plain.
        created, started, finished: when; None while it has not happened.
        step, total: how far it is.
        device: where it computes, as it was asked for (``"auto"``) until it runs.
        touched: changed by hand on its way, or a continuation: it no longer answers for its Experiment's key.
        parent: the run that it continues, or None.
        keep: somebody asked to keep it: it outlives its watchers and is never pruned.
        checkpoint: the step of its last checkpoint, or None.
        size: bytes on the disk when it last changed its state.
        events: what was done by hand, e.g. ``{"step": 90, "learning_rate": 1e-4}``.
    """

    id: str
    key: str
    topic: str
    canonical: str
    created: float
    state: State = "queued"
    reason: str = ""
    started: float | None = None
    finished: float | None = None
    step: int = 0
    total: int = 0
    device: str = "auto"
    touched: bool = False
    parent: str | None = None
    keep: bool = False
    checkpoint: int | None = None
    size: int = 0
    events: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def experiment(self) -> Experiment:
        """The Experiment, made from its declaration.

        Raises:
            ValueError: when this version of the program does not know it.
        """
        return registry.from_canonical(self.canonical)

    @property
    def live(self) -> bool:
        """Whether it is queued or running."""
        return self.state in LIVE

    @property
    def resumable(self) -> bool:
        """Whether it ended early and can go on."""
        return self.state in ("failed", "cancelled", "interrupted")

    def to_json(self) -> str:
        """All fields, for the small ``run.json`` in the run's folder."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Run:
        """Read what `to_json` wrote.

        Raises:
            ValueError: when it is no run.
        """
        try:
            values = json.loads(text)
            run = cls(**{**values, "events": tuple(values["events"])})
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"this is no run: {error}") from error
        if run.state not in STATES:
            raise ValueError(f"this is no run: its state is {run.state!r}")
        return run
