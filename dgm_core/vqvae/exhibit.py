"""What is shipped of this topic's models: reels of the training, the codebook's use over it, the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from dgm_core import zoo
from dgm_core.checks import Check
from dgm_core.data.images import available
from dgm_core.experiment import Experiment, Progress, TrainingFailedError
from dgm_core.nn.code_bits import bits_figures
from dgm_core.nn.code_model import CodeModel
from dgm_core.nn.threads import alone
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.prior import CodePrior
from dgm_core.vqvae.reels import codebook_reel, samples_reel, training_reel, usage_history
from dgm_core.vqvae.training import held_out_figures
from dgm_core.zoo.exhibit import Exhibit, Read
from dgm_core.zoo.reels import large, small, thinned

REELS = ("training", "codebook", "samples")
"""Artifacts that are reels."""
FRAMES = 24
"""Pictures in a shipped reel."""
PUBLISHED = ("mnist", "fashion-mnist", "cifar10")
"""Sets whose images are not shipped; models of them are."""


class CodesExhibit(Exhibit):
    """Of an autoencoder the reels ``training`` and ``codebook`` and the history ``usage``; of a prior ``samples``."""

    recorded = ("mse", "psnr", "perplexity", "used", "commitment", "bits", "bits_error", "bits_train",
                "bits_uniform", "bits_independent", "bits_per_code")  # fmt: skip

    def files(self, recipe: Experiment, model: torch.nn.Module, reports: Sequence[Progress]) -> Mapping[str, bytes]:
        """See `Exhibit.files`."""
        pictures = thinned([(report.step, report.preview) for report in reports if report.preview], FRAMES)
        if isinstance(recipe, CodePrior):
            return {"samples.bin": small(samples_reel(pictures))}
        files = {"codebook.bin": small(codebook_reel(pictures)), "usage.bin": usage_history(pictures).to_bytes()}
        if declared(recipe).dataset in PUBLISHED:
            return files
        return {"training.bin": small(training_reel(pictures)), **files}

    def notes(self, recipe: Experiment) -> Mapping[str, Any]:
        """How many images the figures were measured on."""
        held_out = recipe.maps().test if isinstance(recipe, CodePrior) else declared(recipe).images().test
        return {"held_out": len(held_out)}

    def artifact(self, kind: str, read: Read) -> bytes | None:
        """The reels as bytes of `Reel`, the history as bytes of `UsageHistory`."""
        found = super().artifact(kind, read)
        return large(found).to_bytes() if found is not None and kind in REELS else found

    def checks(
        self, recipe: Experiment, model: torch.nn.Module, record: Mapping[str, Any], read: Read
    ) -> list[Check]:  # fmt: skip
        """Measure again, on the same held-out images; rounding may turn over a code here and there.

        Where the images are not on this machine, only what needs none is looked at.
        """
        same = super().checks(recipe, model, record, read)
        if isinstance(recipe, CodePrior):
            return [*same, *_prior_checks(recipe, model, record, read)]
        declaration, figures = declared(recipe), record["figures"]
        end = float(large(read("codebook.bin")).times[-1])
        same.append(Check("codebook reel's end", end, declaration.steps, 0.0, "tolerance"))
        if available(declaration.dataset, declaration.data):
            return same
        with alone():
            found, _ = held_out_figures(trained(model), torch.tensor(declaration.images().test))
        recorded = "recorded when it was made"
        return [
            *same,
            Check("held-out PSNR", found["psnr"], figures["psnr"], 0.02, "tolerance", "dB", recorded),
            Check("perplexity over the held-out images", found["perplexity"], figures["perplexity"],
                  0.01 * figures["perplexity"], "tolerance", "codes", recorded),
        ]  # fmt: skip


EXHIBIT = CodesExhibit()


def _prior_checks(
    recipe: CodePrior, model: torch.nn.Module, record: Mapping[str, Any], read: Read
) -> list[Check]:  # fmt: skip
    if not isinstance(model, CodeModel):
        raise TypeError(f"a law of code maps is meant here, not a {type(model).__name__}")
    kind, _, name = recipe.source.partition(":")
    state = zoo.fingerprint(name) if kind == "zoo" else recipe.at
    known = Check("the autoencoder is the one whose codes it knows", state, recipe.at, 0.0, "tolerance")
    end = Check("samples reel's end", float(large(read("samples.bin")).times[-1]), recipe.steps, 0.0, "tolerance")
    try:
        maps = recipe.maps()
    except TrainingFailedError:  # the images are not here, as the autoencoder's own check says
        return [known, end]
    with alone():
        bits = bits_figures(model, maps.test)["bits"]
    expected = record["figures"]["bits"]
    return [known, end, Check("bits of a held-out map", bits, expected, 0.002 * expected, "tolerance", "bits",
                       "recorded when it was made")]  # fmt: skip


def declared(experiment: Experiment) -> VQVAE:
    """The Experiment, once it is known to be an autoencoder's.

    Raises:
        TypeError: when it is another one.
    """
    if not isinstance(experiment, VQVAE):
        raise TypeError(f"an autoencoder with codes is meant here, not a {type(experiment).__name__}")
    return experiment


def trained(model: torch.nn.Module) -> QuantisedAutoencoder:
    """The model, once it is known to be an autoencoder with codes.

    Raises:
        TypeError: when it is another one.
    """
    if not isinstance(model, QuantisedAutoencoder):
        raise TypeError(f"an autoencoder with codes is meant here, not a {type(model).__name__}")
    return model
