"""Many dimensions: who lies in whose ball, through `Screen`, in memory that grows with N + M and not with N · M."""

from __future__ import annotations

import threading

import numpy as np
import torch
from torch import Tensor

from dgm_core.metrics.candidates import Candidates, above, by_columns, by_rows
from dgm_core.metrics.distances import squared_pairs
from dgm_core.metrics.ranks import Covering, rank
from dgm_core.metrics.screen import GROUP, Frame, Screen, share_out

Ranked = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Pairs (i, j) and a column for each, (P,)."""


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
    tables = radii_x.cpu().numpy(), radii_y.cpu().numpy()

    def ranked(near: Candidates, side: int) -> Ranked:
        """Pairs in a ball of either side, and the column of its radii from which on they are."""
        ball, rims, radii = (near.i, rims_x, radii_x) if side == 0 else (near.j, rims_y, radii_y)
        squared = _squares(screen, x, y, near, rims[ball], radii[ball, -1], one=radii.shape[1] == 1)
        at = rank(squared.cpu().numpy(), tables[side], ball.cpu().numpy(), strict)
        inside = at < tables[side].shape[1]
        return near.i.cpu().numpy()[inside], near.j.cpu().numpy()[inside], at[inside]

    def work(_: int, share: slice) -> None:
        for rows, upper in screen.blocks(share):
            block = by_rows(upper, screen.groups, rows.start)
            by_real = ranked(above(block, screen.floor(rims_x[rows])), 0)
            block = by_columns(upper[:, : len(y)], GROUP // 2, rows.start)
            near = above(block, screen.floor(rims_y))
            by_fake = ranked(Candidates(near.j, near.i, near.upper), 1)
            with lock:
                found.add_real_balls(*by_real)
                found.add_fake_balls(by_fake[0], by_fake[2])

    share_out(work, x)
    return found


def _squares(
    screen: Screen, x: Tensor, y: Tensor, near: Candidates, rims: Tensor, largest: Tensor, *, one: bool
) -> Tensor:  # fmt: skip
    """Squared distances of pairs, as exactly as the comparison with their balls needs them.

    Args:
        screen: of x and y.
        x, y: the points.
        near: pairs (P,).
        rims: (P,), v on the rim of the largest ball of each pair.
        largest: (P,), its squared radius.
        one: whether that is the only ball; then −1 stands for surely inside, infinity for surely outside.
    """
    upper = near.upper.double()
    if not one:
        return squared_pairs(x, y, near.i, near.j)
    squared = torch.full_like(upper, -1.0)
    unsure = (upper - screen.slack(near.i, near.j, upper) <= rims).nonzero()[:, 0]
    if x.dtype == y.dtype == torch.float32:
        least, most = screen.rough(x, y, near.i[unsure], near.j[unsure])
        squared[unsure[least > largest[unsure]]] = torch.inf
        unsure = unsure[(least <= largest[unsure]) & (most >= largest[unsure])]
    squared[unsure] = squared_pairs(x, y, near.i[unsure], near.j[unsure])
    return squared
