"""Small decisions about runs: how one ended, where it goes on, what a longer one is."""

from __future__ import annotations

from pydantic import ValidationError

from dgm_core.device import available
from dgm_core.experiment import Experiment, problem
from dgm_core.runs.live import LiveRun
from dgm_core.runs.record import State


def asked(device: str) -> str:
    """The device to ask for: a run that is taken up again may find other devices than it had."""
    return device if device == "auto" or device.split(":")[0] in available() else "auto"


def longer(experiment: Experiment, more_steps: int) -> Experiment:
    """The same Experiment with more steps.

    Raises:
        ValueError: when it has no steps, or cannot have so many.
    """
    values = experiment.model_dump()
    if "steps" not in values:
        raise ValueError("This kind of run has no steps to add to.")
    if more_steps < 1:
        raise ValueError("The number of steps to add is at least 1.")
    try:
        return type(experiment)(**{**values, "steps": values["steps"] + more_steps})
    except ValidationError as error:
        raise ValueError(f"It cannot go on for {more_steps} more steps: {problem(error)}.") from error


def verdict(live: LiveRun, state: State, reason: str) -> tuple[State, str]:
    """How a run ended that its worker has told the end of."""
    if state == "cancelled" and live.ending is not None:
        return live.ending
    return state, reason


def death(live: LiveRun, status: int) -> tuple[State, str]:
    """How a run ended whose worker is gone."""
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    if live.trained:
        return "done", f"It is trained, but the process that made its results ended ({how})."
    if live.ending is not None:
        return live.ending
    kept = "its last checkpoint is kept" if live.run.checkpoint is not None else "it had no checkpoint yet"
    return "failed", f"The process that trained this run died ({how}); {kept}."
