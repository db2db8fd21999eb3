"""Estimators of ∇ E[f(z)] for a categorical z, all with one signature; a tenth costs one module and one line here."""

from __future__ import annotations

from dgm_core.gumbel.estimators.base import Estimator, Function, Surrogate
from dgm_core.gumbel.estimators.gumbel_rao import gumbel_rao
from dgm_core.gumbel.estimators.pathwise import (
    gumbel_softmax_path,
    plain_straight_through,
    reinmax,
    straight_through_gumbel_softmax,
)
from dgm_core.gumbel.estimators.rebar import rebar
from dgm_core.gumbel.estimators.score import leave_one_out, reinforce, reinforce_with_baseline

__all__ = ["ESTIMATORS", "Estimator", "Function", "Surrogate"]

_ALL = (
    Estimator("reinforce", "REINFORCE", "Williams 1992", True, 1, False, reinforce),
    Estimator("reinforce-baseline", "REINFORCE with baseline", "Williams 1992", True, 1, False,
              reinforce_with_baseline),
    Estimator("leave-one-out", "Leave-one-out, 4 samples", "Kool et al. 2019", True, 4, False, leave_one_out),
    Estimator("straight-through", "Straight-through", "Bengio et al. 2013", False, 1, False, plain_straight_through),
    Estimator("gumbel-softmax", "Gumbel-Softmax", "Jang et al. 2017; Maddison et al. 2017", False, 1, True,
              gumbel_softmax_path),
    Estimator("st-gumbel-softmax", "Straight-through Gumbel-Softmax", "Jang et al. 2017", False, 1, True,
              straight_through_gumbel_softmax),
    Estimator("gumbel-rao", "Gumbel-Rao", "Paulus et al. 2021", False, 1, True, gumbel_rao),
    Estimator("rebar", "REBAR", "Tucker et al. 2017", True, 2, True, rebar),
    Estimator("reinmax", "ReinMax", "Liu et al. 2023", False, 1, False, reinmax),
)  # fmt: skip

ESTIMATORS: dict[str, Estimator] = {estimator.name: estimator for estimator in _ALL}
"""By name, in the order of pages and tables."""
