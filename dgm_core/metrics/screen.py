"""Many dimensions: a product of matrices in low precision that never misses a near pair, and says how sure it is.

With a, b the centred points, ‖a − b‖² = ‖a‖² + ‖b‖² − 2 a·b, so v = s − ‖a − b‖²/2 is one product once the norms are
columns of the factors. The factors are rounded to a narrow type; what that may change, by the Cauchy-Schwarz inequality
|a·b − ã·b̃| ≤ ‖ã‖ ‖b − b̃‖ + ‖a − ã‖ ‖b‖, and what the sum may lose, are columns too: the product itself is an upper
bound of v, and twice those columns below it lies a lower one. Pairs whose two bounds stand on different sides of a
threshold are measured again from differences in float64 (`dgm_core.metrics.distances`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dgm_core.metrics.distances import dots, rough_unit
from dgm_core.nn.threads import Work, spread

GROUP = 32
"""Columns whose maximum is taken first: only groups that pass are looked into."""
ROWS = 512
"""Rows of a block, of which there is one at a time."""
CELLS = 2**23
"""Numbers in a block at most."""
SMALL = 2**16
"""Numbers in an intermediate array while points are rounded: few enough to stay in a core's cache."""
ABSENT = -1e30
"""What fills up the last group; far below every v, for the points are scaled to lengths below 1."""
WIDEN = 1 + 2.0**-6
"""Over-estimates the error columns by more than their own rounding."""


