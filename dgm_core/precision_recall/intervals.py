"""How far the four numbers are due to chance: the bootstrap over the points that are tested."""

from __future__ import annotations

import numpy as np

from dgm_core.metrics.clouds import Points, as_pair
from dgm_core.metrics.prdc import points_at

LEVELS = (0.025, 0.975)


def intervals(
    real: Points, fake: Points, k: int, *, draws: int = 1000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """95 % percentile intervals of precision, recall, density and coverage, with the balls held as they are.

    Precision and density are means over generated points, recall and coverage means over real ones; those points are
    drawn again with replacement. The balls themselves cannot be: a point drawn twice would be its own neighbour at
    distance 0.

    Args:
        real: (N, D).
        fake: (M, D).
        k: neighbours.
        draws: of the bootstrap.
        seed: of the draws.

    Returns:
        The four numbers, their lower and their upper ends, (4,) each.

    References:
        Efron and Tibshirani: An introduction to the bootstrap, 1993, section 13.3.

    Example:
        >>> random = np.random.default_rng(0)
        >>> values, low, high = intervals(random.normal(size=(200, 2)), random.normal(size=(200, 2)), k=3)
        >>> bool((low <= values).all() and (values <= high).all())
        True
    """
    x, y = as_pair(real, fake)
    covered, recalled, balls, reached = points_at(x, y, k)
    random = np.random.default_rng(seed)
    ends = [_resampled(column, draws, random) for column in (covered, recalled, balls / k, reached)]
    values = np.array([covered.mean(), recalled.mean(), balls.mean() / k, reached.mean()])
    low, high = np.array(ends).T
    return values, low, high


def _resampled(values: np.ndarray, draws: int, random: np.random.Generator) -> tuple[float, float]:
    """The interval of the mean; equal values are drawn together, so that 50,000 points cost what their levels do."""
    levels, counts = np.unique(values, return_counts=True)
    means = random.multinomial(len(values), counts / len(values), size=draws) @ levels / len(values)
    low, high = np.quantile(means, LEVELS)
    return float(low), float(high)
