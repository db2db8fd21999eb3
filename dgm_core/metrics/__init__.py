"""Metrics of generated samples: precision, recall, density, coverage, Fréchet distance, KID, PRD curves."""

from dgm_core.metrics.expected import expected_coverage, expected_density
from dgm_core.metrics.moments import KID, frechet_distance, kid
from dgm_core.metrics.prd import PRDCurve, prd_curve
from dgm_core.metrics.prdc import PRDC, PRDCCurve, covering, knn_radii, prdc, prdc_curve

__all__ = [
    "KID", "PRDC", "PRDCCurve", "PRDCurve", "covering", "expected_coverage", "expected_density", "frechet_distance",
    "kid", "knn_radii", "prd_curve", "prdc", "prdc_curve",
]  # fmt: skip
