"""Two sets in the plane as a declaration: real points of a law, and generated ones that are made to disagree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator

from dgm_core import sources
from dgm_core.data.densities import TARGETS
from dgm_core.data.shelf import target_of
from dgm_core.data.target import Target
from dgm_core.declaration import extra, settle
from dgm_core.errors import DataError
from dgm_core.metrics.manifolds import Manifolds, manifolds
from dgm_core.precision_recall import alterations
from dgm_core.views import Made, View

RealName = Literal[
    "8gaussians", "25gaussians", "moons", "circles", "rings", "checkerboard", "pinwheel", "2spirals", "swissroll",
    "gaussian", "points",
]  # fmt: skip
FakeName = Literal["law", "uniform", "flow", "points"]
_REALS = {
    **{name: TARGETS[name].title for name in TARGETS if not name.startswith("photo")},
    "gaussian": "One Gaussian", "points": "Your points",
}  # fmt: skip
_FAKES = {"law": "The same law, changed", "uniform": "Uniform noise", "flow": "A trained flow", "points": "Your points"}
GAUSSIAN = Target("gaussian", "One Gaussian", lambda n, g: torch.randn(n, 2, generator=g))
FAKE_SEED, ALTER_SEED = 1_000_003, 2_000_003
FEW = 4_000
"""Points in all that the page's own process measures; more go to a worker."""
COLUMNS, FEWER_COLUMNS, MANY = 50, 20, 5_000
"""Neighbours k up to which all is known beforehand, and up to which for more points than that."""


