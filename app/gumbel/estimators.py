"""The estimator bench: bias against variance where the exact gradient is known, what a sample costs, and a race."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import streamlit as st

from app.bones.notes import notes
from app.controls import apply_settings, controls
from app.figures.estimators import bias_variance, cost_bars, race_curves
from app.furniture import chart, check_table, code_section, copy_link, is_dark, scale, try_section
from app.services import runner
from app.takeaway import rest_of_address
from dgm_core.gumbel.bench_checks import bench_checks
from dgm_core.gumbel.estimators import ESTIMATORS
from dgm_core.gumbel.presets import ESTIMATORS as PRESETS
from dgm_core.gumbel.views import FIRST, TAUS, EstimatorBench, EstimatorRace
from dgm_core.presets import Preset

PREFIX, TAU = "e_", "e_tau"
NAMES = [estimator.title for estimator in ESTIMATORS.values()]
UNBIASED = np.array([estimator.unbiased for estimator in ESTIMATORS.values()])
EVALUATIONS = np.array([estimator.evaluations for estimator in ESTIMATORS.values()])
POLL = 0.2
Found = Sequence[Mapping[str, np.ndarray]]
"""The bench by temperature, as far as it is measured."""
CHOSEN = ("reinforce", "leave-one-out", "gumbel-softmax", "rebar", "reinmax")


def estimators() -> None:
    """Draw the part."""
    picture, panel = st.columns([3, 2], gap="large")
    with panel:
        bench = controls(EstimatorBench, prefix=PREFIX)
        tau = st.select_slider(
            "Temperature τ", list(TAUS), value=FIRST, key=TAU, bind="query-params",
            help="Of those that have one; the faint lines are the whole way.",
        )  # fmt: skip
        st.caption(
            "$E[f(z)]$ over $K$ categories is a sum of $K$ terms, so its gradient is known exactly. Each mark is "
            f"{bench.samples:,} estimates of it."
        )
        _following(bench, lambda found: _costs(found, tau))
    with picture:
        _following(bench, lambda found: _draw(found, tau))
    st.header("Race", anchor="race")
    _race(bench, tau)
    st.header("Check", anchor="check")
    _following(bench, lambda found: _check(found, tau, bench))
    st.header("Try", anchor="try")
    try_section(PRESETS, _apply, key="try_estimators")
    st.header("Take it home", anchor="home")
    copy_link(bench, rest_of_address(bench), key="link_estimators")
    code_section(_code(bench, tau), key="code_estimators")


def _following(bench: EstimatorBench, draw: Callable[[Found], None]) -> None:
    """Draw what the bench has found so far, and again whenever it has found more."""
    run = runner().submit(bench)
    live = runner().watch(run.id).live

    @st.fragment(run_every=POLL if live else None)
    def growing() -> None:
        snapshot = runner().watch(run.id)
        found = sorted((arrays for _, arrays in snapshot.previews), key=lambda arrays: float(arrays["tau"]))
        if snapshot.state in ("failed", "cancelled", "interrupted"):
            notes([snapshot.reason])
        if found:
            draw(found)
        else:
            st.caption("Measuring…")
        if live and not snapshot.live:
            st.rerun()

    growing()


def _nearest(found: Found, tau: float) -> int:
    """Of the temperatures measured so far, the one nearest to the one chosen."""
    taus = np.stack([arrays["tau"] for arrays in found])
    return int(np.argmin(np.abs(np.log(taus / tau))))


def _check(found: Found, tau: float, bench: EstimatorBench) -> None:
    check_table(bench_checks(found[_nearest(found, tau)], bench.objective))


def _costs(found: Found, tau: float) -> None:
    measured = found[_nearest(found, tau)]["microseconds"]
    chart(cost_bars(NAMES, measured, EVALUATIONS, dark=is_dark(), scale=scale()), "costs")
    st.caption("Forward and backward, all samples in one call, on one thread of this machine.")


def _draw(found: Found, tau: float) -> None:
    """The marks, and the way of each as the temperature moves."""
    bias, std = (np.stack([arrays[name] for arrays in found]) for name in ("bias", "std"))
    now = _nearest(found, tau)
    reach = (max(1.0, 1.08 * float(bias.max())), 1.05 * float(min(std.max(), 8.0)))
    dark = is_dark()
    chart(bias_variance(NAMES, UNBIASED, bias, std, now, reach=reach, dark=dark, scale=scale()), "bias_variance")


def _race(bench: EstimatorBench, tau: float) -> None:
    chosen = st.pills(
        "In colour", list(ESTIMATORS), format_func=lambda name: ESTIMATORS[name].title, default=list(CHOSEN),
        selection_mode="multi", key="e_chosen", label_visibility="collapsed",
    )  # fmt: skip
    shared = bench.model_dump(include={"objective", "categories", "spread", "seed"})
    run = runner().submit(EstimatorRace(tau=tau, **shared))
    live = runner().watch(run.id).live

    @st.fragment(run_every=POLL if live else None)
    def racing() -> None:
        snapshot = runner().watch(run.id)
        if snapshot.previews:
            arrays = snapshot.previews[-1][1]
            titles = [ESTIMATORS[name].title for name in chosen]
            figure = race_curves(
                NAMES, arrays["steps"], arrays["values"], float(arrays["best"]), chosen=titles,
                dark=is_dark(), scale=scale(),
            )  # fmt: skip
            chart(figure, "race")
            ends = dict(zip(ESTIMATORS, arrays["arrived"], strict=True))
            st.caption(
                "Gradient descent on the logits, the mean of 16 seeds; a line is the exact $E[f]$, not an estimate. "
                "Seeds whose most probable category is the best one in the end: "
                + " · ".join(f"{ESTIMATORS[name].title} {16 * ends[name]:.0f}" for name in chosen)
            )
        else:
            st.caption("Racing…" if snapshot.live else snapshot.reason)
        if live and not snapshot.live:
            st.rerun()

    racing()


def _apply(preset: Preset) -> None:
    settings = dict(preset.settings)
    st.session_state[TAU] = settings.pop("tau", FIRST)
    apply_settings(EstimatorBench, settings, prefix=PREFIX)


def _code(bench: EstimatorBench, tau: float) -> str:
    changed = bench.differences(type(bench)())
    fields = ", ".join(f"{name}={mine!r}" for name, (mine, _) in changed.items())
    return f"""from dgm_core.gumbel.bench import measure_all
from dgm_core.gumbel.objectives import objective
from dgm_core.gumbel.views import EstimatorBench

bench = EstimatorBench({fields})
f = objective(bench.objective, bench.categories, bench.seed)
for found in measure_all(f, bench.logits(), tau={tau:g}, samples=bench.samples, seed=bench.seed):
    print(f"{{found.name:20}} bias {{found.bias:.3f}} ± {{found.bias_error:.3f}}   std {{found.std:.2f}}")
"""
