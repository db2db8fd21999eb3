"""The two manifolds in the plane for all k at once: what a stage needs to answer a change of k by comparisons."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from dgm_core.errors import DataError
from dgm_core.metrics import plane
from dgm_core.metrics.clouds import Points, as_pair, require_neighbours
from dgm_core.pack import pack, unpack


@dataclass(frozen=True)
class Manifolds:
    """Real points X (N) and generated ones Y (M) with their balls for k = 1 … K; column c stands for k = c + 1.

    Args:
        real: (N, 2) float32.
        fake: (M, 2) float32.
        real_radii: (N, K) float32, the distance from x_i to its k-th nearest other real point.
        fake_radii: (M, K) float32, likewise among the generated ones.
        fake_at: (M,) int32, the first column at which a real ball covers y_j; K for none.
        real_at: (N,) int32, the first at which a generated ball covers x_i.
        reached_at: (N,) int32, the first at which x_i's own ball holds a generated point.
        curves: (4, K) float64, precision, recall, density and coverage.
        printed: whether the balls stand at the points that are tested, as the slide has it.
    """

    real: np.ndarray
    fake: np.ndarray
    real_radii: np.ndarray
    fake_radii: np.ndarray
    fake_at: np.ndarray
    real_at: np.ndarray
    reached_at: np.ndarray
    curves: np.ndarray
    printed: bool = False

    @property
    def k_max(self) -> int:
        """K."""
        return int(self.real_radii.shape[1])

    def to_bytes(self) -> bytes:
        """As bytes that `from_bytes` reads."""
        return pack({"printed": self.printed}, self.arrays())

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "printed"}

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: when these are no such bytes.
        """
        meta, arrays = unpack(packed)
        try:
            return cls(**arrays, printed=bool(meta["printed"]))
        except (TypeError, KeyError) as error:
            raise ValueError(f"these bytes are no manifolds: {error}") from error


def manifolds(real: Points, fake: Points, k_max: int = 50, *, printed: bool = False) -> Manifolds:
    """The manifolds of two sets in the plane.

    As printed on the slide, f(g, G) is 1 where ‖g − g′‖ ≤ ‖g − NN_k(g, G)‖ for some g′ in G: the ball stands at g and
    reaches its own k-th neighbour in G, so the test is true for every g. The paper has the radius at g′.

    Args:
        real: (N, 2).
        fake: (M, 2).
        k_max: K; taken down to what the smaller set allows.
        printed: with the slide's formula.

    Raises:
        DataError: when these are no two sets in the plane, or one has fewer than two points.

    References:
        Kynkäänniemi et al., 2019, equation 1.

    Example:
        >>> random = np.random.default_rng(0)
        >>> far = manifolds(random.normal(size=(40, 2)), 99 + random.normal(size=(30, 2)), k_max=5)
        >>> far.curves[0].tolist(), int(far.fake_at.min())
        ([0.0, 0.0, 0.0, 0.0, 0.0], 5)
        >>> manifolds(far.real, far.fake, k_max=5, printed=True).curves[0].tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    x, y = (points.astype(np.float64) for points in as_pair(real, fake))
    if x.shape[1] != 2:
        raise DataError(f"The stage shows points in the plane; these have {x.shape[1]} coordinates.")
    columns = max(1, min(k_max, len(x) - 1, len(y) - 1))
    for points, name in ((x, "real"), (y, "generated")):
        require_neighbours(points, columns, name)
    if printed:
        return _printed(x, y, columns)
    squares_x, squares_y = (plane.neighbour_squares(points, columns) for points in (x, y))
    found = plane.covering(x, y, squares_x, squares_y, strict=False)
    k = np.arange(1, columns + 1)
    curves = [_shares(found.fake_at, columns), _shares(found.real_at, columns)]
    curves += [np.cumsum(found.pairs) / (k * len(y)), _shares(found.reached_at, columns)]
    return Manifolds(
        *_narrow(x, y, np.sqrt(squares_x), np.sqrt(squares_y)),
        *_firsts(found.fake_at, found.real_at, found.reached_at),
        np.stack(curves),
    )


def _printed(x: np.ndarray, y: np.ndarray, columns: int) -> Manifolds:
    """Balls at the tested points, as far as their k-th neighbour in the other set: all of them reach it."""
    from_y, from_x = plane.cross_squares(y, x, columns), plane.cross_squares(x, y, columns)
    at_once = _firsts(np.zeros(len(y)), np.zeros(len(x)), np.zeros(len(x)))
    # A ball holds just the k neighbours that it reaches, so that density is 1 as well.
    return Manifolds(*_narrow(x, y, np.sqrt(from_x), np.sqrt(from_y)), *at_once, np.ones((4, columns)), printed=True)


def _narrow(
    x: np.ndarray, y: np.ndarray, radii_x: np.ndarray, radii_y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    return x.astype(np.float32), y.astype(np.float32), radii_x.astype(np.float32), radii_y.astype(np.float32)


def _firsts(fake: np.ndarray, real: np.ndarray, reached: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return fake.astype(np.int32), real.astype(np.int32), reached.astype(np.int32)


def _shares(first: np.ndarray, columns: int) -> np.ndarray:
    """(K,), the share of points that are covered at each column."""
    counts = np.bincount(first, minlength=columns + 1)[:columns]
    return np.asarray(np.cumsum(counts) / len(first))
