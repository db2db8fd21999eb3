"""What is shipped of a discrete VAE: the reel of its training, and the held-out figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from dgm_core.checks import Check
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment, Progress
from dgm_core.gumbel.experiment import DiscreteVAE
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.gumbel.vae_training import VAESnapshot
from dgm_core.gumbel.vae_views import training_reel
from dgm_core.reel import Reel
from dgm_core.zoo.exhibit import Exhibit, Read

FREE = ("digits",)
"""Data sets that come with a library here, so that pictures of them may be shipped."""
FRAMES = 30
"""Moments of a shipped training reel."""


class VAEExhibit(Exhibit):
    """The training as a reel, where its pictures may be shipped, and the ELBO with its parts."""

    recorded = ("elbo", "elbo_error", "elbo_relaxed", "reconstruction", "kl", "gap", "gap_error")

    def files(self, recipe: Experiment, model: torch.nn.Module, reports: Sequence[Progress]) -> Mapping[str, bytes]:
        """See `Exhibit.files`."""
        if declared(recipe).dataset not in FREE:
            return {}
        reel = training_reel((report.step, report.preview) for report in reports if report.preview)
        return {"training.bin": _thinned(reel).to_bytes()}

    def checks(
        self, recipe: Experiment, model: torch.nn.Module, record: Mapping[str, Any], read: Read
    ) -> list[Check]:  # fmt: skip
        """The ELBO again on the same held-out images with the same codes; nothing is measured where they are missing."""
        found = super().checks(recipe, model, record, read)
        experiment, vae = declared(recipe), trained(model)
        try:
            images = experiment.images()
        except DataError:
            return found
        snapshot = VAESnapshot(vae, images, experiment.temperature(), experiment.seed)
        figures = snapshot.figures(snapshot.tau(experiment.steps), last=True)
        return [
            *found,
            *(
                Check(f"held-out {name}", figures[name], record["figures"][name], 0.02, "tolerance", "nats",
                      source="recorded when it was made")
                for name in ("elbo", "reconstruction", "kl")
            ),
        ]  # fmt: skip


EXHIBIT = VAEExhibit()


def declared(experiment: Experiment) -> DiscreteVAE:
    """The Experiment, once it is known to be a discrete VAE.

    Raises:
        TypeError: when it is another one.
    """
    if not isinstance(experiment, DiscreteVAE):
        raise TypeError(f"a discrete VAE is meant here, not a {type(experiment).__name__}")
    return experiment


def trained(model: torch.nn.Module) -> CategoricalVAE:
    """The model, once it is known to be a discrete VAE.

    Raises:
        TypeError: when it is another one.
    """
    if not isinstance(model, CategoricalVAE):
        raise TypeError(f"a discrete VAE is meant here, not a {type(model).__name__}")
    return model


def _thinned(reel: Reel) -> Reel:
    """At most `FRAMES` of the frames, first and last among them."""
    kept = np.unique(np.linspace(0, len(reel.times) - 1, FRAMES).round().astype(int))
    return Reel(reel.times[kept], reel.frames[kept], reel.row_labels, reel.column_labels, reel.time_label, reel.note)
