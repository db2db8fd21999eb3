"""What is shipped of this topic's models: of hierarchies and of their laws, reels of the training and the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from dgm_core.checks import Check
from dgm_core.data.images import available
from dgm_core.experiment import Experiment, Progress
from dgm_core.nn.threads import alone
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.model import HierarchicalAutoencoder
from dgm_core.vqvae2.prior import HierarchicalPrior
from dgm_core.vqvae2.prior_exhibit import RECORDED, prior_files, shipped_checks
from dgm_core.vqvae2.reels import training_reel
from dgm_core.vqvae2.training import held_out_figures
from dgm_core.zoo.exhibit import Exhibit, Read
from dgm_core.zoo.recipes import RECIPES
from dgm_core.zoo.reels import large, small, thinned

REELS = ("training", "samples")
"""Artifacts that are reels."""
FRAMES = 8
"""Pictures in a shipped reel."""
PUBLISHED = ("mnist", "fashion-mnist", "cifar10")
"""Sets whose images are not shipped; models of them are."""
_EACH = ("mse", "psnr", "perplexity", "used", "bits")


class HierarchyExhibit(Exhibit):
    """The reel ``training``, where the images may be shipped; of laws the reel ``samples``."""

    recorded = (*(f"{name}_{level}" for level in (1, 2, 3) for name in _EACH), *RECORDED)

    def files(self, recipe: Experiment, model: torch.nn.Module, reports: Sequence[Progress]) -> Mapping[str, bytes]:
        """See `Exhibit.files`."""
        if isinstance(recipe, HierarchicalPrior):
            return prior_files(reports)
        if declared(recipe).dataset in PUBLISHED:
            return {}
        pictures = thinned([(report.step, report.preview) for report in reports if report.preview], FRAMES)
        return {"training.bin": small(training_reel(pictures))}

    def weights(self, recipe: Experiment, weights: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """In half precision, in which figures stay what they are; but not where a shipped law knows the very codes."""
        known = {law.source for law in RECIPES.values() if isinstance(law, HierarchicalPrior)}
        if any(recipe == other and f"zoo:{name}" in known for name, other in RECIPES.items()):
            return weights
        return {name: tensor.half() for name, tensor in weights.items()}

    def notes(self, recipe: Experiment) -> Mapping[str, Any]:
        """How many images the figures were measured on."""
        held_out = recipe.maps().test[0] if isinstance(recipe, HierarchicalPrior) else declared(recipe).images().test
        return {"held_out": len(held_out)}

    def artifact(self, kind: str, read: Read) -> bytes | None:
        """The reel as bytes of `Reel`."""
        found = super().artifact(kind, read)
        return large(found).to_bytes() if found is not None and kind in REELS else found

    def checks(
        self, recipe: Experiment, model: torch.nn.Module, record: Mapping[str, Any], read: Read
    ) -> list[Check]:  # fmt: skip
        """Measure again, on the same held-out images; rounding may turn over a code here and there.

        Where the images are not on this machine, only what needs none is looked at.
        """
        same = super().checks(recipe, model, record, read)
        if isinstance(recipe, HierarchicalPrior):
            return [*same, *shipped_checks(recipe, model, record, read)]
        declaration = declared(recipe)
        if declaration.dataset not in PUBLISHED:
            end = float(large(read("training.bin")).times[-1])
            same.append(Check("training reel's end", end, declaration.steps, 0.0, "tolerance"))
        if available(declaration.dataset, declaration.data):
            return same
        with alone():
            found, _ = held_out_figures(trained(model), torch.tensor(declaration.images().test))
        return [*same, *(_again(name, found, record["figures"]) for name in found if name in record["figures"])]


EXHIBIT = HierarchyExhibit()


def _again(name: str, found: Mapping[str, float], recorded: Mapping[str, float]) -> Check:
    slack = 0.02 if name.startswith("psnr") else 0.01 * abs(recorded[name])
    return Check(name, found[name], recorded[name], slack, "tolerance", "", "recorded when it was made")


def declared(experiment: Experiment) -> VQVAE2:
    """The Experiment, once it is known to be a hierarchy's.

    Raises:
        TypeError: when it is another one.
    """
    if not isinstance(experiment, VQVAE2):
        raise TypeError(f"a hierarchy of codes is meant here, not a {type(experiment).__name__}")
    return experiment


def trained(model: torch.nn.Module) -> HierarchicalAutoencoder:
    """The model, once it is known to be a hierarchy of codes.

    Raises:
        TypeError: when it is another one.
    """
    if not isinstance(model, HierarchicalAutoencoder):
        raise TypeError(f"a hierarchy of codes is meant here, not a {type(model).__name__}")
    return model