class CloudPair(View):
    """N real and M generated points in the plane.

    Artifact: ``manifolds``, see `dgm_core.metrics.manifolds.Manifolds`.

    Example:
        >>> real, fake = CloudPair(n=50, m=30).points()
        >>> real.shape, fake.shape
        ((50, 2), (30, 2))
    """

    topic: ClassVar[str] = "precision_recall"

    fake: Annotated[
        FakeName,
        Field(
            title="Generated points",
            description="Fresh draws of the real law, to be changed; noise; samples of a flow; or points of your own.",
            json_schema_extra=extra(basic=True, labels=_FAKES),
        ),
    ] = "law"
    source: Annotated[
        str,
        Field(
            pattern=sources.PATTERN,
            title="Flow",
            description="zoo:NAME for a shipped one, run:ID for a run of the page on continuous flows.",
            json_schema_extra=extra(basic=True, when={"fake": ("flow",)}),
        ),
    ] = "zoo:cnf-8gaussians"
    temperature: Annotated[
        float,
        Field(
            ge=0.05,
            le=2,
            title="Temperature",
            description="Standard deviation of the flow's base; 1 is what it was trained with.",
            json_schema_extra=extra(basic=True, when={"fake": ("flow",)}),
        ),
    ] = 1.0
    real: Annotated[
        RealName,
        Field(
            title="Real law",
            description="Where the real points come from; a flow is compared with the law that it has learned.",
            json_schema_extra=extra(basic=True, when={"fake": ("law", "uniform", "points")}, labels=_REALS),
        ),
    ] = "8gaussians"
    data: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{0,64}$",
            title="Real data",
            description="The key of your own real points.",
            json_schema_extra=extra(when={"real": ("points",)}),
        ),
    ] = ""
    fake_data: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{0,64}$",
            title="Generated data",
            description="The key of your own generated points.",
            json_schema_extra=extra(when={"fake": ("points",)}),
        ),
    ] = ""
    shift: Annotated[
        float,
        Field(ge=-10, le=10, title="Shift", description="Along x.", json_schema_extra=extra(basic=True)),
    ] = 0.0
    scale: Annotated[
        float,
        Field(
            ge=0.1, le=4, title="Scale", description="Of the generated points about their mean.",
            json_schema_extra=extra(basic=True),
        ),
    ] = 1.0  # fmt: skip
    drop: Annotated[
        float,
        Field(
            ge=0, le=0.75, title="Dropped modes",
            description="Sector that the generator never enters, as a share of the turn: ⅛ is one of eight Gaussians.",
            json_schema_extra=extra(basic=True),
        ),
    ] = 0.0  # fmt: skip
    invent: Annotated[
        float,
        Field(
            ge=0, le=1, title="Invented mode",
            description="Share of the generated points in a mode that the data do not have.",
            json_schema_extra=extra(basic=True),
        ),
    ] = 0.0  # fmt: skip
    collapse: Annotated[
        float,
        Field(
            ge=0, le=1, title="Collapse", description="How far each generated point is drawn to their mean.",
            json_schema_extra=extra(),
        ),
    ] = 0.0  # fmt: skip
    memorise: Annotated[
        float,
        Field(
            ge=0, le=1, title="Memorised", description="Share of the generated points that are copies of real ones.",
            json_schema_extra=extra(),
        ),
    ] = 0.0  # fmt: skip
    real_outliers: Annotated[
        int,
        Field(
            ge=0, le=50, title="Outliers among the real", description="That many real points lie far away.",
            json_schema_extra=extra(unit="points"),
        ),
    ] = 0  # fmt: skip
    fake_outliers: Annotated[
        int,
        Field(
            ge=0, le=50, title="Outliers among the generated", description="That many generated points lie far away.",
            json_schema_extra=extra(unit="points"),
        ),
    ] = 0  # fmt: skip
    n: Annotated[
        int,
        Field(
            ge=20, le=50_000, title="Real points N", description="How many.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 500  # fmt: skip
    m: Annotated[
        int,
        Field(
            ge=20, le=50_000, title="Generated points M", description="How many.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 500  # fmt: skip
    seed: Annotated[
        int, Field(ge=0, le=999_999, title="Seed", description="Of all draws.", json_schema_extra=extra())
    ] = 0

    @model_validator(mode="after")
    def _normalise(self) -> Self:
        settle(self)
        if (self.real == "points" and not self.data) or (self.fake == "points" and not self.fake_data):
            raise ValueError("draw or upload points first")
        return self

    @property
    def k_max(self) -> int:
        """Up to which k everything is known beforehand."""
        return COLUMNS if max(self.n, self.m) <= MANY else FEWER_COLUMNS

    @property
    def slow(self) -> bool:
        """Whether the points take a worker: a flow is solved for them, or they are many."""
        return self.fake == "flow" or self.n + self.m > FEW

    def law(self) -> Target:
        """Where the real points come from.

        Raises:
            DataError: when the points or the flow are not on this machine.
        """
        if self.fake == "flow":
            declaration, _ = sources.load(self.source)
            if not hasattr(declaration, "law"):
                raise DataError(f"{self.source} is no flow in the plane; choose one of the page on continuous flows.")
            law: Target = declaration.law()
            return law
        return GAUSSIAN if self.real == "gaussian" else target_of(self.real, data=self.data)

    def points(self, seed: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Real (N, 2) and generated (M, 2) points, float32.

        Args:
            seed: instead of the declared one, for fresh draws of the same two laws.

        Raises:
            DataError: see `law`.
        """
        seed, law = self.seed if seed is None else seed, self.law()
        random = np.random.default_rng([seed, ALTER_SEED])
        real = law.sample(self.n, seed).numpy().astype(np.float64)
        real[: self.real_outliers] = alterations.outliers(min(self.real_outliers, self.n), random)
        fake = alterations.moved(self._kept(law, seed + FAKE_SEED), self.shift, self.scale, self.collapse)
        fake = alterations.with_invented(fake, self.invent, random)
        fake = alterations.with_copies(fake, real, self.memorise, random)
        fake[len(fake) - self.fake_outliers :] = alterations.outliers(min(self.fake_outliers, self.m), random)
        return real.astype(np.float32), fake.astype(np.float32)

    def manifolds(self, *, printed: bool = False) -> Manifolds:
        """The two manifolds for all k up to `k_max`."""
        return manifolds(*self.points(), self.k_max, printed=printed)

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure."""
        return {"manifolds": self.manifolds().to_bytes()}

    def _kept(self, law: Target, seed: int) -> np.ndarray:
        """M points that the generator makes, its missing sector left out; as many as can be had in eight tries."""
        generator, kept = torch.Generator().manual_seed(seed), np.zeros((0, 2))
        for batch in self._batches(law, generator):
            kept = np.concatenate([kept, alterations.without_sector(batch, self.drop)])
            if len(kept) >= self.m:
                return kept[: self.m]
        raise DataError("The dropped sector leaves nothing of these points; drop a smaller one.")

    def _batches(self, law: Target, generator: torch.Generator) -> Iterator[np.ndarray]:
        for _ in range(8):
            yield self._draw(law, generator).astype(np.float64)

    def _draw(self, law: Target, generator: torch.Generator) -> np.ndarray:
        """M points before any of the changes."""
        if self.fake == "uniform":
            seed = int(torch.randint(2**31, (1,), generator=generator))
            return alterations.uniform(self.m, np.random.default_rng(seed))
        if self.fake == "flow":
            flow: Any = sources.load(self.source)[1]
            base = self.temperature * flow.base_sample(self.m, generator)
            with torch.no_grad():
                moved: torch.Tensor = flow.trajectory(base, (0.0, 1.0))[-1]
            return moved.numpy()
        if self.fake == "points":
            law = target_of("points", data=self.fake_data)
        return law.sample(self.m, generator).numpy()
