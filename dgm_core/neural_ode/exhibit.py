"""What is shipped of this topic's models: what they show in the end, the pictures of the training, the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from dgm_core.checks import Check
from dgm_core.experiment import Experiment, Progress
from dgm_core.neural_ode.classification import FlowClassifier
from dgm_core.neural_ode.classifiers import Classifier
from dgm_core.neural_ode.deciding import held_out_figures
from dgm_core.neural_ode.experiment import NeuralODE
from dgm_core.neural_ode.fitting import errors
from dgm_core.neural_ode.reels import decision_pictures, fit_pictures
from dgm_core.neural_ode.shooting import FittedODE
from dgm_core.nn.threads import alone
from dgm_core.zoo.exhibit import Exhibit, Read
from dgm_core.zoo.reels import thinned

FRAMES = 24
"""Pictures of a shipped training."""
_RECORDED = "recorded when it was made"


class ODEExhibit(Exhibit):
    """Of a fit ``fit``, a `Fit`; of a classifier ``passage``, a `Passage`; of both ``training``, their pictures."""

    recorded = ("inside", "beyond", "linear_inside", "linear_beyond", "misfit", "gap", "accuracy", "held_out_loss",
                "nfe", "solver_gap")  # fmt: skip

    def files(self, recipe: Experiment, model: torch.nn.Module, reports: Sequence[Progress]) -> Mapping[str, bytes]:
        """See `Exhibit.files`."""
        pictures = thinned([(report.step, report.preview) for report in reports if report.preview], FRAMES)
        make = decision_pictures if isinstance(recipe, FlowClassifier) else fit_pictures
        return {"training.bin": make(pictures).to_bytes(), **super().files(recipe, model, reports)}

    def notes(self, recipe: Experiment) -> Mapping[str, Any]:
        """How many held-out points the figures of a classifier were measured on."""
        return {"held_out": len(recipe.held_out().x)} if isinstance(recipe, FlowClassifier) else {}

    def checks(
        self, recipe: Experiment, model: torch.nn.Module, record: Mapping[str, Any], read: Read
    ) -> list[Check]:  # fmt: skip
        """Measure again on the same held-back data; only rounding may differ."""
        same, figures = super().checks(recipe, model, record, read), record["figures"]
        with alone():
            found = figures_of(recipe, model)
        rounding = {"accuracy": 0.002, "held_out_loss": 0.002, "inside": 0.01, "beyond": 0.05}
        return [
            *same,
            *(
                Check(name.replace("_", " "), found[name], figures[name], tolerance, "tolerance", "", _RECORDED)
                for name, tolerance in rounding.items()
                if name in found
            ),
        ]


EXHIBIT = ODEExhibit()


def figures_of(recipe: Experiment, model: torch.nn.Module) -> dict[str, float]:
    """What a trained model gives on what was held back.

    Raises:
        TypeError: when the model is none of this topic.
    """
    if isinstance(recipe, FlowClassifier) and isinstance(model, Classifier):
        return held_out_figures(model, recipe.held_out())
    if isinstance(recipe, NeuralODE) and isinstance(model, FittedODE):
        return errors(model, recipe.fit_data())
    raise TypeError(f"a model of this topic is meant here, not a {type(model).__name__}")
