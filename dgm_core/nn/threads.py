"""Rows shared among a few Python threads, each of which runs torch's operators alone.

Torch shares out every single operator and waits at its end for the slowest thread. On a machine that does something
else as well, that thread may have lost its core: small operators then take fifty times as long. Shared out by rows, a
thread that has lost its core holds up nobody until the very end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from itertools import pairwise

import torch

Work = Callable[[int, slice], None]
"""(which share, 0 …; its rows) → writes its results where they belong."""


_granted = threading.local()


@contextmanager
def alone() -> Iterator[None]:
    """Torch's operators run on the calling thread only, within this block; `spread` still uses as many as before.

    Example:
        >>> with alone():
        ...     torch.get_num_threads()
        1
    """
    before, granted = torch.get_num_threads(), getattr(_granted, "threads", None)
    _granted.threads = granted or before
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _granted.threads = granted


def shares(rows: int, least: int) -> list[slice]:
    """Rows cut into as many equal shares as torch may use threads, none smaller than ``least`` but for a single one.

    Example:
        >>> shares(100, least=100)
        [slice(0, 100, None)]
    """
    threads = getattr(_granted, "threads", None) or torch.get_num_threads()
    count = max(1, min(threads, rows // least))
    edges = [rows * k // count for k in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def spread(work: Work, rows: int, least: int) -> None:
    """Do ``work`` on all rows, shared among threads; returns when all is done, raises what a share raised.

    Args:
        work: must not spread work of its own, and must write to rows of its share only.
        rows: how many rows there are.
        least: rows that are worth a thread.
    """
    parts = shares(rows, least)
    if len(parts) == 1:
        with alone():
            work(0, parts[0])
        return
    crew = _crew(os.getpid())
    futures: list[Future[None]] = [crew.submit(work, index, part) for index, part in enumerate(parts[1:], 1)]
    try:
        with alone():
            work(0, parts[0])
    finally:
        for future in futures:
            future.exception()
    for future in futures:
        future.result()


@lru_cache(maxsize=1)
def _crew(process: int) -> ThreadPoolExecutor:
    """The threads of this process, each running operators alone; a forked child gets its own."""
    return ThreadPoolExecutor(os.cpu_count() or 1, "rows", initializer=_single)


def _single() -> None:
    """This thread runs operators alone from now on."""
    # A thread takes over the process's number when torch is first used in it: ask first, or that would come later.
    torch.get_num_threads()
    torch.set_num_threads(1)
