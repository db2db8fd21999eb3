"""Rows shared among threads: every row once, errors raised, torch's own setting left as it was."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dgm_core.nn.threads import alone, shares, spread


@given(st.integers(1, 10_000), st.integers(1, 500))
def test_shares_cover_every_row_once(rows: int, least: int) -> None:
    assert [i for part in shares(rows, least) for i in range(part.start, part.stop)] == list(range(rows))


@pytest.mark.parametrize("threads", [1, 2])
def test_work_is_done_on_all_rows(threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        out, seen = torch.zeros(1000), []

        def work(index: int, rows: slice) -> None:
            seen.append((index, torch.get_num_threads()))
            out[rows] += 1

        spread(work, 1000, 10)
        assert bool((out == 1).all())
        assert len(seen) == threads
        assert all(own == 1 for _, own in seen)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_a_share_that_fails_is_raised_after_the_others_have_ended() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        ended = []

        def work(index: int, rows: slice) -> None:
            if index == 1:
                raise ArithmeticError("share 1")
            ended.append(index)

        with pytest.raises(ArithmeticError, match="share 1"):
            spread(work, 100, 10)
        assert ended == [0]
    finally:
        torch.set_num_threads(before)


def test_alone_may_be_nested_and_spread_still_uses_the_threads_of_before() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with alone(), alone():
            assert torch.get_num_threads() == 1
            assert len(shares(100, 10)) == 2
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
