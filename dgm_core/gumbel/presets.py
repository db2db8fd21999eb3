"""The page's Try sections but for the VAE's: predictions first, then the stage, the race or the bench shows it.

Numbers in a reveal are computed here where that takes no time; those of the bench are measured by a test.
"""

from __future__ import annotations

from dgm_core.gumbel.expectation import expectation_curve
from dgm_core.presets import Preset

PI = (0.6, 0.3, 0.1)
STRAIGHT_BIAS = {"linear": 0.0, "network": 0.57}
"""Relative bias of straight-through on the bench's default logits: nothing for a linear f, much for a network."""
LARGEST_WINS, WINNERS_SHARE = 0.60, 0.41
"""Of draws with π = (9, 1, …, 1)/18: the share where the winner has the largest noise. Of 20 equal categories at τ = 1:
the winner's mean share of the softmax."""
SOFT = {0.1: (0.06, 5.8), 2.0: (0.51, 0.34)}
"""Relative bias and standard deviation of Gumbel-Softmax on the default bench, by temperature."""


def _moved(tau: float) -> tuple[float, ...]:
    return tuple(float(value) for value in expectation_curve(PI, [tau])[0])


def _at_five() -> Preset:
    first, _, last = _moved(5.0)
    return Preset(
        name="at-five",
        question="At τ = 5, which bars change: P(argmax) or E[z]?",
        options=("P(argmax)", "E[z]", "Both"),
        answer=1,
        reveal=f"E[z₁] falls from .6 to {first:.3f} and E[z₃] rises from .1 to {last:.3f}; P(argmax) stays at .6, .3, "
        ".1: dividing by τ changes how hard the choice is, never which one wins.",
        settings={"weights": "0.6,0.3,0.1", "tau": 5.0},
    )


SIMPLEX: tuple[Preset, ...] = (
    _at_five(),
    Preset(
        name="flat-centre",
        question="Uniform π. τ rises from .3. When does the centre of the triangle stop being a valley of the density?",
        options=("At τ = ½", "At τ = 1", "Never"),
        answer=1,
        reveal="At τ = 1 the density of uniform π is nearly flat at the centre and its curvature there turns. "
        "τ = ½ is the other border: until there the density is log-convex on the whole triangle; just above it only "
        "its edges give way.",
        settings={"weights": "1,1,1", "tau": 1.0},
    ),
    Preset(
        name="never-drawn",
        question="π₃ = 0, and τ = 20: almost everything is pulled to the centre. Where are the samples?",
        options=("At the centre", "On the edge between 1 and 2", "Nowhere: log 0 breaks it"),
        answer=1,
        reveal="log π₃ = −∞ stays −∞ whatever τ divides it by: z₃ = 0 exactly, and the cloud sits around the middle of "
        "the edge between 1 and 2.",
        settings={"weights": "0.6,0.4,0", "tau": 20.0},
    ),
    Preset(
        name="argmax",
        question="τ = 0. What is left of Gumbel-Softmax?",
        options=("NaN: a division by 0", "Gumbel-Max: corners only", "Uniform noise"),
        answer=1,
        reveal="As τ → 0 softmax becomes argmax: every sample sits in a corner, corner k with probability π_k. The "
        "value is right, and the gradient is gone: moving log π a little moves no sample.",
        settings={"weights": "0.6,0.3,0.1", "tau": 0.0},
    ),
)

CATEGORIES: tuple[Preset, ...] = (
    Preset(
        name="noise",
        question="Ten categories, one with π = ½. How often does the largest noise G belong to the winner?",
        options=("Always", "In about 6 draws of 10", "In 1 draw of 10"),
        answer=1,
        reveal=f"In {100 * LARGEST_WINS:.0f} % of draws. The noises are alike, so the strong category has the largest "
        "in one draw of ten and yet wins every other one; a weak one wins only with noise that is nearly the largest.",
        settings={"weights": "9,1,1,1,1,1,1,1,1,1", "tau": 1.0},
    ),
    Preset(
        name="even",
        question="Twenty equal categories, τ = 1. How large is the winner's share of the softmax, on average?",
        options=("0.05", "About 0.2", "About 0.4"),
        answer=2,
        reveal=f"{WINNERS_SHARE:.2f}. A relaxed draw is far from uniform though π is uniform: Gumbel noise alone makes "
        "one category stand out. Only the mean over draws is 1/20 each.",
        settings={"weights": ",".join(["1"] * 20), "tau": 1.0},
    ),
)

ESTIMATORS: tuple[Preset, ...] = (
    Preset(
        name="linear",
        question="Straight-through pretends that argmax is the identity. For a linear f, how biased is it?",
        options=("Very", "A little", "Not at all"),
        answer=2,
        reveal="E[cᵀz] = cᵀπ, and straight-through differentiates exactly that: its mark sits at 0, 0. For the network "
        f"its bias is {STRAIGHT_BIAS['network']:.2f} of the gradient's length.",
        settings={"objective": "linear"},
    ),
    Preset(
        name="cold",
        question="Gumbel-Softmax, τ from 2 down to .1. What is the price of less bias?",
        options=("Time", "Variance", "None"),
        answer=1,
        reveal=f"For the network the bias falls from {SOFT[2.0][0]:.2f} to {SOFT[0.1][0]:.2f} while one sample's "
        f"standard deviation rises from {SOFT[2.0][1]:.2f} to {SOFT[0.1][1]:.1f} times the gradient: the softmax is "
        "nearly a step, flat almost everywhere and steep where it is not.",
        settings={"objective": "network", "tau": 0.1},
    ),
    Preset(
        name="quadratic",
        question="ReinMax corrects straight-through to second order. On a quadratic f, how biased is it?",
        options=("As much as straight-through", "Half as much", "Not at all"),
        answer=2,
        reveal="ReinMax is Heun's method where straight-through is Euler's: for a quadratic f the second-order rule is "
        "exact, and its mark moves to bias 0. It pays in variance.",
        settings={"objective": "quadratic"},
    ),
)
