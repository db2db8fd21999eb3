"""The numbers of the stage against a second computation, and what theory fixes against fresh draws."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from dgm_core.checks import Check
from dgm_core.metrics import PRDC, expected_coverage, prdc
from dgm_core.metrics.manifolds import Manifolds, manifolds
from dgm_core.precision_recall.clouds import FAKE_SEED, CloudPair

MOST = 2_000
"""Points of a set that are compared with all others."""
DRAWS, DRAWN = 40, 400
"""Fresh draws of the real law, and the points of each at most."""
PAPER, NAEEM = "Kynkäänniemi et al. 2019, eq. 1", "Naeem et al. 2020, section 3.3"
NAMES = ("precision", "recall", "density", "coverage")


def exhaustive(real: np.ndarray, fake: np.ndarray, k: int) -> PRDC:
    """The four numbers from all distances in float64, as the definitions have them; shares nothing with `prdc`.

    Args:
        real: (N, D).
        fake: (M, D).
        k: below N and M.
    """
    x, y = real.astype(np.float64), fake.astype(np.float64)

    def radii(points: np.ndarray) -> np.ndarray:
        distances = cdist(points, points, "sqeuclidean")
        np.fill_diagonal(distances, -1.0)  # a point is not its own neighbour, a duplicate of it is
        column: np.ndarray = np.partition(distances, k, axis=1)[:, k]
        return column

    between = cdist(x, y, "sqeuclidean")
    by_real, by_fake = between <= radii(x)[:, None], between <= radii(y)
    return PRDC(
        float(by_real.any(axis=0).mean()), float(by_fake.any(axis=1).mean()),
        float(by_real.sum() / (k * len(y))), float(by_real.any(axis=1).mean()),
    )  # fmt: skip


def pair_checks(pair: CloudPair, k: int) -> list[Check]:
    """All lines of the table for two sets at one k."""
    real, fake = pair.points()
    return [*same_numbers(real, fake, k), *equal_laws(pair, k), *exact_cases(real, fake, k, tied=pair.real == "points")]


def same_numbers(real: np.ndarray, fake: np.ndarray, k: int) -> list[Check]:
    """The tree's numbers on the very points shown, against all pairs."""
    x, y = real[:MOST], fake[:MOST]
    found, expected = prdc(x, y, k), exhaustive(x, y, k)
    note = "" if max(len(real), len(fake)) <= MOST else f"of the first {MOST:,} points of either set"
    return [
        Check(name, getattr(found, name), getattr(expected, name), 1e-12, "tolerance", "", "all pairs, float64", note)
        for name in NAMES
    ]


def equal_laws(pair: CloudPair, k: int) -> list[Check]:
    """Two independent draws of the real law: density 1, and the exact expectation of coverage."""
    n, m = min(pair.n, DRAWN), min(pair.m, DRAWN)
    if pair.fake == "points" or pair.real == "points" or k >= min(n, m):
        return []  # points of one's own are no law that could be drawn from without repeating them
    law = pair.law()
    drawn = [
        prdc(law.sample(n, pair.seed + 7 * draw).numpy(), law.sample(m, pair.seed + FAKE_SEED + 7 * draw).numpy(), k)
        for draw in range(DRAWS)
    ]
    note = f"{DRAWS} fresh pairs of the real law, {n:,} and {m:,} points"
    return [
        _mean_check("density, equal laws", [one.density for one in drawn], 1.0, note),
        _mean_check("coverage, equal laws", [one.coverage for one in drawn], expected_coverage(n, m, k), note),
    ]


def _mean_check(name: str, values: list[float], expected: float, note: str) -> Check:
    error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
    return Check(name, float(np.mean(values)), expected, max(error, 1e-12), "standard error", "", NAEEM, note)


def exact_cases(real: np.ndarray, fake: np.ndarray, k: int, *, tied: bool = False) -> list[Check]:
    """Copies of the real points, points out of reach, and the formula as printed.

    Args:
        real: (N, 2).
        fake: (M, 2).
        k: neighbours.
        tied: whether distances may be equal, as on a grid; then a ball may hold more than its k neighbours.
    """
    x = np.unique(real[:MOST], axis=0)
    far = fake[:MOST] + 100 * float(np.ptp(real, axis=0).max())
    copies, gone = prdc(x, x, k), prdc(real[:MOST], far, k)
    printed = manifolds(real[:MOST], fake[:MOST], k, printed=True)
    own = f"each ball holds its {k} neighbours and its own copy"
    density = [Check("density of copies", copies.density, 1 + 1 / k, 1e-9, "tolerance", "", "definition", own)]
    return [
        _certain("precision of copies", copies.precision, 1.0, PAPER, "the real points as generated ones"),
        *([] if tied else density),
        _certain("precision out of reach", gone.precision, 0.0, PAPER, "shifted by 100 widths"),
        _certain("precision as printed", _printed_precision(printed), 1.0, "the slide", "true for every point"),
    ]


def _certain(name: str, measured: float, expected: float, source: str, note: str) -> Check:
    return Check(name, measured, expected, 0.0, "tolerance", "", source, note)


def _printed_precision(printed: Manifolds) -> float:
    """The share of generated points whose own ball holds a real one: counted, not taken from the curve."""
    between = cdist(printed.fake.astype(np.float64), printed.real.astype(np.float64))
    reach = printed.fake_radii[:, -1:].astype(np.float64) * (1 + 1e-6)  # kept as float32
    return float((between <= reach).any(axis=1).mean())
