"""The four numbers against k, n, the dimension and a generator's temperature, each over several fresh draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from dgm_core import sources
from dgm_core.declaration import extra
from dgm_core.errors import DataError
from dgm_core.experiment import Progress, Training, TrainingFailedError
from dgm_core.metrics import PRDC, expected_coverage, prdc, prdc_curve
from dgm_core.metrics.hubs import orphans
from dgm_core.precision_recall.checks import exhaustive
from dgm_core.views import View

Axis = Literal["dimension", "n", "k", "temperature"]
AXES = {"dimension": "dimension D", "n": "points n", "k": "neighbours k", "temperature": "temperature τ"}
_SHORT = {"dimension": "D", "n": "n", "k": "k", "temperature": "temperature"}
_IN_SPACE = ("dimension", "n", "k")
DIMENSIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
COUNTS = (50, 100, 200, 500, 1000, 2000, 5000)
TEMPERATURES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0)
K_MAX = 50
LOOKED_AT = 500
"""Points of each set that are compared with all others."""


class MetricCurves(View):
    """Real points of N(0, I), generated ones of N(μ, σ² I); or a trained flow at several temperatures.

    Previews: ``x`` (P,) places on the axis; ``values`` (P, R, 4) precision, recall, density and coverage of R draws;
    ``theory`` (P, 2) the expected density and coverage, NaN where the laws differ; ``apart`` (P,) by how much the
    numbers of the first draw's first points differ from those of all pairs in float64; along the dimension also
    ``orphans`` (P, R), the share of real points that are no other's neighbour.
    """

    topic: ClassVar[str] = "precision_recall"

    axis: Annotated[
        Axis,
        Field(
            title="Against", description="What is varied.", json_schema_extra=extra(basic=True, labels=_SHORT),
        ),
    ] = "dimension"  # fmt: skip
    source: Annotated[
        str,
        Field(
            pattern=sources.PATTERN, title="Flow", description="zoo:NAME or run:ID of the page on continuous flows.",
            json_schema_extra=extra(when={"axis": ("temperature",)}),
        ),
    ] = "zoo:cnf-8gaussians"  # fmt: skip
    dimension: Annotated[
        int,
        Field(
            ge=1, le=2048, title="Dimension D", description="Of the Gaussians.",
            json_schema_extra=extra(basic=True, log=True, when={"axis": ("n", "k")}),
        ),
    ] = 64  # fmt: skip
    n: Annotated[
        int,
        Field(
            ge=30, le=10_000, title="Points n", description="Real ones, and as many generated ones.",
            json_schema_extra=extra(basic=True, log=True, when={"axis": ("dimension", "k", "temperature")}),
        ),
    ] = 1000  # fmt: skip
    k: Annotated[
        int,
        Field(
            ge=1, le=25, title="Neighbours k", description="That set a ball's radius.",
            json_schema_extra=extra(basic=True, when={"axis": ("dimension", "n", "temperature")}),
        ),
    ] = 3  # fmt: skip
    sigma: Annotated[
        float,
        Field(
            ge=0.1, le=3, title="Scale σ", description="Standard deviation of generated points; the real ones' is 1.",
            json_schema_extra=extra(basic=True, when={"axis": _IN_SPACE}),
        ),
    ] = 1.0  # fmt: skip
    shift: Annotated[
        float,
        Field(
            ge=0, le=5, title="Shift", description="Distance of the two means.",
            json_schema_extra=extra(basic=True, when={"axis": _IN_SPACE}),
        ),
    ] = 0.0  # fmt: skip
    repeats: Annotated[
        int,
        Field(
            ge=3, le=40, title="Repeats", description="Fresh draws at each place; the interval is of their mean.",
            json_schema_extra=extra(),
        ),
    ] = 8  # fmt: skip
    seed: Annotated[
        int, Field(ge=0, le=999_999, title="Seed", description="Of all draws.", json_schema_extra=extra())
    ] = 0

    @property
    def equal(self) -> bool:
        """Whether generated and real points have one law."""
        return self.axis != "temperature" and self.sigma == 1 and self.shift == 0

    def train(self, model: nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None) -> Training:
        """Measure place by place.

        Raises:
            TrainingFailedError: when there is no such flow.
        """
        try:
            places = list(self.places())
            for index, arrays in enumerate(self._measured(places)):
                yield Progress(index + 1, 1 if self.axis == "k" else len(places), {}, arrays)
        except DataError as error:
            raise TrainingFailedError(str(error)) from error

    def places(self) -> tuple[float, ...]:
        """Where on the axis it is measured."""
        if self.axis == "dimension":
            return DIMENSIONS
        if self.axis == "n":
            return tuple(count for count in COUNTS if count > self.k)
        return TEMPERATURES if self.axis == "temperature" else tuple(range(1, min(K_MAX, self.n - 1) + 1))

    def _measured(self, places: list[float]) -> Iterator[dict[str, np.ndarray]]:
        if self.axis == "k":
            yield self._over_k(len(places))
            return
        for place in places:
            rows, alone = [], []
            for draw in range(self.repeats):
                real, fake = self.draw(place, self.seed + 97 * draw)
                rows.append(_four(prdc(real, fake, self.k)))
                if self.axis == "dimension":
                    alone.append(orphans(real, self.k))
            count = int(place) if self.axis == "n" else self.n
            arrays = {
                "x": np.array([place]), "values": np.array([rows]), "theory": self._theory(count, [self.k]),
                "apart": np.array([apart(*self.draw(place, self.seed), self.k)]),
            }  # fmt: skip
            yield {**arrays, "orphans": np.array([alone])} if alone else arrays

    def _over_k(self, k_max: int) -> dict[str, np.ndarray]:
        curves = [prdc_curve(*self.draw(0, self.seed + 97 * draw), k_max) for draw in range(self.repeats)]
        values = np.array([[c.precision, c.recall, c.density, c.coverage] for c in curves])  # (R, 4, K)
        k = np.arange(1, k_max + 1)
        first = self.draw(0, self.seed)
        return {
            "x": k.astype(float), "values": values.transpose(2, 0, 1), "theory": self._theory(self.n, list(k)),
            "apart": np.array([apart(*first, int(each)) if each in (1, k_max) else 0.0 for each in k]),
        }  # fmt: skip

    def _theory(self, count: int, ks: list[int]) -> np.ndarray:
        """(len(ks), 2): E[density] and E[coverage]."""
        if not self.equal:
            return np.full((len(ks), 2), np.nan)
        return np.array([[1.0, expected_coverage(count, count, int(k))] for k in ks])

    def draw(self, place: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Real and generated points at a place of the axis, (n, D) float32 each.

        Raises:
            DataError: when there is no such flow.
        """
        if self.axis == "temperature":
            return self._of_flow(place, seed)
        count = int(place) if self.axis == "n" else self.n
        dimension = int(place) if self.axis == "dimension" else self.dimension
        random = np.random.default_rng([seed, dimension, count])
        real, fake = (random.standard_normal((count, dimension), dtype=np.float32) for _ in range(2))
        fake *= np.float32(self.sigma)
        fake[:, 0] += self.shift
        return real, fake

    def _of_flow(self, temperature: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        from dgm_core.precision_recall.clouds import CloudPair

        pair = CloudPair(fake="flow", source=self.source, temperature=temperature, n=self.n, m=self.n)
        return pair.points(seed)


def apart(real: np.ndarray, fake: np.ndarray, k: int) -> float:
    """The largest difference from the numbers of all pairs in float64, for the first `LOOKED_AT` points of each set."""
    x, y = real[:LOOKED_AT], fake[:LOOKED_AT]
    k = min(k, len(x) - 1)
    return float(np.abs(np.subtract(_four(prdc(x, y, k)), _four(exhaustive(x, y, k)))).max())


def _four(numbers: PRDC) -> list[float]:
    return [numbers.precision, numbers.recall, numbers.density, numbers.coverage]


def joined(previews: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """All that is measured so far, along the axis."""
    names = set.intersection(*(set(arrays) for arrays in previews))
    return {name: np.concatenate([arrays[name] for arrays in previews]) for name in sorted(names)}


def mean_intervals(
    values: np.ndarray, *, draws: int = 2000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means over independent draws, with 95 % percentile bootstrap intervals.

    Args:
        values: (P, R, C).
        draws: of the bootstrap.
        seed: of the draws.

    Returns:
        Mean, lower and upper end, (P, C) each.
    """
    random = np.random.default_rng(seed)
    weights = random.multinomial(values.shape[1], np.full(values.shape[1], 1 / values.shape[1]), size=draws)
    means = np.einsum("br,prc->bpc", weights / values.shape[1], values)
    low, high = np.quantile(means, (0.025, 0.975), axis=0)
    return values.mean(axis=1), low, high
