"""The page's Try section: predictions first, then shipped flows that show what happens.

Every number in a reveal is read from the shipped runs, not typed, but for two that take a film to measure; a test
measures those.
"""

from __future__ import annotations

import numpy as np

from dgm_core import zoo
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.presets import Preset

WRONG_BY = 11
"""Nats by which the misread film of the default flow is off at most, where p_t is above 1e-3 of its frame's peak."""
EULER_MASS = 1.76
"""What the default flow's “density” integrates to over the film's window when four Euler steps compute it."""
NEAR = 0.05


def _gap(name: str) -> float:
    return zoo.figures(name)["gap"]


def _last_loss(name: str) -> float:
    """The mean of the last tenth of the reported training losses, in nats."""
    losses = zoo.metrics(name)["loss"]
    return float(losses[-max(1, len(losses) // 10) :].mean())


def _seconds_until_near(name: str) -> float:
    """Seconds of the recorded training until its held-out gap was first at most `NEAR` nats."""
    metrics = zoo.metrics(name)
    near = np.flatnonzero(metrics["gap"] <= NEAR)
    return float(metrics["seconds"][near[0]]) if len(near) else float("inf")


def _seconds(name: str) -> float:
    """Seconds of the recorded training."""
    return float(zoo.metrics(name)["seconds"][-1])


def _declared(name: str) -> DensityFlow:
    recipe = zoo.experiment(name)
    assert isinstance(recipe, DensityFlow)
    return recipe


def _settings(name: str) -> dict[str, object]:
    """The fields in which a shipped flow differs from the page's first one."""
    recipe = zoo.experiment(name)
    return {field: mine for field, (mine, _) in recipe.differences(type(recipe)()).items()}


def _one_probe() -> Preset:
    exact, probe = _gap("cnf-8gaussians-likelihood"), _gap("cnf-8gaussians-hutchinson")
    return Preset(
        name="one-probe",
        question="The trace by one random probe a point, instead of exactly: will training still find the density?",
        options=("No, the noise swamps it", "Yes, but far less well", "Yes, as well"),
        answer=2,
        reveal=f"A probe is right on average, and a training averages over millions of them: the gap to the entropy is "
        f"{probe:.3f} nats, with the exact trace {exact:.3f}. As a picture of one density, a single probe is useless.",
        settings=_settings("cnf-8gaussians-likelihood"),
        against={"trace": "rademacher"},
    )


def _below_the_entropy() -> Preset:
    name, fine = "cnf-8gaussians-coarse", "cnf-8gaussians-likelihood"
    below = _declared(name).law().entropy or 0.0
    return Preset(
        name="below-the-entropy",
        question="Trained through four RK4 steps, the loss falls below the target's entropy. No density can do that. "
        "What happened?",
        options=("It learned the points by heart", "It learned the solver's errors", "The entropy is wrong"),
        answer=1,
        reveal=f"The loss ends {below - _last_loss(name):.2f} nats below the entropy, but solved finely the same field "
        f"is {_gap(name):.2f} nats above it: it is steep where four steps do not look. With six steps the gap is "
        f"{_gap(fine):.3f}.",
        settings=_settings(name),
        against={"solver_steps": 6},
    )


def _layers_or_time() -> Preset:
    name = "cnf-8gaussians-planar"
    return Preset(
        name="layers-or-time",
        question=f"{_declared(name).layers} discrete planar layers, each one fold of the plane, trained by "
        "likelihood: can they make eight separate hills?",
        options=("No, one ring", "Hills joined by bridges", "Yes, as well as a continuous flow"),
        answer=2,
        reveal=f"Their gap is {_gap(name):.3f} nats, the continuous MLP's {_gap('cnf-8gaussians'):.3f}; but they were "
        f"trained for {_seconds(name):.0f} s against {_seconds('cnf-8gaussians'):.0f}, and play the film: layer by "
        "layer nothing looks like a flow.",
        settings={},
        against={"model": "planar"},
    )


def _by_the_clock() -> Preset:
    matching, likelihood = (_seconds_until_near(name) for name in ("cnf-8gaussians", "cnf-8gaussians-likelihood"))
    return Preset(
        name="by-the-clock",
        question=f"Likelihood minimises the very number that is measured; flow matching solves no ODE. Which is first "
        f"within {NEAR} nats of the entropy, by the clock?",
        options=("Flow matching", "Maximum likelihood", "Neither by much"),
        answer=0,
        reveal=f"When these models were made, flow matching was there after {matching:.1f} s, maximum likelihood after "
        f"{likelihood:.1f} s. A likelihood step learns more, but it pays for a solve and its gradient.",
        settings=_settings("cnf-8gaussians-likelihood"),
        against={"objective": "flow-matching"},
    )


PRESETS: tuple[Preset, ...] = (
    _one_probe(),
    _below_the_entropy(),
    _by_the_clock(),
    _layers_or_time(),
)
"""For `DensityFlow`."""

FILM_PRESETS: tuple[Preset, ...] = (
    Preset(
        name="misread-film",
        question="A well-known example solves once from t = 1 to t = 0 and draws every state on the way as p_t. Is it?",
        options=("Yes", "Only at both ends", "Only at t = 0"),
        answer=1,
        reveal=f"Half-way the state is no base point yet, so its log-density is not the base's: off by up to "
        f"{WRONG_BY} nats for this flow, where p_t is visible. Each frame needs its own way back to t = 0.",
        settings={"kind": "composed"},
        against={"kind": "wrong"},
    ),
    Preset(
        name="four-euler-steps",
        question="Four Euler steps instead of dopri5: what becomes of the density?",
        options=("It looks the same", "It no longer integrates to 1", "It vanishes"),
        answer=1,
        reveal=f"Four steps move points roughly right, but the sum of four traces is not the logarithm of the volume "
        f"change: what is drawn integrates to {EULER_MASS:.2f}, so it is none.",
        settings={"kind": "solver", "method": "dopri5"},
        against={"method": "euler", "solver_steps": 4},
    ),
)
"""For `FlowFilm`."""
