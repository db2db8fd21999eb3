"""The page's Try sections: predictions first, then the stage or the curves show it; a test measures every number."""

from __future__ import annotations

from dgm_core.presets import Preset

OUTLIERS = {0: 0.07, 4: 0.80}
"""Precision of uniform noise, by the number of outliers among 500 real points of one Gaussian, k = 3."""
MEMORISED = (1.0, 1.0, 1.33)
"""Precision, recall and density of 500 generated points that are copies of the 500 real ones, k = 3."""
DROPPED = (0.97, 0.82)
"""Precision and recall with one of eight Gaussians missing, k = 3."""
SHRUNK, WIDENED = (0.97, 0.41), (0.59, 0.91)
"""Precision and recall of one Gaussian whose generated points have σ = 0.3, and 3, k = 3."""
HONEST, NOISY, FADED = (0.99, 0.96), (0.03, 1.0), (0.06, 0.0)
"""Precision and recall of held-out digits at k = 5: as they are, with noise .3 in pixels, with half the contrast."""
HIGH_DIMENSION = {2: 0.98, 64: 0.63, 512: 0.51}
"""Precision of equal laws N(0, I), n = 1,000, k = 3, by dimension."""
ORPHANS = {2: 0.02, 512: 0.48}
"""Share of points that are nobody's neighbour there."""
FEWER = {50: 0.73, 5000: 0.59}
"""Precision of equal laws in 64 dimensions by n, k = 3."""
COLD = {1.0: (0.97, 0.97), 0.1: (0.78, 0.07)}
"""Precision and recall of the flow of eight Gaussians, by temperature."""
COOLED = {"pca": (1.0, 0.10), "classifier": (0.03, 0.16)}
"""Precision and recall of the prior of shapes at temperature 0.25, by the space of the distances, k = 5."""
PLAIN, HEATED = {"pca": (0.98, 0.95), "classifier": (0.88, 0.85)}, {"pca": (0.84, 0.56), "classifier": (0.54, 0.26)}
"""The same at temperature 1, and 2."""

PLANE: tuple[Preset, ...] = (
    Preset(
        name="printed",
        question="The formula as printed has the radius at g. Generated points are shifted by 10. Precision?",
        options=("0", "About ½", "1"),
        answer=2,
        reveal="1, and so is recall. Each g's own k-th neighbour among the real points is within its own radius, by "
        "definition: the printed test is true for every g. With the radius at g′ both numbers are 0.",
        settings={"shift": 10.0, "formula": "printed"},
    ),
    Preset(
        name="outliers",
        question="500 real points, uniform noise as generated. Four real points move far out. What does precision do?",
        options=("Nothing: 4 of 500", "It falls", "It jumps"),
        answer=2,
        reveal=f"From {OUTLIERS[0]:.2f} to {OUTLIERS[4]:.2f}. The balls of four lonely points are huge and swallow the "
        "noise. Density divides by k and counts balls: it stays far below 1.",
        settings={"real": "gaussian", "fake": "uniform", "real_outliers": 4},
    ),
    Preset(
        name="memorise",
        question="Every generated point is a copy of a real one. Which of the four numbers gives the thief away?",
        options=("Precision", "Coverage", "None"),
        answer=2,
        reveal=f"Precision {MEMORISED[0]:.0f}, recall {MEMORISED[1]:.0f}, coverage 1, density 1 + 1/k = "
        f"{MEMORISED[2]:.2f}: better than an honest generator in all four. Only held-out points would tell.",
        settings={"memorise": 1.0},
    ),
    Preset(
        name="drop",
        question="The generator has lost one of eight modes and is perfect otherwise. Precision and recall?",
        options=("Both fall", "Precision stays, recall falls by about ⅛", "Precision falls"),
        answer=1,
        reveal=f"Precision {DROPPED[0]:.2f}, recall {DROPPED[1]:.2f}: every sample looks right, and an eighth of the "
        "data is never made. That is what two numbers are for.",
        settings={"drop": 0.125},
    ),
    Preset(
        name="collapse",
        question="One Gaussian; generated points shrink to 30 % of its width. Precision and recall at k = 3?",
        options=("Nearly 1, and about 0.4", "Nearly 1, and nearly 0", "About 0.4, and nearly 1"),
        answer=0,
        reveal=f"{SHRUNK[0]:.2f} and {SHRUNK[1]:.2f}. All samples lie in the thick of the data, and the few balls at "
        "the rim of the small cloud are wide enough to hold much of the rest. With three times the width it is "
        f"{WIDENED[0]:.2f} and {WIDENED[1]:.2f}; in 64 dimensions such pairs give exactly 1 and 0.",
        settings={"real": "gaussian", "scale": 0.3},
    ),
)

