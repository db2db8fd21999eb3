"""Where a view finds the model that it looks at: shipped with the program, or a run's folder."""

from __future__ import annotations

import json
import re

from safetensors import SafetensorError, safe_open

from dgm_core.cnf.experiment import DensityFlow
from dgm_core.cnf.preview import Flow
from dgm_core.errors import DataError
from dgm_core.home import home

PATTERN = r"^(zoo|run):[A-Za-z0-9_-]{1,80}$"
"""``zoo:NAME`` or ``run:ID``."""


def load(source: str) -> tuple[DensityFlow, Flow]:
    """The declaration and the trained flow, on the CPU in evaluation mode.

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


def _shipped(name: str) -> tuple[DensityFlow, Flow]:
    from dgm_core.cnf.exhibit import shipped  # the zoo is made with this module

    return shipped(name)


def _from_run(name: str) -> tuple[DensityFlow, Flow]:
    # The weights carry their declaration, and are replaced as a whole: the two always belong together.
    with safe_open(home() / "runs" / name / "weights.safetensors", framework="pt") as file:
        head = json.loads(file.metadata()["experiment"])
        weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    experiment = DensityFlow(**head["fields"])
    model = experiment.build()
    model.load_state_dict(weights)
    return experiment, model.eval()
