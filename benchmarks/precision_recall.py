"""Precision, recall, density and coverage against the package ``prdc``, in turns; and a change of k in the plane.

Peak memory is that of a fresh process, less what it held before the points were compared.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import Row
from dgm_core.metrics import prdc, prdc_curve
from dgm_core.metrics.manifolds import manifolds

NAMES = ("precision", "recall", "density", "coverage")
K, K_MAX = 5, 50
PEAK = """
import json, re
import torch
from benchmarks.precision_recall import gaussians, ours, theirs
torch.set_num_threads({threads})
real, fake = gaussians({count}, {dimension})
work = {{"ours": ours, "prdc": theirs}}["{who}"]
work(real[:200], fake[:200])
peak = lambda name: int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read()).group(1))
before = peak("VmRSS")
work(real, fake)
print(json.dumps((peak("VmHWM") - before) / 2**20))
"""


def tables(*, quick: bool = False) -> dict[str, list[Row]]:
    """All tables: many dimensions, the plane, the plane with many points."""
    count = 3_000 if quick else 10_000
    return {
        f"N = M = {count:,}, k = {K}, float32": [
            row for dimension in (64, 2048) for row in in_space(count, dimension, repeats=1 if quick else 3)
        ],
        "In the plane": in_the_plane(repeats=3 if quick else 7),
        "In the plane, many points": many(5_000 if quick else 50_000),
    }


def gaussians(count: int, dimension: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two independent draws of N(0, I), float32."""
    random = np.random.default_rng(seed)
    return (
        random.standard_normal((count, dimension), dtype=np.float32),
        random.standard_normal((count, dimension), dtype=np.float32),
    )


def ours(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """The four numbers with the rim left out, as the peer has it."""
    found = prdc(real, fake, K, strict=True)
    return {name: getattr(found, name) for name in NAMES}


def theirs(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """The peer's numbers, without its printing."""
    import contextlib
    import io

    from prdc import compute_prdc  # type: ignore[import-untyped]

    with contextlib.redirect_stdout(io.StringIO()):
        found = compute_prdc(real, fake, K)
    return {name: float(found[name]) for name in NAMES}


def in_space(count: int, dimension: int, repeats: int) -> list[Row]:
    """Ours and the peer in turns on the same points: seconds of the clock and of all cores, ratio, memory, differences.

    The peer casts distances to its input's type, so that neighbours in float32 may tie; it is also given the same
    numbers in float64, untimed.
    """
    real, fake = gaussians(count, dimension)
    ours(real[:300], fake[:300])
    theirs(real[:300], fake[:300])
    spent: dict[str, list[float]] = {"ours": [], "prdc": []}
    cores: dict[str, list[float]] = {"ours": [], "prdc": []}
    results: dict[str, dict[str, float]] = {}
    for _ in range(repeats):
        for who, work in (("ours", ours), ("prdc", theirs)):
            start, used = time.perf_counter(), time.process_time()
            results[who] = work(real, fake)
            spent[who].append(time.perf_counter() - start)
            cores[who].append(time.process_time() - used)
    ratio = statistics.median(b / a for a, b in zip(spent["ours"], spent["prdc"], strict=True))
    results["float64"] = theirs(real.astype(np.float64), fake.astype(np.float64))
    apart = {who: max(abs(results["ours"][name] - results[who][name]) for name in NAMES) for who in results}
    return [
        {
            "D": dimension, "who": who, "seconds": statistics.median(spent[who]),
            "times faster": ratio if who == "ours" else 1.0, "core seconds": statistics.median(cores[who]),
            "difference": apart["prdc"] if who == "ours" else None,
            "… float64": apart["float64"] if who == "ours" else None,
            "peak GB": _peak(who, count, dimension),
        }
        for who in spent
    ]  # fmt: skip


def _peak(who: str, count: int, dimension: int) -> float:
    import torch

    script = PEAK.format(who=who, count=count, dimension=dimension, threads=torch.get_num_threads())
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={**os.environ}
    )  # fmt: skip
    return float(json.loads(done.stdout.strip().splitlines()[-1]))


def in_the_plane(repeats: int) -> list[Row]:
    """2,000 + 2,000 points: all k at once, against the peer's time for one."""
    real, fake = gaussians(2_000, 2)
    work: dict[str, Callable[[], Any]] = {
        "ours, k = 1 … 50": lambda: prdc_curve(real, fake, K_MAX),
        f"ours, k = {K}": lambda: ours(real, fake),
        f"prdc, k = {K}": lambda: theirs(real, fake),
    }
    spent: dict[str, list[float]] = {who: [] for who in work}
    for _ in range(repeats):
        for who, run in work.items():
            start = time.perf_counter()
            run()
            spent[who].append(time.perf_counter() - start)
    return [{"who": who, "ms": 1e3 * statistics.median(seconds)} for who, seconds in spent.items()]


def many(count: int) -> list[Row]:
    """All k at once of many points, and a change of k once they are known: the browser's comparisons, in NumPy."""
    real, fake = gaussians(count, 2)
    start = time.perf_counter()
    prdc_curve(real, fake, K_MAX)
    whole = time.perf_counter() - start
    stage = manifolds(real[:5_000], fake[:5_000])
    start = time.perf_counter()
    for k in range(K_MAX):
        _ = (stage.fake_at <= k).mean(), (stage.real_at <= k).mean()
    change = (time.perf_counter() - start) / K_MAX
    return [
        {"what": f"k = 1 … {K_MAX}, {count:,} + {count:,} points", "seconds": whole},
        {"what": "a change of k, 5,000 + 5,000 points (comparisons alone)", "seconds": change},
    ]
