"""What the topic's declarations share."""

from __future__ import annotations

from collections.abc import Collection

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
