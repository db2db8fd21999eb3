"""A look at something: computed once in a worker, kept under its key like any run. What it makes are its artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from dgm_core import sources
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment, Progress, Training, TrainingFailedError


class Made(nn.Module):
    """What a view has made, by name; none of it is in the weights."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, bytes] = {}


class Viewed(Made):
    """A trained model that is looked at; it is in the weights.

    Args:
        declaration: what the model was trained as.
        subject: the model.
    """

    def __init__(self, declaration: Experiment, subject: nn.Module) -> None:
        super().__init__()
        self.declaration, self.subject = declaration, subject


class View(Experiment):
    """A look that needs no trained model; a subclass says in `make` what it makes."""

    lane: ClassVar[Literal["train", "view"]] = "view"

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """The artifacts by name."""
        raise NotImplementedError

    def build(self) -> Made:
        """A place for what is made."""
        return Made()

    def train(self, model: nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None) -> Training:
        """Make everything, in one step."""
        assert isinstance(model, Made)
        model.made.update(self.make(model, device))
        yield Progress(1, 1, {})

    def artifacts(self, model: nn.Module, device: torch.device) -> Iterator[tuple[str, bytes]]:
        """What `train` has made, by name."""
        if isinstance(model, Made):
            yield from model.made.items()


class ModelView(View):
    """A look at a trained model."""

    source: Annotated[
        str,
        Field(
            pattern=sources.PATTERN,
            title="Model",
            description="Which trained model: zoo:NAME for a shipped one, run:ID for a run.",
            json_schema_extra={"basic": True},
        ),
    ]
    at: Annotated[
        int,
        Field(
            ge=0,
            le=10_000_000,
            title="State",
            description="Which weights: a run's step, a shipped model's fingerprint; with others it is another view.",
        ),
    ] = 0

    def build(self) -> Viewed:
        """The trained model.

        Raises:
            TrainingFailedError: when there is no such model.
        """
        try:
            return Viewed(*sources.load(self.source))
        except DataError as error:
            raise TrainingFailedError(str(error)) from error
