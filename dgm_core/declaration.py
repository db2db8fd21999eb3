"""What the declarations of all topics share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from dgm_core.experiment import Experiment


def settle(experiment: Experiment, keep: Collection[str] = ()) -> None:
    """Put fields that matter not at all, by their ``when``, back to their defaults, in place.

    Two declarations with one meaning are then equal, and so are their keys. For a validator, before anyone else has
    seen the value. Fields must be declared after those that their ``when`` looks at: then one pass is enough.

    Args:
        experiment: freshly validated.
        keep: fields to leave alone.
    """
    for parameter in experiment.parameters():
        if parameter.name not in keep and not parameter.matters(experiment.__dict__):
            experiment.__dict__[parameter.name] = parameter.default


def extra(
    *,
    unit: str = "",
    basic: bool = False,
    log: bool = False,
    when: Mapping[str, tuple[Any, ...]] | None = None,
    labels: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A field's ``json_schema_extra``: what a control needs beyond bounds, title and description; see `Parameter`."""
    return {"unit": unit, "basic": basic, "log": log, "when": dict(when or {}), "labels": dict(labels or {})}
