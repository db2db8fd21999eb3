"""Many dimensions: distances to the nearest neighbours. Each product serves both of its points."""

from __future__ import annotations

import math
import threading

import torch
from torch import Tensor

from dgm_core.metrics.candidates import Candidates, above, by_columns, by_rows, lower_bounds
from dgm_core.metrics.distances import squared_pairs
from dgm_core.metrics.screen import Frame, Screen, grouping, share_out
from dgm_core.nn.threads import spread

SAMPLE = 128
"""Rows by which it is seen how far neighbours are."""
TILES, TILE = 8, (1024, 4096)
"""Into how many blocks the points are cut, and the least and most rows of one."""
MOST = 2**24
"""Candidates that are kept at once; where ties make more, one goes row by row."""
CHUNK = 2048
"""Rows whose candidates are ranked together."""


def neighbour_squares(x: Tensor, k: int, frame: Frame, *, all_k: bool = True) -> Tensor:
    """Squared distances to the k nearest others.

    Args:
        x: (N, D).
        k: below N.
        frame: of x.
        all_k: whether all k are wanted, or the last alone.

    Returns:
        (N, k) ascending, or (N, 1): float64.
    """
    screen = Screen(x, x, frame)
    _, first = next(screen.blocks(slice(0, min(len(x), SAMPLE))))
    screen.shift_to(-float(lower_bounds(screen, by_rows(first, screen.groups, 0), k).amin(1).median()))
    out = torch.empty(len(x), k if all_k else 1, dtype=torch.float64, device=x.device)
    found = _symmetric(screen, x, k)
    if found is None:
        _row_by_row(screen, x, k, out)
        return out
    order = found.i.argsort(stable=True)
    found = Candidates(found.i[order], found.j[order], found.upper[order])
    ends = torch.bincount(found.i, minlength=len(x)).cumsum(0)

    def rank(_: int, share: slice) -> None:
        for start in range(share.start, share.stop, CHUNK):
            rows = slice(start, min(start + CHUNK, share.stop))
            part = slice(int(ends[start - 1]) if start else 0, int(ends[rows.stop - 1]))
            out[rows] = _nearest(screen, x, Candidates(*(each[part] for each in found)), rows, k, all_k)

    share_out(rank, x)
    return out


def _symmetric(screen: Screen, x: Tensor, k: int) -> Candidates | None:
    """All pairs that may be among the k nearest of their first point; None where there are too many.

    Of N² products half are made. Every tile gives lower bounds of the k + 1 largest v of each of its rows and columns;
    the least of the k + 1 best ones so far decides who passes.
    """
    step = 64 * math.ceil(min(max(len(x) / TILES, TILE[0]), TILE[1]) / 64)
    starts = range(0, len(x), step)
    tiles = [(a, b) for a in starts for b in starts if a <= b]
    best = torch.full((len(x), k + 1), -torch.inf, dtype=torch.float64, device=x.device)
    found: list[Candidates] = []
    lock, total = threading.Lock(), [0]

    def work(_: int, share: slice) -> None:
        for a, b in tiles[share]:
            if total[0] > MOST:
                return
            rows, columns = slice(a, min(a + step, len(x))), slice(b, min(b + step, len(x)))
            upper = screen.a[rows] @ screen.b[columns].T
            blocks = [by_columns(upper, grouping(len(upper)), a, b)]
            if a != b:
                fill = -upper.shape[1] % grouping(upper.shape[1])
                padded = torch.nn.functional.pad(upper, (0, fill), value=-torch.inf) if fill else upper
                blocks.append(by_rows(padded, grouping(upper.shape[1]), a, b))
            for block in blocks:
                near = slice(block.row, block.row + len(block.best))
                lower = lower_bounds(screen, block, k)
                with lock:
                    best[near] = torch.cat([best[near], lower], dim=1).topk(k + 1, dim=1, sorted=False).values
                    bound = best[near].amin(1)
                kept = above(block, screen.floor(bound))
                with lock:
                    found.append(kept)
                    total[0] += len(kept.i)

    if x.is_cuda:
        work(0, slice(0, len(tiles)))
    else:
        spread(work, len(tiles), least=1)
    if total[0] > MOST:
        return None
    i, j, upper = (torch.cat(parts) for parts in zip(*found, strict=True))
    keep = (i != j) & (upper >= screen.floor(best.amin(1))[i])
    return Candidates(i[keep], j[keep], upper[keep])


def _row_by_row(screen: Screen, x: Tensor, k: int, out: Tensor) -> None:
    """The same with whole rows, a block at a time: as much memory whatever the ties."""

    def work(_: int, share: slice) -> None:
        for rows, upper in screen.blocks(share):
            block = by_rows(upper, screen.groups, rows.start)
            near = above(block, screen.floor(lower_bounds(screen, block, k).amin(1)))
            others = near.i != near.j
            near = Candidates(*(each[others] for each in near))
            out[rows] = _nearest(screen, x, near, rows, k, out.shape[1] > 1)

    share_out(work, x)


def _nearest(screen: Screen, x: Tensor, near: Candidates, rows: slice, k: int, all_k: bool) -> Tensor:
    """The k nearest of each row among its candidates, exactly: (B, k) ascending, or the last alone (B, 1)."""
    row, upper = near.i - rows.start, near.upper.double()
    size = rows.stop - rows.start
    lower = upper - screen.slack(near.i, near.j, upper)
    least = -_table(-lower, row, size).topk(k, dim=1, largest=False).values[:, -1]
    keep = upper >= screen.floor(least).double()[row]
    row, i, j = row[keep], near.i[keep], near.j[keep]
    if all_k or x.dtype != torch.float32:
        squares = _table(squared_pairs(x, x, i, j), row, size).topk(k, dim=1, largest=False, sorted=True).values
        return squares if all_k else squares[:, -1:]
    least, most = screen.rough(x, x, i, j)
    # The k-th squared distance lies between the k-th of the lower bounds and the k-th of the upper ones.
    kth_least, kth_most = (
        _table(bound, row, size).topk(k, dim=1, largest=False).values[:, -1] for bound in (least, most)
    )
    below = most < kth_least[row]
    middle = ~below & (least <= kth_most[row])
    wanted = k - torch.bincount(row[below], minlength=size)
    exact = _table(squared_pairs(x, x, i[middle], j[middle]), row[middle], size).sort(dim=1).values
    return exact.gather(1, wanted[:, None] - 1)


def _table(values: Tensor, row: Tensor, rows: int) -> Tensor:
    """Values (P,) of rows (P,) as (rows, most of any), filled up with infinity."""
    order = row.argsort(stable=True)
    counts = torch.bincount(row, minlength=rows)
    place = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row[order]]
    table = values.new_full((rows, max(1, int(counts.max()))), torch.inf)
    table[row[order], place] = values[order]
    return table
