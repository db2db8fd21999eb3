"""Pairs of a block of bounds that may be near: groups of columns first, then only those that pass."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from dgm_core.metrics.screen import Screen

DENSE = 8
"""Where more than one in so many groups passes, all are looked into: that is cheaper than to gather them."""


class Candidates(NamedTuple):
    """Pairs that passed: indices and the upper bounds of their v, each (P,)."""

    i: Tensor
    j: Tensor
    upper: Tensor


class Block(NamedTuple):
    """A block of upper bounds in groups.

    Args:
        grouped: (B, depth, groups); column c of a group g stands for column c · groups + g.
        best: (B, groups), the groups' maxima.
        row, column: where the block begins.
    """

    grouped: Tensor
    best: Tensor
    row: int
    column: int = 0


def by_rows(upper: Tensor, groups: int, row: int, column: int = 0) -> Block:
    """A block as it lies: (B, C) with C a multiple of ``groups``."""
    grouped = upper.view(len(upper), -1, groups)
    return Block(grouped, grouped.amax(1), row, column)


def by_columns(upper: Tensor, groups: int, row: int, column: int = 0) -> Block:
    """The same block seen from its columns, filled up to whole groups: (B, C) → C rows in so many groups."""
    upper = nn.functional.pad(upper, (0, 0, 0, -len(upper) % groups), value=-torch.inf)
    stacked = upper.view(-1, groups, upper.shape[1])
    return Block(stacked.permute(2, 0, 1), stacked.amax(0).T.contiguous(), column, row)


def lower_bounds(screen: Screen, block: Block, k: int) -> Tensor:
    """(B, k + 1) float64: numbers that so many pairs of each row exceed, perhaps one of them with itself."""
    size, depth, groups = block.grouped.shape
    want = k + 1
    if depth * groups < want:
        return block.best.new_full((size, want), -torch.inf, dtype=torch.float64)
    if groups < want:  # too few groups to tell k + 1 pairs apart
        values, place = block.grouped.reshape(size, -1).double().topk(want, dim=1)
    else:
        chosen = block.best.topk(want, dim=1).indices
        top, deep = block.grouped.gather(2, chosen[:, None].expand(size, depth, want)).max(1)
        values, place = top.double(), deep * groups + chosen
    j = (block.column + place).clamp_max_(screen.count - 1)  # what fills up a group is far below all bounds
    i = torch.arange(block.row, block.row + size, device=j.device)[:, None].expand_as(j)
    slack = screen.slack(i.reshape(-1), j.reshape(-1), values.reshape(-1)).reshape(values.shape)
    return (values - slack).nan_to_num_(-torch.inf)


def above(block: Block, threshold: Tensor) -> Candidates:
    """Pairs whose upper bound is at least their row's threshold.

    Args:
        block: in groups.
        threshold: (B,) in the block's type.
    """
    grouped, best, first, column = block
    size, _, groups = grouped.shape
    row, group = (best >= threshold[:, None]).nonzero(as_tuple=True)
    if len(row) * DENSE > size * groups:
        row, flat = (grouped.reshape(size, -1) >= threshold[:, None]).nonzero(as_tuple=True)
        return Candidates(row + first, flat + column, grouped.reshape(size, -1)[row, flat])
    inside = grouped[row, :, group]
    hit, place = (inside >= threshold[row, None]).nonzero(as_tuple=True)
    return Candidates(row[hit] + first, place * groups + group[hit] + column, inside[hit, place])
