"""Where a view finds the model that it looks at: shipped with the program, or a run's folder."""

from __future__ import annotations

import re

from safetensors import SafetensorError, safe_open
from torch import nn

from dgm_core import registry
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment
from dgm_core.home import home

PATTERN = r"^(zoo|run):[A-Za-z0-9_-]{1,80}$"
"""``zoo:NAME`` or ``run:ID``."""


def load(source: str) -> tuple[Experiment, nn.Module]:
    """The declaration and the trained model, on the CPU in evaluation mode.

    Raises:
        DataError: when there is no such model, or its files are damaged, with one plain sentence.
    """
    if not re.match(PATTERN, source):
        raise DataError(f"“{source[:40]}” names no model; write zoo:NAME or run:ID.")
    kind, _, name = source.partition(":")
    try:
        return _shipped(name) if kind == "zoo" else _from_run(name)
    except (OSError, KeyError, ValueError, SafetensorError, RuntimeError) as error:
        raise DataError(f"The model {source} cannot be read: {str(error).splitlines()[0][:160]}.") from error


def _shipped(name: str) -> tuple[Experiment, nn.Module]:
    from dgm_core import zoo  # the zoo imports every topic

    return zoo.experiment(name), zoo.load(name)


def _from_run(name: str) -> tuple[Experiment, nn.Module]:
    # The weights carry their declaration, and are replaced as a whole: the two always belong together.
    with safe_open(home() / "runs" / name / "weights.safetensors", framework="pt") as file:
        experiment = registry.from_canonical(file.metadata()["experiment"])
        weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    model = experiment.build()
    model.load_state_dict(weights)
    return experiment, model.eval()
