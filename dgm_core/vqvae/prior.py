"""The second stage's Experiment: a law of the code maps that a trained autoencoder makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from dgm_core import sources
from dgm_core.data.images import ImageSet
from dgm_core.data.pixels import as_bytes
from dgm_core.declaration import extra, settle
from dgm_core.errors import DataError
from dgm_core.experiment import Experiment, Progress, Training, TrainingFailedError
from dgm_core.generators import Knob
from dgm_core.nn.causal_transformer import CausalTransformer
from dgm_core.nn.code_model import CodeModel
from dgm_core.nn.memoryless import Memoryless
from dgm_core.nn.pixelcnn import PixelCNN
from dgm_core.nn.threads import alone
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters
from dgm_core.training.loop import Loop, Plan, schedule
from dgm_core.vqvae.code_maps import CodeMaps, code_maps, source_model
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.prior_training import CrossEntropy, PriorSnapshot

PriorName = Literal["uniform", "independent", "pixelcnn", "transformer"]
LEARNED = ("pixelcnn", "transformer")
HEADS = 4
_DECODED = 500

_LABELS = {
    "uniform": "uniform", "independent": "independent (histogram)", "pixelcnn": "gated PixelCNN",
    "transformer": "causal transformer",
}  # fmt: skip


class CodePrior(Experiment):
    """Learn the law of a trained autoencoder's code maps, so that new ones can be drawn.

    Example:
        >>> CodePrior(kind="uniform", steps=99) == CodePrior(kind="uniform")
        True
    """

    topic: ClassVar[str] = "vqvae"
    knob: ClassVar[Knob] = Knob("temperature", 0.0, 2.0)

    source: Annotated[
        str,
        Field(
            pattern=sources.PATTERN,
            title="Autoencoder",
            description="Whose codes are learned: zoo:NAME for a shipped model, run:ID for a run.",
            json_schema_extra=extra(basic=True),
        ),
    ] = "zoo:vqvae-shapes"
    at: Annotated[
        int,
        Field(
            ge=0,
            le=10_000_000,
            title="State",
            description="Which weights: a run's step, a shipped model's fingerprint.",
            json_schema_extra=extra(),
        ),
    ] = 0
    kind: Annotated[
        PriorName,
        Field(
            title="Prior",
            description="What is supposed about codes and those before them.",
            json_schema_extra=extra(basic=True, labels=_LABELS),
        ),
    ] = "transformer"
    width: Annotated[
        int,
        Field(
            ge=16,
            le=256,
            title="Width",
            description="Channels, a multiple of 8.",
            json_schema_extra=extra(unit="channels", log=True, when={"kind": LEARNED}),
        ),
    ] = 64
    depth: Annotated[
        int,
        Field(
            ge=1,
            le=8,
            title="Depth",
            description="Layers of the PixelCNN, or blocks of the transformer.",
            json_schema_extra=extra(unit="layers", when={"kind": LEARNED}),
        ),
    ] = 3
    reach: Annotated[
        int,
        Field(
            ge=1,
            le=4,
            title="Reach",
            description="How far a layer of the PixelCNN sees; a kernel of 5 has reach 2.",
            json_schema_extra=extra(unit="codes", when={"kind": ("pixelcnn",)}),
        ),
    ] = 2
    learning_rate: Annotated[
        float,
        Field(
            ge=1e-5,
            le=1e-1,
            title="Learning rate",
            description="Adam's at the start; half a cosine takes it to zero.",
            json_schema_extra=extra(log=True, when={"kind": LEARNED}),
        ),
    ] = 2e-3
    batch: Annotated[
        int,
        Field(
            ge=4,
            le=1024,
            title="Batch",
            description="Code maps in a training step.",
            json_schema_extra=extra(unit="maps", log=True, when={"kind": LEARNED}),
        ),
    ] = 32
    steps: Annotated[
        int,
        Field(
            ge=10,
            le=200_000,
            title="Steps",
            description="Training steps in all.",
            json_schema_extra=extra(unit="steps", basic=True, log=True, when={"kind": LEARNED}),
        ),
    ] = 1_500
    seed: Annotated[
        int,
        Field(
            ge=0,
            le=999_999,
            title="Seed",
            description="Of the first weights, the batches and the samples.",
            json_schema_extra=extra(),
        ),
    ] = 0

    @model_validator(mode="after")
    def _normalise(self) -> Self:
        self.__dict__["width"] = 8 * round(self.width / 8)
        settle(self)
        return self

    def build(self) -> CodeModel:
        """The untrained law.

        Raises:
            TrainingFailedError: when there is no such autoencoder.
        """
        return self.law_of(self.autoencoder()[1])

    def law_of(self, model: QuantisedAutoencoder) -> CodeModel:
        """The untrained law of a model's code maps."""
        codes, grid, generator = model.quantiser.codes, model.grid, torch.Generator().manual_seed(self.seed)
        if self.kind == "transformer":
            return CausalTransformer(
                codes, grid, width=self.width, depth=self.depth, heads=HEADS, generator=generator
            )  # fmt: skip
        if self.kind == "pixelcnn":
            return PixelCNN(codes, grid, width=self.width, depth=self.depth, reach=self.reach, generator=generator)
        return Memoryless(codes, grid)

    def autoencoder(self) -> tuple[Experiment, QuantisedAutoencoder]:
        """The declaration and the model whose codes are learned.

        Raises:
            TrainingFailedError: when there is none, with one plain sentence.
        """
        try:
            return source_model(self.source)
        except DataError as error:
            raise TrainingFailedError(str(error)) from error

    def maps(self) -> CodeMaps:
        """What is learned.

        Raises:
            TrainingFailedError: when the autoencoder or its images are not there, with one plain sentence.
        """
        try:
            declaration, model = source_model(self.source)
            return code_maps(model, declaration.images())
        except DataError as error:
            raise TrainingFailedError(str(error)) from error

    def generate(self, model: torch.nn.Module, n: int, value: float, generator: torch.Generator) -> np.ndarray:
        """Images of n maps drawn at temperature ``value``: see `dgm_core.generators.ImageGenerator`.

        Raises:
            DataError: when the autoencoder is not there, with one plain sentence.
            ValueError: for a negative temperature.
        """
        if not isinstance(model, CodeModel):
            raise TypeError(f"a law of code maps draws images here, not a {type(model).__name__}")
        _, autoencoder = source_model(self.source)
        device = next(model.parameters()).device
        with alone(), torch.no_grad():
            codes = model.sample(n, value, generator)
            blocks = [as_bytes(autoencoder.to(device).decode_codes(block)) for block in codes.split(_DECODED)]
        images: np.ndarray = torch.cat(blocks).numpy()
        return images

    def real(self) -> ImageSet:
        """The images that the autoencoder was trained on: see `dgm_core.generators.ImageGenerator`.

        Raises:
            DataError: when they or the autoencoder are not there, with one plain sentence.
        """
        return source_model(self.source)[0].images()

    def train(
        self, model: torch.nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None
    ) -> Training:
        """See `Experiment.train`.

        Metrics: ``loss`` in nats a code; in bits for a map ``bits_batch``, of held-out maps ``bits``, ``bits_error``,
        of some learned from ``bits_train``, and the baselines ``bits_uniform`` and ``bits_independent``;
        ``bits_per_code``. Previews: `PriorSnapshot.picture`.
        """
        if not isinstance(model, CodeModel):
            raise TypeError(f"a law of code maps is trained here, not a {type(model).__name__}")
        maps, (_, autoencoder) = self.maps(), self.autoencoder()
        maps = CodeMaps(maps.train.to(device), maps.test.to(device))
        model.to(device)
        if isinstance(model, Memoryless):
            yield self._counted(model, maps, autoencoder)
            return
        loop = self._loop(model, maps, autoencoder, device)
        if resume is not None:
            loop.resume(resume)
        yield from loop.run()

    def _counted(self, model: Memoryless, maps: CodeMaps, autoencoder: QuantisedAutoencoder) -> Progress:
        if self.kind == "independent":
            model.count(maps.train)
        snapshot = PriorSnapshot(model, maps, autoencoder, self.seed)
        figures, picture = snapshot.look(snapshot.flat.clone(), 1, last=True)
        return Progress(1, 1, figures, picture)

    def _loop(self, model: CodeModel, maps: CodeMaps, autoencoder: QuantisedAutoencoder, device: torch.device) -> Loop:
        snapshot = PriorSnapshot(model, maps, autoencoder, self.seed)
        weights = flatten_parameters(model)
        optimiser = AveragedAdam(weights, torch.zeros_like(weights))
        generator = torch.Generator(device).manual_seed(self.seed)
        objective = CrossEntropy(model, maps.train, self.batch, optimiser, generator)
        # A picture costs as much as fifty steps: samples are drawn code by code.
        frames = max(6, min(24, self.steps // 60))
        plan = Plan(self.steps, self.learning_rate, min(50, self.steps // 20), frozenset(schedule(self.steps, frames)))
        return Loop(objective, optimiser, snapshot, generator, plan)
