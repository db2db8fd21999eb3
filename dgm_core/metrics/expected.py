"""What theory says of the four numbers when real and generated points are independent draws from one law."""

from __future__ import annotations

import numpy as np


def expected_density() -> float:
    """E[density] = 1 for equal continuous laws, any D, k, N and M.

    A generated point is exchangeable with the N − 1 others of a real point: it is among the k nearest with probability
    k/N, and there are N balls. Naeem et al., 2020, section 3.3.
    """
    return 1.0


def expected_coverage(n: int, m: int, k: int) -> float:
    """E[coverage] = 1 − Π_{t<k} (N − 1 − t) / (N + M − 1 − t) for equal continuous laws, any D.

    A real point is missed when the k nearest of the N + M − 1 others are all real. For N = M it is the formula of
    Naeem et al., 2020, lemma 2.

    Args:
        n: N real points.
        m: M generated points.
        k: neighbours, below N.

    Example:
        >>> expected_coverage(2, 2, 1)
        0.6666666666666667
    """
    t = np.arange(k)
    return float(1 - np.prod((n - 1 - t) / (n + m - 1 - t)))