@dataclass(frozen=True)
class Side:
    """One set of points, rounded, with what the rounding has changed.

    Args:
        rounded: (N, D) ã.
        half: (N,) ‖a‖²/2, float64.
        length: (N,) a bound of ‖a‖ and ‖ã‖.
        change: (N,) ‖a − ã‖.
        square: (N,) ‖x‖² of the points as they were given, float64.
    """

    rounded: Tensor
    half: Tensor
    length: Tensor
    change: Tensor
    square: Tensor

    @classmethod
    def of(cls, points: Tensor, centre: Tensor, scale: float, dtype: torch.dtype) -> Side:
        """Centre, scale and round, a block of rows at a time."""
        rounded = torch.empty_like(points, dtype=dtype)
        half, change, square = (torch.empty(len(points), dtype=torch.float64, device=points.device) for _ in range(3))
        step = max(1, (CELLS if points.is_cuda else SMALL) // points.shape[1])

        def work(_: int, share: slice) -> None:
            for start in range(share.start, share.stop, step):
                rows = slice(start, min(start + step, share.stop))
                x = points[rows].double()
                square[rows] = torch.linalg.vecdot(x, x)
                a = (x - centre).mul_(scale)
                rounded[rows] = a
                half[rows] = torch.linalg.vecdot(a, a) / 2
                change[rows] = torch.linalg.vector_norm(a - rounded[rows], dim=1)

        share_out(work, points)
        return cls(rounded, half, (2 * half).sqrt() + change, change, square)


class Screen:
    """Bounds of s − scale² ‖x_i − y_j‖²/2 for all pairs, a block of rows at a time.

    Args:
        x: (N, D), the rows.
        y: (M, D), the columns.
        frame: of both.
        shift: s.
    """

    def __init__(self, x: Tensor, y: Tensor, frame: Frame, shift: float = 0.0) -> None:
        self.frame, self.count = frame, len(y)
        self.left, self.right = frame.side(x), frame.side(y)
        self.noise = frame.unit * (x.shape[1] + 16)
        self.groups = grouping(len(y))
        self.depth = math.ceil(len(y) / self.groups)
        extra = 2 * frame.pieces + 4
        self.b = self._columns(extra)
        self.a = torch.cat([self.left.rounded, self.b.new_empty(len(x), extra)], dim=1)
        self.shift_to(shift)

    def shift_to(self, shift: float) -> None:
        """Another s, in the columns that go with ã: near 0 a narrow type tells most numbers apart."""
        self.shift = shift
        left, ones = self.left, torch.ones_like(self.left.half)
        exact = [*self._pieces(shift - left.half), *[ones] * self.frame.pieces]
        bounds = [left.length, left.change, self.noise * (left.length.square() + abs(shift)), ones]
        self.a[:, left.rounded.shape[1] :] = self._stacked(exact, bounds)

    def _columns(self, extra: int) -> Tensor:
        """b̃ and its columns, (M, D + C), filled up to whole groups."""
        right, ones = self.right, torch.ones_like(self.right.half)
        exact = [*[ones] * self.frame.pieces, *self._pieces(-right.half)]
        bounds = [right.change, right.length, ones, self.noise * right.length.square()]
        width = right.rounded.shape[1]
        joined = right.rounded.new_zeros(self.groups * self.depth, width + extra)
        joined[: self.count, :width] = right.rounded
        joined[: self.count, width:] = self._stacked(exact, bounds)
        joined[self.count :, width + self.frame.pieces] = ABSENT
        return joined

    def _pieces(self, values: Tensor) -> list[Tensor]:
        """Numbers as sums of a few of the narrow type."""
        found = []
        for _ in range(self.frame.pieces):
            piece = values.to(self.frame.dtype).double()
            found.append(piece)
            values = values - piece
        return found

    def _stacked(self, exact: list[Tensor], bounds: list[Tensor]) -> Tensor:
        return torch.stack([*exact, *(bound * WIDEN for bound in bounds)], dim=1).to(self.frame.dtype)

    def blocks(self, share: slice) -> Iterator[tuple[slice, Tensor]]:
        """Blocks of a share of the rows, and upper bounds of their v, (B, groups · depth): absent columns last."""
        step = max(1, min(ROWS, CELLS // len(self.b)))
        for start in range(share.start, share.stop, step):
            rows = slice(start, min(start + step, share.stop))
            yield rows, self.a[rows] @ self.b.T

    def slack(self, i: Tensor, j: Tensor, upper: Tensor) -> Tensor:
        """How far below its upper bound v may lie: (P,) float64 for pairs (i, j) with upper bounds (P,) float64."""
        a, b = self.left, self.right
        error = a.length[i] * b.change[j] + a.change[i] * b.length[j]
        error = error + self.noise * (a.length[i].square() + b.length[j].square() + abs(self.shift))
        # The columns over-estimate by `WIDEN` and once more by their own rounding.
        return 2 * error * WIDEN * WIDEN + 2 * self.frame.step * upper.abs()

    def rough(self, x: Tensor, y: Tensor, i: Tensor, j: Tensor) -> tuple[Tensor, Tensor]:
        """Bounds (P,) float64 from below and above of ‖x_i − y_j‖², for float32 points by products in float32."""
        x_square, y_square = self.left.square[i], self.right.square[j]
        product = dots(x, y, i, j).double()
        middle = x_square + y_square - 2 * product
        error = (2 * rough_unit(x.shape[1]) * WIDEN) * (x_square * y_square).sqrt() + 2.0**-40 * (x_square + y_square)
        # Products too small for float32 are lost one by one; what is too large for it tells nothing.
        error = error + 2.0**-124 * x.shape[1]
        error = torch.where(product.isfinite(), error, torch.inf)
        return middle.nan_to_num(0.0, 0.0, 0.0) - error, middle.nan_to_num(0.0, 0.0, 0.0) + error

    def floor(self, threshold: Tensor) -> Tensor:
        """A threshold on v as one on upper bounds: rounding is monotone, so nothing above it gets below."""
        return threshold.to(self.frame.dtype)


class Frame:
    """Where the points of two sets are centred, how they are scaled, and to what they are rounded.

    Args:
        x, y: (N, D) and (M, D).
        dtype: to which points are rounded; what is fast here by default.
    """

    def __init__(self, x: Tensor, y: Tensor, dtype: torch.dtype | None = None) -> None:
        self.dtype = dtype or narrow(x.device)
        # Any centre and any scale will do: what they change is part of the bounds.
        self.centre = (x.mean(0).double() + y.mean(0).double()) / 2
        reach = max(float(end.abs()) for points in {id(x): x, id(y): y}.values() for end in points.aminmax())
        widest = (reach + float(self.centre.abs().max())) * math.sqrt(x.shape[1])
        self.scale = 2.0 ** -math.ceil(math.log2(widest)) if widest > 0 else 1.0
        self.pieces = 3 if self.dtype == torch.bfloat16 else 2
        # Products are summed in float32, or by tensor cores in TF32 where somebody has allowed that.
        tf32 = x.is_cuda and torch.backends.cuda.matmul.allow_tf32 and self.dtype == torch.float32
        self.unit = 2.0**-10 if tf32 else 2.0**-23
        self.step = float(torch.finfo(self.dtype).eps) / 2 * WIDEN
        self._sides: dict[int, tuple[Tensor, Side]] = {}

    def side(self, points: Tensor) -> Side:
        """The points rounded; once for each set."""
        known = self._sides.get(id(points))
        if known is None:
            known = self._sides[id(points)] = (points, Side.of(points, self.centre, self.scale, self.dtype))
        return known[1]


def grouping(count: int) -> int:
    """Into how many groups so many columns are put: a multiple of 64, for whole vectors, unless they are few."""
    return count if count < 64 else 64 * max(1, math.ceil(count / (64 * GROUP)))


def share_out(work: Work, x: Tensor) -> None:
    """All rows of x, shared among threads; a card is fed by one."""
    if x.is_cuda:
        work(0, slice(0, len(x)))
    else:
        spread(work, len(x), least=ROWS)


def narrow(device: torch.device) -> torch.dtype:
    """bfloat16 where a processor multiplies it several times as fast as float32, else float32."""
    if device.type != "cpu":
        return torch.float32
    native = any(
        getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )  # fmt: skip
    return torch.bfloat16 if native else torch.float32


def to_tensor(points: np.ndarray, device: torch.device) -> Tensor:
    """The array on the device, in its own type."""
    return torch.from_numpy(points).to(device)
