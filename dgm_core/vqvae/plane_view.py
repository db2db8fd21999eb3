"""The declaration of the plane: what of it can be set, and its film as a view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from dgm_core.data.densities import TARGETS
from dgm_core.declaration import extra, settle
from dgm_core.experiment import TrainingFailedError
from dgm_core.nn.vector_quantiser import CodebookBy, Gradient
from dgm_core.views import Made, View
from dgm_core.vqvae.plane import EncoderName, PlaneStart, Rules
from dgm_core.vqvae.plane_film import PlaneFilm, run

PointsName = Literal["8gaussians", "moons", "circles", "checkerboard", "pinwheel", "2spirals", "swissroll"]
MOVING = ("free", "network")
"""Encoders for which β and the gradient matter."""
FRAMES = 120
"""Of a film at most, besides the start."""

_ENCODERS = {"fixed": "fixed: z = x", "free": "free: each z moves", "network": "a small network"}
_STARTS = {"random": "at random", "data": "at points", "k-means": "by k-means", "corner": "all in one corner"}


class CodebookPlane(View):
    """Points, encoder outputs and codes in the plane, as they move; artifact: ``plane``, a `PlaneFilm`.

    Example:
        >>> CodebookPlane(encoder="fixed", beta=2.0) == CodebookPlane(encoder="fixed")
        True
    """

    topic: ClassVar[str] = "vqvae"

    points: Annotated[
        PointsName,
        Field(
            title="Points",
            description="What is quantised.",
            json_schema_extra=extra(basic=True, labels={name: TARGETS[name].title for name in TARGETS}),
        ),
    ] = "8gaussians"
    count: Annotated[
        int,
        Field(ge=20, le=1_000, title="Points N", description="How many.", json_schema_extra=extra(log=True)),
    ] = 300
    codes: Annotated[
        int,
        Field(
            ge=2,
            le=64,
            title="Codes K",
            description="Rows of the codebook.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 8
    encoder: Annotated[
        EncoderName,
        Field(
            title="Encoder",
            description="Outputs that stay, outputs that move one by one, or a network's.",
            json_schema_extra=extra(basic=True, labels=_ENCODERS),
        ),
    ] = "free"
    codebook: Annotated[
        CodebookBy,
        Field(
            title="Codebook by",
            description="Running means of what each code wins, or the loss ‖sg(z) − e‖².",
            json_schema_extra=extra(basic=True, labels={"ema": "running means (EMA)", "loss": "the loss"}),
        ),
    ] = "ema"
    start: Annotated[
        PlaneStart,
        Field(
            title="Start",
            description="Where the codes are at first.",
            json_schema_extra=extra(basic=True, labels=_STARTS),
        ),
    ] = "random"
    patience: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            title="Restart after",
            description="A code that has won nothing for so many steps starts anew at a random output; 0: never.",
            json_schema_extra=extra(unit="steps", basic=True),
        ),
    ] = 0
    beta: Annotated[
        float,
        Field(
            ge=0,
            le=4,
            title="Commitment β",
            description="How strongly an output is drawn to its code.",
            json_schema_extra=extra(basic=True, when={"encoder": MOVING}),
        ),
    ] = 0.25
    gradient: Annotated[
        Gradient,
        Field(
            title="Gradient",
            description="Copied from the code to the output, or rotated with it.",
            json_schema_extra=extra(when={"encoder": MOVING}),
        ),
    ] = "straight-through"
    decay: Annotated[
        float,
        Field(
            ge=0,
            le=0.999,
            title="Decay γ",
            description="Of the running means: 0 is k-means itself, near 1 is slow.",
            json_schema_extra=extra(when={"codebook": ("ema",)}),
        ),
    ] = 0.9
    rate: Annotated[
        float,
        Field(
            ge=0.001,
            le=0.4,
            title="Rate",
            description="Of the descent.",
            json_schema_extra=extra(log=True),
        ),
    ] = 0.05
    steps: Annotated[
        int,
        Field(ge=1, le=2_000, title="Steps", description="In all.", json_schema_extra=extra(unit="steps", log=True)),
    ] = 120
    seed: Annotated[
        int,
        Field(
            ge=0,
            le=999_999,
            title="Seed",
            description="Of points, first codes, networks and restarts.",
            json_schema_extra=extra(),
        ),
    ] = 0

    @model_validator(mode="after")
    def _normalise(self) -> Self:
        settle(self)
        if self.start in ("data", "k-means") and self.codes > self.count:
            raise ValueError("there are more codes than points to start from")
        return self

    def rules(self) -> Rules:
        """How the plane moves."""
        names = ("codes", "encoder", "codebook", "gradient", "start", "beta", "decay", "rate", "patience", "seed")
        return Rules(**{name: getattr(self, name) for name in names})

    def data(self) -> Tensor:
        """The points, (N, 2)."""
        return TARGETS[self.points].sample(self.count, self.seed)

    def film(self) -> PlaneFilm:
        """The film, computed here and now: a fifth of a second for 300 points and 120 steps."""
        return run(self.data(), self.rules(), self.steps, every=max(1, -(-self.steps // FRAMES)))

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """The film."""
        try:
            return {"plane": self.film().to_bytes()}
        except ValueError as error:
            raise TrainingFailedError(str(error)) from error
