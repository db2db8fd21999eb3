"""What is shipped of a discrete VAE: what a page opens on, two reels, and the figures on held-out images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from dgm_core import zoo
from dgm_core.checks import Check
from dgm_core.data.images import available
from dgm_core.experiment import Experiment, Progress
from dgm_core.gumbel.experiment import DiscreteVAE
from dgm_core.gumbel.opening import Opening
from dgm_core.gumbel.vae import CategoricalVAE
from dgm_core.gumbel.vae_training import VAESnapshot
from dgm_core.gumbel.vae_views import training_reel
from dgm_core.reel import Reel
from dgm_core.zoo.exhibit import Exhibit, Read
from dgm_core.zoo.reels import large, small

MELTING, TRAINING, OPENING = "melting.bin", "training.bin", "opening.bin"
FRAMES = 30
"""Pictures in a shipped training reel."""


class VAEExhibit(Exhibit):
    """The training reel, written as differences from frame to frame, beside the artifacts of a run."""

    recorded = (
        "elbo", "elbo_error", "elbo_relaxed", "relaxed_error", "reconstruction", "kl", "gap", "gap_error", "tau",
    )  # fmt: skip

    def files(self, recipe: Experiment, model: torch.nn.Module, reports: Sequence[Progress]) -> Mapping[str, bytes]:
        """See `Exhibit.files`."""
        pictured = [report for report in reports if report.preview]
        kept = np.unique(np.linspace(0, len(pictured) - 1, FRAMES).round().astype(int))
        reel = training_reel((pictured[index].step, pictured[index].preview) for index in kept)
        made = dict(recipe.artifacts(model, torch.device("cpu")))
        melting = small(Reel.from_bytes(made["melting"]))
        return {TRAINING: small(reel), MELTING: melting, OPENING: made["opening"]}

    def notes(self, recipe: Experiment) -> Mapping[str, Any]:
        """How many images the figures were measured on."""
        return {"held_out": len(declared(recipe).images().held_out)}

    def artifact(self, kind: str, read: Read) -> bytes | None:
        """The melting reel and the opening, as a run keeps them."""
        if kind == "melting":
            return large(read(MELTING)).to_bytes()
        return super().artifact(kind, read)

    def checks(
        self, recipe: Experiment, model: torch.nn.Module, record: Mapping[str, Any], read: Read
    ) -> list[Check]:  # fmt: skip
        """Measure again, with the same images and codes; 0.05 nats for codes that rounding turns over.

        Where the images are not on this machine, only what needs none is looked at.
        """
        declaration = declared(recipe)
        found = [
            *super().checks(recipe, model, record, read),
            Check("training reel's end", float(large(read(TRAINING)).times[-1]), declaration.steps, 0.0, "tolerance"),
        ]
        if available(declaration.dataset, declaration.data):
            return found
        snapshot = VAESnapshot(trained(model), declaration.images(), declaration.temperature(), declaration.seed)
        figures = snapshot.figures(snapshot.tau(declaration.steps), last=True)
        opened = Opening.from_bytes(read(OPENING))
        return [
            *found,
            Check(
                "held-out ELBO", figures["elbo"], record["figures"]["elbo"], 0.05, "tolerance", "nats",
                source="recorded when it was made",
            ),
            Check(
                "ELBO that the page opens on", opened.curve.hard, figures["elbo"], opened.curve.hard_error,
                "standard error", "nats", note=f"one code for each of {opened.images:,} images",
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
    """The model, once it is known to be a discrete VAE's.

    Raises:
        TypeError: when it is another one.
    """
    if not isinstance(model, CategoricalVAE):
        raise TypeError(f"a discrete VAE is meant here, not a {type(model).__name__}")
    return model


def shipped(name: str) -> tuple[DiscreteVAE, CategoricalVAE]:
    """A shipped model: its declaration and itself, on the CPU in evaluation mode.

    Raises:
        KeyError: when nothing of that name is shipped.
        TypeError: when it is no discrete VAE.
    """
    return declared(zoo.experiment(name)), trained(zoo.load(name))


def training_reel_of(name: str) -> Reel:
    """The shipped reel of the training; its times are steps."""
    return large(zoo.read(name, TRAINING))
