"""Gumbel-Softmax: the estimator bench, relaxed draws and their density against PyTorch's own and the plain loop.

Everything on one thread, so that the figures are those of one visitor among several.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.distributions import RelaxedOneHotCategorical
from torch.nn import functional

from benchmarks.gumbel_peers import TORCH_ESTIMATORS, one_at_a_time, torch_log_prob
from benchmarks.measure import Row, timed
from dgm_core.gumbel import ESTIMATORS, concrete_log_prob, expectation_curve, gumbel_softmax
from dgm_core.gumbel.bench import SAMPLES, measure_all, per_sample_gradients, sweep
from dgm_core.gumbel.checks import checks
from dgm_core.gumbel.objectives import objective
from dgm_core.gumbel.race import race
from dgm_core.nn.threads import alone

CATEGORIES, TAU, DRAWS = 10, 0.5, 100_000
SLOW = 300
"""Samples of the plain loop that are timed; its time is scaled to all."""


def estimator_rows(*, quick: bool) -> list[Row]:
    """Gradients of 10,000 samples by every estimator, a network of ten categories: seconds, bias and deviation."""
    f, logits = _problem()
    slow = SLOW // 10 if quick else SLOW
    marks = {mark.name: mark for mark in measure_all(f, logits, TAU)}
    rows: list[Row] = []
    for name, estimator in ESTIMATORS.items():
        seconds, _ = timed(partial(per_sample_gradients, estimator, f, logits, TAU, SAMPLES, 0), 5)
        loop, _ = timed(partial(one_at_a_time, name, f, logits, TAU, slow), 1)
        row: Row = {"estimator": estimator.title, "s": seconds, "plain loop s": loop * SAMPLES / slow}
        if name in TORCH_ESTIMATORS:
            row["PyTorch's own s"] = timed(partial(TORCH_ESTIMATORS[name], f, logits, TAU, SAMPLES), 5)[0]
        rows.append({**row, "evaluations": estimator.evaluations, "bias": marks[name].bias,
                     "± by chance": marks[name].bias_error, "std of a sample": marks[name].std})  # fmt: skip
    seconds, _ = timed(lambda: measure_all(f, logits, TAU), 5)
    total = sum(row["plain loop s"] for row in rows)
    return [*rows, {"estimator": "all nine, with the exact gradient (goal: 1 s)", "s": seconds, "plain loop s": total}]


def law_rows() -> list[Row]:
    """100,000 draws of ten categories, and their log-density; errors against float64."""
    logits, generator = torch.randn(CATEGORIES, generator=torch.Generator().manual_seed(0)), torch.Generator()
    rows = logits.expand(DRAWS, -1).contiguous()
    law = RelaxedOneHotCategorical(torch.tensor(TAU), logits=rows)
    x = gumbel_softmax(rows.double(), 1.0, generator=generator.manual_seed(0)).float()
    exact = torch_log_prob(x.double() / x.double().sum(-1, keepdim=True), logits.double(), TAU)
    draws: list[tuple[str, Callable[[], Tensor]]] = [
        ("draw: RelaxedOneHotCategorical.rsample", law.rsample),
        ("draw: F.gumbel_softmax", lambda: functional.gumbel_softmax(rows, TAU)),
        ("draw: ours", lambda: gumbel_softmax(rows, TAU, generator=generator)),
    ]
    densities: list[tuple[str, Callable[[], Tensor]]] = [
        ("density: RelaxedOneHotCategorical.log_prob", lambda: torch_log_prob(x, logits, TAU)),
        ("density: ours", lambda: concrete_log_prob(x, logits, TAU)),
    ]
    found: list[Row] = [{"way": title, "s": timed(work, 9)[0]} for title, work in draws]
    for title, work in densities:
        seconds, values = timed(work, 9)
        found.append({"way": title, "s": seconds, "max error (nats)": float((values.double() - exact).abs().max())})
    return found


def page_rows() -> list[Row]:
    """What the page asks for when a control moves."""
    f, logits = _problem()
    taus = torch.logspace(-1, 1, 60, dtype=torch.float64).numpy()
    works: list[tuple[str, Callable[[], object]]] = [
        ("the Check table, K = 3, 20,000 draws", lambda: checks([0.6, 0.3, 0.1], TAU)),
        ("the Check table, K = 20, 20,000 draws", lambda: checks([1.0] * 20, TAU)),
        ("E z at 60 temperatures, quadrature", lambda: expectation_curve([0.6, 0.3, 0.1], taus)),
        ("trail of all estimators over 9 temperatures, 2,000 samples", lambda: sweep(f, logits, taus[::7].tolist())),
        ("race: nine estimators, 300 steps, 16 seeds", lambda: race(f, torch.zeros(CATEGORIES), TAU)),
    ]
    return [{"what": title, "s": timed(work, 3)[0]} for title, work in works]


def tables(*, quick: bool = False) -> dict[str, list[Row]]:
    """All tables by title, on one thread.

    Args:
        quick: a tenth of the plain loop.
    """
    with alone():
        return {
            f"Gradient of E f(z), K = {CATEGORIES}, a network, τ = {TAU:g}, {SAMPLES:,} samples": estimator_rows(
                quick=quick
            ),
            f"{DRAWS:,} relaxed draws of {CATEGORIES} categories at τ = {TAU:g}": law_rows(),
            "What the page asks for": page_rows(),
        }


def _problem() -> tuple[Callable[[Tensor], Tensor], Tensor]:
    logits = torch.randn(CATEGORIES, generator=torch.Generator().manual_seed(0))
    return objective("network", CATEGORIES), logits