SETS: tuple[Preset, ...] = (
    Preset(
        name="honest",
        question="Digits held out from the real set play the generator. Are precision and recall 1?",
        options=("Both are 1", "Nearly 1, not quite", "About ½"),
        answer=1,
        reveal=f"{HONEST[0]:.2f} and {HONEST[1]:.2f} at k = 5: even other digits of the same law do not lie in every "
        "ball. That, not 1, is what a generator is to be measured against.",
        settings={"generated": "set:digits-test"},
    ),
    Preset(
        name="noise",
        question="Noise is added to held-out digits. In raw pixels, what happens to precision and recall?",
        options=("Both fall", "Precision falls to 0, recall stays near 1", "Recall falls, precision stays"),
        answer=1,
        reveal=f"Precision {NOISY[0]:.2f}, recall {NOISY[1]:.2f}. Noise pushes every image away from all others, so "
        "generated balls are huge and hold the real digits. A number is only as good as its space.",
        settings={"generated": "set:digits-test", "change": "noise", "embed": "pixels"},
    ),
    Preset(
        name="fade",
        question="Held-out digits lose half of their contrast. To the eye they are the same digits. Precision?",
        options=("Stays", "Falls to about ½", "Falls to nearly 0"),
        answer=2,
        reveal=f"{FADED[0]:.2f} in the classifier's space, recall {FADED[1]:.2f}. The network was trained at full "
        "contrast and takes half of it for another world; who normalises images first sees nothing of this.",
        settings={"generated": "set:digits-test", "change": "fade", "amount": 0.5},
    ),
)

CURVES: tuple[Preset, ...] = (
    Preset(
        name="high-dimension",
        question="Real and generated points have the very same law, N(0, I). What is precision in 512 dimensions?",
        options=("1", "About ½", "Nearly 0"),
        answer=1,
        reveal=f"{HIGH_DIMENSION[512]:.2f}, and {HIGH_DIMENSION[2]:.2f} in the plane: a perfect generator gets no 1. "
        f"Neighbourhoods become hubs: {100 * ORPHANS[512]:.0f} % of the points are nobody's neighbour "
        f"({100 * ORPHANS[2]:.0f} % in the plane). Density and coverage keep their expected values in any dimension.",
        settings={"axis": "dimension"},
    ),
    Preset(
        name="more-points",
        question="Equal laws in 64 dimensions, k = 3. From 50 to 5,000 points: does precision rise?",
        options=("It rises to 1", "It stays", "It falls"),
        answer=2,
        reveal=f"From {FEWER[50]:.2f} to {FEWER[5000]:.2f}. Precisions with different n are not comparable, even for "
        "the same generator. Coverage stays at its expected value.",
        settings={"axis": "n", "dimension": 64},
    ),
    Preset(
        name="scale",
        question="64 dimensions, generated points with σ = ½. Precision and recall?",
        options=("1 and 0", "Both near ½", "0 and 1"),
        answer=0,
        reveal="1 and 0: in many dimensions a Gaussian is a shell, and the smaller one lies wholly within the balls of "
        "the larger. With σ = 2 it is 0 and 1.",
        settings={"axis": "k", "dimension": 64, "sigma": 0.5},
    ),
    Preset(
        name="cold",
        question="A trained flow of eight Gaussians is sampled colder and colder. Precision and recall?",
        options=("Precision rises, recall falls", "Both fall", "Nothing changes"),
        answer=1,
        reveal=f"From {COLD[1.0][0]:.2f} and {COLD[1.0][1]:.2f} to {COLD[0.1][0]:.2f} and {COLD[0.1][1]:.2f} at "
        "temperature 0.1. Truncation buys precision only where the middle of the base holds the best samples; here "
        "it is mapped to the threads between the modes.",
        settings={"axis": "temperature"},
    ),
)

KNOB: tuple[Preset, ...] = (
    Preset(
        name="cool",
        question="A prior of pictures of shapes is sampled at temperature 0.25 instead of 1. Distances are taken in "
        "principal components. Precision and recall?",
        options=("Both fall", "Precision rises to 1, recall falls to about 0.1", "Recall rises, precision falls"),
        answer=1,
        reveal=f"From {PLAIN['pca'][0]:.2f} and {PLAIN['pca'][1]:.2f} to {COOLED['pca'][0]:.2f} and "
        f"{COOLED['pca'][1]:.2f}: the trade-off of the textbooks. All samples lie in the thick of the data.",
        settings={"source": "zoo:vqvae-shapes-prior", "embed": "pca"},
    ),
    Preset(
        name="other-space",
        question="The very same cool samples, but distances in the space of a classifier of the shapes. Precision?",
        options=("Still 1", "About ½", "Nearly 0"),
        answer=2,
        reveal=f"{COOLED['classifier'][0]:.2f}, from {PLAIN['classifier'][0]:.2f} at temperature 1. Look at the "
        "samples: an empty ground is close to every picture in principal components, and no shape at all to a "
        "network that tells shapes. The trade-off is one of generator and space together.",
        settings={"source": "zoo:vqvae-shapes-prior", "embed": "classifier", "network": "zoo:precision_recall-shapes"},
    ),
    Preset(
        name="heat",
        question="Now it is heated to temperature 2: more diverse samples. Does recall rise?",
        options=("It rises", "It stays", "It falls too"),
        answer=2,
        reveal=f"It falls, from {PLAIN['pca'][1]:.2f} to {HEATED['pca'][1]:.2f}, and precision from "
        f"{PLAIN['pca'][0]:.2f} to {HEATED['pca'][0]:.2f}. Diversity that is not the data's covers nothing: the best "
        "recall stands near the law that was learned.",
        settings={"source": "zoo:vqvae-shapes-prior", "embed": "pca"},
    ),
)
