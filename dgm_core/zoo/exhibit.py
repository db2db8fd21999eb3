"""What a topic's shipped checkpoints hold beside their weights: told by the topic, so that the zoo knows none."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from dgm_core.checks import Check
from dgm_core.experiment import Experiment, Progress

Read = Callable[[str], bytes]
"""Reads one of a checkpoint's files by its name."""


class Exhibit:
    """What is kept of a training, and how it is measured again.

    A topic with shipped checkpoints has a module ``exhibit`` with its own one, called ``EXHIBIT``.
    """

    recorded: tuple[str, ...] = ()
    """Metrics of the last report that are written down as the checkpoint's figures."""

    def files(self, recipe: Experiment, model: torch.nn.Module, reports: Sequence[Progress]) -> Mapping[str, bytes]:
        """File names and bytes, to stand beside the weights.

        Args:
            recipe: what was trained.
            model: trained, in evaluation mode.
            reports: all of the training.
        """
        return {f"{name}.bin": content for name, content in recipe.artifacts(model, _device(model))}

    def weights(self, recipe: Experiment, weights: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """The weights as they are written; in fewer bits where the figures stay what they are."""
        return weights

    def notes(self, recipe: Experiment) -> Mapping[str, Any]:
        """What else the record should say, such as the number of held-out points."""
        return {}

    def artifact(self, kind: str, read: Read) -> bytes | None:
        """What a run of the same Experiment keeps under that name, or None.

        Args:
            kind: the artifact's name.
            read: see `Read`; raises FileNotFoundError for what is not there.
        """
        try:
            return read(f"{kind}.bin")
        except FileNotFoundError:
            return None

    def checks(
        self, recipe: Experiment, model: torch.nn.Module, record: Mapping[str, Any], read: Read
    ) -> list[Check]:  # fmt: skip
        """The recorded figures measured again, and whatever else must hold."""
        same = record["experiment"] == json.loads(recipe.canonical())
        return [Check("declaration is the recipe's", float(same), 1.0, 0.0, "tolerance")]


def exhibit_of(recipe: Experiment) -> Exhibit:
    """The exhibit of a recipe's topic.

    Raises:
        ImportError: when the topic has none.
    """
    found: Exhibit = importlib.import_module(f"dgm_core.{recipe.topic}.exhibit").EXHIBIT
    return found


def _device(model: torch.nn.Module) -> torch.device:
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
