"""What is measured of two sets in a worker: the table of checks, and the figures beside the stage."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field

from dgm_core.checks import write_checks
from dgm_core.declaration import extra
from dgm_core.metrics.moments import frechet_distance, kid
from dgm_core.metrics.prd import prd_curve
from dgm_core.precision_recall.checks import pair_checks
from dgm_core.precision_recall.clouds import CloudPair
from dgm_core.precision_recall.intervals import intervals
from dgm_core.views import Made


class AtK(CloudPair):
    """Two sets, and a k at which they are looked at."""

    k: Annotated[
        int,
        Field(ge=1, le=200, title="Neighbours k", description="That set a ball's radius.", json_schema_extra=extra()),
    ] = 3

    @classmethod
    def of(cls, pair: CloudPair, k: int) -> Any:
        """The same two sets at that k; taken down to what the smaller set allows."""
        return cls(**pair.model_dump(), k=min(k, pair.k_max, pair.n - 1, pair.m - 1))


class PairChecks(AtK):
    """The table of checks; artifact: ``checks``."""

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure."""
        return {"checks": write_checks(pair_checks(self, self.k))}


class PairFigures(AtK):
    """Intervals of the four numbers, the PRD curve, Fréchet and kernel distance.

    Artifact ``figures``, an NPZ: ``values``, ``low``, ``high`` (4,) in the order precision, recall, density, coverage;
    ``precision``, ``recall`` of the PRD curve; ``frechet`` (); ``kid`` (2,), value and error.
    """

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Measure."""
        real, fake = self.points()
        values, low, high = intervals(real, fake, self.k, seed=self.seed)
        curve, kernel = prd_curve(real, fake, runs=5, seed=self.seed), kid(real, fake, seed=self.seed)
        out = io.BytesIO()
        np.savez(
            out, values=values, low=low, high=high, precision=curve.precision, recall=curve.recall,
            frechet=np.array(frechet_distance(real, fake)), kid=np.array([kernel.value, kernel.error]),
            f8=np.array([curve.f_beta(8), curve.f_beta(1 / 8)]),
        )  # fmt: skip
        return {"figures": out.getvalue()}
