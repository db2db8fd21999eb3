"""What the page measures without a trained model: the check table, the estimator bench, the race."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field, field_validator
from torch import Tensor, nn

from dgm_core.checks import write_checks
from dgm_core.declaration import extra
from dgm_core.experiment import Progress, Training
from dgm_core.gumbel.bench import SAMPLES, Estimate, measure_all
from dgm_core.gumbel.checks import checks
from dgm_core.gumbel.estimators import ESTIMATORS
from dgm_core.gumbel.objectives import ObjectiveName, objective
from dgm_core.gumbel.race import race
from dgm_core.gumbel.relaxation import weights_to_logits
from dgm_core.views import Made, View

MOST_WEIGHTS = 20
TAUS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)
"""Temperatures of the bench."""
FIRST = 1.0


def weights_of(text: str) -> list[float]:
    """The numbers in a text of weights, separated by commas or spaces.

    Raises:
        ValueError: one sentence about what is wrong.

    Example:
        >>> weights_of("0.6, 0.3 0.1")
        [0.6, 0.3, 0.1]
    """
    parts = text.replace(",", " ").split()
    if not 1 <= len(parts) <= MOST_WEIGHTS:
        raise ValueError(f"1 to {MOST_WEIGHTS} weights are needed, not {len(parts)}")
    try:
        weights = [float(part) for part in parts]
    except ValueError as error:
        raise ValueError(f"a weight is no number: {text[:60]}") from error
    weights_to_logits(weights)
    return weights


def text_of(weights: Sequence[float]) -> str:
    """Weights as a link writes them.

    Example:
        >>> text_of((0.6, 0.3, 0.1))
        '0.6,0.3,0.1'
    """
    return ",".join(f"{weight:.4g}" for weight in weights)


class ConcreteChecks(View):
    """The table of checks of the Concrete law at some weights and a temperature; artifact: ``checks``."""

    topic: ClassVar[str] = "gumbel"

    weights: Annotated[
        str,
        Field(
            max_length=240,
            title="Weights π",
            description="1 to 20 numbers, 0 or more; they need not sum to 1.",
            json_schema_extra=extra(basic=True),
        ),
    ] = "0.6,0.3,0.1"
    tau: Annotated[
        float,
        Field(
            ge=0,
            le=20,
            title="Temperature τ",
            description="0 is the argmax.",
            json_schema_extra=extra(basic=True),
        ),
    ] = 1.0
    seed: Annotated[
        int, Field(ge=0, le=999_999, title="Seed", description="Of the Gumbel noise.", json_schema_extra=extra())
    ] = 0

    @field_validator("weights")
    @classmethod
    def _weights(cls, text: str) -> str:
        return text_of(weights_of(text))

    @property
    def pi(self) -> tuple[float, ...]:
        """The weights as probabilities, (K,)."""
        return tuple(weights_to_logits(torch.tensor(weights_of(self.weights), dtype=torch.float64)).exp().tolist())

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure."""
        return {"checks": write_checks(checks(self.pi, self.tau, self.seed))}


class TriangleChecks(ConcreteChecks):
    """The same for the three categories of a triangle."""

    @field_validator("weights")
    @classmethod
    def _three(cls, text: str) -> str:
        if len(weights_of(text)) != 3:
            raise ValueError("a triangle has three weights")
        return text


class CategoryChecks(ConcreteChecks):
    """The same for more categories."""

    weights: Annotated[str, ConcreteChecks.model_fields["weights"]] = "8,5,3,2,1,1"


class Bench(View):
    """What bench and race have in common."""

    topic: ClassVar[str] = "gumbel"

    objective: Annotated[
        ObjectiveName,
        Field(
            title="f",
            description="The function whose mean's gradient is wanted.",
            json_schema_extra=extra(basic=True),
        ),
    ] = "network"
    categories: Annotated[
        int, Field(ge=2, le=20, title="Categories K", description="Of z.", json_schema_extra=extra(basic=True))
    ] = 10
    spread: Annotated[
        float,
        Field(
            ge=0,
            le=5,
            title="Spread of logits",
            description="Standard deviation of the logits: 0 is uniform.",
            json_schema_extra=extra(),
        ),
    ] = 1.0
    seed: Annotated[
        int, Field(ge=0, le=999_999, title="Seed", description="Of f, logits and noise.", json_schema_extra=extra())
    ] = 0

    def logits(self) -> Tensor:
        """(K,), drawn from the seed."""
        generator = torch.Generator().manual_seed(self.seed + 1)
        return self.spread * torch.randn(self.categories, generator=generator)


class EstimatorBench(Bench):
    """Bias, variance and cost of every estimator at every temperature of `TAUS`, the middle one first.

    Previews: ``tau`` () and, by estimator in the order of `ESTIMATORS`, ``bias``, ``std``, ``microseconds`` (E,).
    """

    samples: Annotated[
        int,
        Field(
            ge=100, le=100_000, title="Samples", description="Of each gradient.", json_schema_extra=extra(log=True)
        ),
    ] = SAMPLES  # fmt: skip

    def train(self, model: nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None) -> Training:
        """Measure temperature by temperature."""
        f, logits = objective(self.objective, self.categories, self.seed), self.logits()
        order = sorted(TAUS, key=lambda tau: abs(np.log(tau / FIRST)))
        for index, tau in enumerate(order):
            found = measure_all(f, logits, tau, self.samples, self.seed)
            yield Progress(index + 1, len(order), {"tau": tau}, marks(tau, found))


def marks(tau: float, found: list[Estimate]) -> dict[str, np.ndarray]:
    """The bench at one temperature as small arrays, in the order of `ESTIMATORS`."""
    by_name = {estimate.name: estimate for estimate in found}
    rows = [by_name[name] for name in ESTIMATORS]
    return {
        "tau": np.array(tau),
        "bias": np.array([row.bias for row in rows]),
        "bias_error": np.array([row.bias_error for row in rows]),
        "std": np.array([row.std for row in rows]),
        "microseconds": np.array([1e6 * row.seconds_per_sample for row in rows]),
    }


class EstimatorRace(Bench):
    """The same optimisation by every estimator; preview: see `dgm_core.gumbel.race`."""

    tau: Annotated[
        float,
        Field(
            ge=0.05, le=10, title="Temperature τ", description="Of those that have one.",
            json_schema_extra=extra(log=True),
        ),
    ] = 1.0  # fmt: skip

    def train(self, model: nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None) -> Training:
        """Race to the end."""
        f, logits = objective(self.objective, self.categories, self.seed), self.logits()
        found = race(f, logits, self.tau, seed=self.seed)
        arrays = {
            "steps": found.steps, "values": found.value, "best": np.array(found.best), "arrived": found.arrived,
        }  # fmt: skip
        yield Progress(1, 1, {}, arrays)
