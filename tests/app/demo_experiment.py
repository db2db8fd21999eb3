"""An Experiment with a field of each kind, for the tests of the shell."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from dgm_core.experiment import Experiment

Target = Literal["8gaussians", "grid", "moons", "circles", "rings", "checkerboard", "pinwheel", "spirals", "word"]
LABELS = {"mlp": "MLP", "planar": "Planar field", "discrete": "Discrete"}


class Demo(Experiment):
    """Bounds, labels, units, a hidden field, a rule that joins two fields."""

    topic: ClassVar[str] = "demo"
    schema_version: ClassVar[int] = 3

    target: Target = Field(
        "8gaussians", title="Target", description="What is learned.", json_schema_extra={"basic": True}
    )
    word: str = Field("flow", title="Word", max_length=12, json_schema_extra={"when": {"target": ["word"]}})
    model: Literal["mlp", "planar", "discrete"] = Field(
        "mlp", title="Model", json_schema_extra={"basic": True, "labels": LABELS}
    )
    trace: Literal["exact", "gaussian", "rademacher"] = Field("exact", title="Trace")
    units: int = Field(32, ge=1, le=128, title="Units", json_schema_extra={"when": {"model": ["planar"]}})
    steps: int = Field(2000, ge=100, le=20_000, title="Steps", json_schema_extra={"log": True, "basic": True})
    rate: float = Field(0.005, ge=1e-5, le=0.1, title="Learning rate", json_schema_extra={"log": True})
    temperature: float = Field(1.0, ge=0.0, le=2.0, title="Temperature", json_schema_extra={"unit": "nats"})
    adjoint: bool = Field(False, title="Adjoint")
    seed: int = Field(0, ge=0, le=2**31 - 1, title="Seed")

    @model_validator(mode="after")
    def _no_trace_without_a_field(self) -> Self:
        if self.model == "discrete" and self.adjoint:
            raise ValueError("a discrete flow has no adjoint")
        return self


class Other(Experiment):
    """Another topic whose field is named alike but means something else."""

    topic: ClassVar[str] = "other"

    steps: int = Field(7, ge=1, le=10, title="Steps", json_schema_extra={"basic": True})
