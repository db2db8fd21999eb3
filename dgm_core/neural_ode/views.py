"""What the page computes once of a trained model: passages, depths, tables of checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field

from dgm_core.checks import Check, write_checks
from dgm_core.declaration import extra
from dgm_core.errors import DataError
from dgm_core.experiment import TrainingFailedError
from dgm_core.neural_ode.classification import FlowClassifier
from dgm_core.neural_ode.classifiers import Classifier, ODEClassifier
from dgm_core.neural_ode.depths import depths_of
from dgm_core.neural_ode.experiment import NeuralODE
from dgm_core.neural_ode.learning_checks import classifier_checks, fit_checks
from dgm_core.neural_ode.passage import passage_of
from dgm_core.neural_ode.shooting import FittedODE
from dgm_core.views import Made, ModelView, Viewed

CLASSIFIER = "zoo:neural_ode-circles"


class FlowPassage(ModelView):
    """A trained classifier's hidden states on their way; artifact: ``passage``, a `Passage` of held-out points."""

    topic: ClassVar[str] = "neural_ode"

    source: Annotated[str, ModelView.model_fields["source"]] = CLASSIFIER
    points: Annotated[
        int,
        Field(
            ge=20,
            le=2_000,
            title="Points",
            description="Held-out points whose paths are shown.",
            json_schema_extra=extra(unit="points", log=True),
        ),
    ] = 400

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Follow the points."""
        declaration, subject = classifier(model)
        return {"passage": passage_of(subject, declaration.held_out(), self.points).to_bytes()}


class FlowDepths(ModelView):
    """A trained ODE net solved by Euler, midpoint and RK4 with 1 to 64 steps; artifact: ``depths``, a `Depths`."""

    topic: ClassVar[str] = "neural_ode"

    source: Annotated[str, ModelView.model_fields["source"]] = CLASSIFIER

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Solve."""
        declaration, subject = classifier(model)
        if not isinstance(subject, ODEClassifier):
            raise TrainingFailedError("A residual net has the depth it was trained with; choose an ODE net.")
        return {"depths": depths_of(subject, declaration.held_out()).to_bytes()}


class LearningChecks(ModelView):
    """The table of checks of a trained model, a fit or a classifier; artifact: ``checks``."""

    topic: ClassVar[str] = "neural_ode"

    source: Annotated[str, ModelView.model_fields["source"]] = CLASSIFIER

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure."""
        return {"checks": write_checks(self._checks(model))}

    def _checks(self, model: Made) -> list[Check]:
        assert isinstance(model, Viewed)
        if isinstance(model.declaration, FlowClassifier):
            declaration, subject = classifier(model)
            return classifier_checks(subject, declaration.held_out())
        fit, fitted = fit_of_model(model)
        try:
            return fit_checks(fitted, fit.fit_data(), fit.noise if fit.system != "own" else None)
        except DataError as error:
            raise TrainingFailedError(str(error)) from error


def classifier(model: Made) -> tuple[FlowClassifier, Classifier]:
    """What is looked at, once it is known to be a classifier of points.

    Raises:
        TrainingFailedError: when it is another model.
    """
    assert isinstance(model, Viewed)
    if isinstance(model.declaration, FlowClassifier) and isinstance(model.subject, Classifier):
        return model.declaration, model.subject
    raise TrainingFailedError("A classifier of points in the plane is looked at here, and this model is none.")


def fit_of_model(model: Made) -> tuple[NeuralODE, FittedODE]:
    """What is looked at, once it is known to be a fitted field.

    Raises:
        TrainingFailedError: when it is another model.
    """
    assert isinstance(model, Viewed)
    if isinstance(model.declaration, NeuralODE) and isinstance(model.subject, FittedODE):
        return model.declaration, model.subject
    raise TrainingFailedError("A model of the page neural_ode is looked at here, and this is none.")
