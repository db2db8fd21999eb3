"""Many dimensions: neighbours and balls through `Screen`, in memory that grows with N + M and not with N · M."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from dgm_core.metrics.distances import squared_pairs
from dgm_core.metrics.ranks import Covering, rank
from dgm_core.metrics.screen import GROUP, ROWS, Frame, Screen
from dgm_core.nn.threads import Work, spread

Ranked = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Pairs (i, j) and a column for each, (P,)."""
SAMPLE = 128
"""Rows by which it is seen how far neighbours are."""

DENSE = 8
"""Where more than one in so many groups passes, all are looked into: that is cheaper than to gather them."""


class Candidates(NamedTuple):
    """Pairs that passed: indices and the upper bounds of their v, each (P,)."""

    i: Tensor
    j: Tensor
    upper: Tensor


def neighbour_squares(x: Tensor, k: int, frame: Frame) -> Tensor:
    """Squared distances to the k nearest others, ascending: (N, D) → (N, k) float64."""
    screen = Screen(x, x, frame)
    _, first = next(screen.blocks(slice(0, min(len(x), SAMPLE))))
    screen.shift_to(-float(_kth_bound(screen, 0, *_grouped(screen, first), k).median()))
    out = torch.empty(len(x), k, dtype=torch.float64, device=x.device)

    def work(_: int, share: slice) -> None:
        for rows, upper in screen.blocks(share):
            grouped, best = _grouped(screen, upper)
            threshold = _kth_bound(screen, rows.start, grouped, best, k)
            found = _above(grouped, best, screen.floor(threshold), rows.start)
            others = found.i != found.j
            i, j = found.i[others], found.j[others]
            out[rows] = _smallest(squared_pairs(x, x, i, j), i - rows.start, len(upper), k)

    _share_out(work, x)
    return out


def _share_out(work: Work, x: Tensor) -> None:
    """All rows of x, shared among threads; on a card it is one thread that feeds it."""
    if x.is_cuda:
        work(0, slice(0, len(x)))
    else:
        spread(work, len(x), least=ROWS)


def _grouped(screen: Screen, upper: Tensor) -> tuple[Tensor, Tensor]:
    """A block as (B, depth, groups), and the groups' maxima (B, groups)."""
    grouped = upper.view(len(upper), screen.depth, screen.groups)
    return grouped, grouped.amax(1)


def _kth_bound(screen: Screen, first: int, grouped: Tensor, best: Tensor, k: int) -> Tensor:
    """(B,): a number that at least k others of each row exceed with their v; k + 1 pairs with the row itself."""
    size, depth, groups = grouped.shape
    want = k + 1
    if groups < want:  # too few groups to tell k + 1 pairs apart
        values, j = grouped.reshape(size, -1).double().topk(want, dim=1)
    else:
        chosen = best.topk(want, dim=1).indices
        within = grouped.gather(2, chosen[:, None].expand(size, depth, want))
        top, place = within.max(1)
        values, j = top.double(), place * groups + chosen
    i = torch.arange(first, first + size, device=grouped.device)[:, None].expand_as(j)
    slack = screen.slack(i.reshape(-1), j.reshape(-1), values.reshape(-1)).reshape(values.shape)
    return (values - slack).amin(1)


def _above(grouped: Tensor, best: Tensor, threshold: Tensor, first: int) -> Candidates:
    """Pairs of a block whose upper bound is at least their row's threshold.

    Args:
        grouped: (B, depth, groups).
        best: (B, groups), the maxima of the groups.
        threshold: (B,).
        first: the block's first row.
    """
    size, _, groups = grouped.shape
    row, group = (best >= threshold[:, None]).nonzero(as_tuple=True)
    if len(row) * DENSE > size * groups:
        row, flat = (grouped.reshape(size, -1) >= threshold[:, None]).nonzero(as_tuple=True)
        return Candidates(row + first, flat, grouped.reshape(size, -1)[row, flat])
    inside = grouped[row, :, group]
    hit, place = (inside >= threshold[row, None]).nonzero(as_tuple=True)
    return Candidates(row[hit] + first, place * groups + group[hit], inside[hit, place])


def _smallest(squared: Tensor, row: Tensor, rows: int, k: int) -> Tensor:
    """The k smallest of each row, ascending: values (P,) of rows (P,) → (rows, k)."""
    order = row.argsort(stable=True)
    counts = torch.bincount(row, minlength=rows)
    place = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row[order]]
    table = squared.new_full((rows, int(counts.max())), torch.inf)
    table[row[order], place] = squared[order]
    return table.topk(k, dim=1, largest=False, sorted=True).values


def covering(
    x: Tensor, y: Tensor, radii_x: Tensor, radii_y: Tensor, strict: bool, frame: Frame
) -> Covering:  # fmt: skip
    """When the balls of either set cover the points of the other.

    Args:
        x, y: (N, D) real and (M, D) generated points.
        radii_x, radii_y: (N, K) and (M, K) squared radii, ascending, float64.
        strict: see `dgm_core.metrics.ranks.rank`.
        frame: of x and y.
    """
    found = Covering.empty(len(x), len(y), radii_x.shape[1])
    # Where the rims of the balls are; shifted so that most of them are near 0, where a narrow type is fine.
    rims_x, rims_y = (-radii[:, -1] * (frame.scale**2 / 2) for radii in (radii_x, radii_y))
    shift = -float(rims_x.median())
    screen, lock = Screen(x, y, frame, shift), threading.Lock()
    rims_x, rims_y = rims_x + shift, rims_y + shift
    table_x, table_y = radii_x.cpu().numpy(), radii_y.cpu().numpy()

    def ranked(near: Candidates, rims: Tensor, table: np.ndarray, ball: Tensor) -> Ranked:
        """Pairs in a ball, and the column of its radii from which on they are."""
        upper = near.upper.double()
        squared = torch.full_like(upper, -1.0)  # whoever surely lies inside the only ball
        unsure = (upper - screen.slack(near.i, near.j, upper) <= rims[ball]) | (table.shape[1] > 1)
        squared[unsure] = squared_pairs(x, y, near.i[unsure], near.j[unsure])
        at = rank(squared.cpu().numpy(), table, ball.cpu().numpy(), strict)
        inside = at < table.shape[1]
        return near.i.cpu().numpy()[inside], near.j.cpu().numpy()[inside], at[inside]

    def work(_: int, share: slice) -> None:
        for rows, upper in screen.blocks(share):
            near = _above(*_grouped(screen, upper), screen.floor(rims_x[rows]), rows.start)
            by_real = ranked(near, rims_x, table_x, near.i)
            near = _above_in_columns(upper, screen.floor(rims_y), rows.start)
            by_fake = ranked(near, rims_y, table_y, near.j)
            with lock:
                found.add_real_balls(*by_real)
                found.add_fake_balls(by_fake[0], by_fake[2])

    _share_out(work, x)
    return found


def _above_in_columns(upper: Tensor, threshold: Tensor, first: int) -> Candidates:
    """Pairs of a block whose upper bound is at least their column's threshold; see `_above`.

    Args:
        upper: (B, M and more).
        threshold: (M,).
        first: the block's first row.
    """
    rows = len(upper)
    upper = nn.functional.pad(upper[:, : len(threshold)], (0, 0, 0, -rows % GROUP), value=-torch.inf)
    grouped = upper.view(GROUP, -1, len(threshold)).permute(2, 0, 1)
    found = _above(grouped, grouped.amax(1), threshold, 0)
    return Candidates(found.j + first, found.i, found.upper)
