"""What is shipped of a classifier: its weights, and its accuracy on held-out images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from dgm_core.checks import Check
from dgm_core.data.images import available, load
from dgm_core.experiment import Experiment, Progress
from dgm_core.precision_recall.classifier import Classifier
from dgm_core.precision_recall.embedding import ImageClassifier, accuracy
from dgm_core.zoo.exhibit import Exhibit, Read


class ClassifierExhibit(Exhibit):
    """Weights alone."""

    recorded = ("accuracy",)

    def files(self, recipe: Experiment, model: torch.nn.Module, reports: Sequence[Progress]) -> Mapping[str, bytes]:
        """None beside the weights."""
        return {}

    def checks(
        self, recipe: Experiment, model: torch.nn.Module, record: Mapping[str, Any], read: Read
    ) -> list[Check]:  # fmt: skip
        """The accuracy, measured again where the images are on this machine."""
        found = super().checks(recipe, model, record, read)
        if not isinstance(recipe, ImageClassifier) or not isinstance(model, Classifier) or available(recipe.dataset):
            return found
        now, then = accuracy(model, load(recipe.dataset)), record["figures"]["accuracy"]
        return [*found, Check("held-out accuracy", now, then, 1e-3, "tolerance", source="recorded when it was made")]


EXHIBIT = ClassifierExhibit()
