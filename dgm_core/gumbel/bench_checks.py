"""What theory says of the bench's figures: which estimators are unbiased, and for which f."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dgm_core.checks import Check
from dgm_core.gumbel.estimators import ESTIMATORS
from dgm_core.gumbel.objectives import ObjectiveName

EXACT: dict[ObjectiveName, dict[str, str]] = {
    "linear": {"straight-through": "E[cᵀz] = cᵀπ", "reinmax": "exact to second order"},
    "quadratic": {"reinmax": "Liu et al. 2023: exact to second order"},
    "network": {},
}
"""Biased estimators that are unbiased for that f, and why."""


def bench_checks(measured: Mapping[str, np.ndarray], objective: ObjectiveName) -> list[Check]:
    """Unbiased estimators, and those that are unbiased for this f, stay within chance of the exact gradient.

    Args:
        measured: ``bias`` and ``bias_error`` (E,), in the order of `ESTIMATORS`, as `EstimatorBench` reports them.
        objective: f.

    Returns:
        One line for each such estimator.
    """
    lines = []
    for index, estimator in enumerate(ESTIMATORS.values()):
        why = "unbiased whatever f is" if estimator.unbiased else EXACT[objective].get(estimator.name)
        if why is None:
            continue
        bias, error = float(measured["bias"][index]), float(measured["bias_error"][index])
        # A mean that is exact has no spread either, but rounding.
        error = max(error, 1e-6)
        lines.append(
            Check(f"bias of {estimator.title}", bias, 0.0, error, "standard error", source=why, note=estimator.citation)
        )
    return lines
