"""The page's Try sections: predictions first, then the plane, a trained model or a prior shows it.

Numbers of the plane and of what is shipped are measured again by a test; those of models that take half a minute to
train, by ``python -m benchmarks vqvae``.
"""

from __future__ import annotations

from dgm_core.presets import Preset

CORNERED, CURED, BEST = (9, 0.77), (16, 0.17), 0.16
"""16 codes that start in one corner: codes in use and distortion in the end, without and with restart; k-means'."""
RUNAWAY = {0.0: 5.2, 0.25: 2.3, 4.0: 0.05}
"""Mean ‖z − e‖² of free outputs after the training, by β."""

PLANE: tuple[Preset, ...] = (
    Preset(
        name="corner",
        question="16 codes start in one corner, far from the points. How many will be in use in the end?",
        options=("1", "9", "16"),
        answer=1,
        reveal=f"{CORNERED[0]}. A code moves only when it wins. The nearest few are pulled in, leave the others behind "
        f"and win for ever: the distortion ends at {CORNERED[1]}, where k-means reaches {BEST}.",
        settings={"encoder": "fixed", "start": "corner", "codes": 16, "patience": 0, "steps": 120, "codebook": "ema",
                  "points": "8gaussians", "decay": 0.9, "count": 300, "seed": 0},
    ),
    Preset(
        name="restart",
        question="The same, but a code that has won nothing for five steps starts anew at a random output. And now?",
        options=("Nothing changes", "All are used, nearly as well as by k-means", "The codes never come to rest"),
        answer=1,
        reveal=f"All {CURED[0]} are used and the distortion falls to {CURED[1]}; k-means, the best of five tries, has "
        f"{BEST}. Restarts stop by themselves once every code wins.",
        settings={"encoder": "fixed", "start": "corner", "codes": 16, "patience": 5, "steps": 120, "codebook": "ema",
                  "points": "8gaussians", "decay": 0.9, "count": 300, "seed": 0},
    ),
    Preset(
        name="no-commitment",
        question="Outputs move freely and β = 0: nothing draws them to their codes. What do they do?",
        options=("They stay where they are", "They run away from their codes", "They fall onto their codes"),
        answer=1,
        reveal="The decoder's gradient, copied from the code, keeps pushing an output even where that changes nothing. "
        f"The mean of ‖z − e‖² ends at {RUNAWAY[0.0]}, with β = ¼ at {RUNAWAY[0.25]}, with β = 4 at {RUNAWAY[4.0]}.",
        settings={"encoder": "free", "beta": 0.0, "start": "random", "codes": 8, "patience": 0, "steps": 120,
                  "points": "8gaussians", "codebook": "ema", "decay": 0.9, "rate": 0.05, "count": 300, "seed": 0,
                  "gradient": "straight-through"},
    ),
    Preset(
        name="balance",
        question="β = 1 and a decoder that changes nothing. How far do the free outputs get from their points?",
        options=("They do not move at all", "Half-way to their codes", "All the way to their codes"),
        answer=0,
        reveal="Not at all. The copied gradient is 2(z_q − x), the commitment's 2(z − z_q): they add up to 2(z − x), "
        "which is 0 where the outputs start. The two arrows at every output cancel.",
        settings={"encoder": "free", "beta": 1.0, "start": "random", "codes": 8, "patience": 0, "steps": 120,
                  "points": "8gaussians", "codebook": "ema", "decay": 0.9, "rate": 0.05, "count": 300, "seed": 0,
                  "gradient": "straight-through"},
    ),
    Preset(
        name="no-memory",
        question="Outputs that stay, and running means that forget everything, γ = 0. Which algorithm is this?",
        options=("Gradient descent", "k-means", "Nearest neighbours"),
        answer=1,
        reveal="Each code jumps to the mean of what it won: one step is one round of Lloyd's k-means. It ends where "
        "that does, in an optimum that depends on the start.",
        settings={"encoder": "fixed", "decay": 0.0, "start": "data", "codes": 8, "patience": 0, "steps": 30,
                  "points": "8gaussians", "codebook": "ema", "count": 300, "seed": 0},
    ),
)  # fmt: skip
"""For `CodebookPlane`."""

SHIPPED = (28.9, 99, 0.057)
"""PSNR in dB and perplexity over the held-out images and the mean of (z − e)², of the default model as shipped."""
DEFAULT = ((28.9, 29.6), (99, 119), (0.04, 0.06))
"""Of the default model; each the least and the largest of the seeds 0, 1 and 2, as in the next five: the PSNR in dB and
the perplexity over the held-out images, and the mean of (z − e)²."""
SIXTEEN = (25.9, 26.1)
UNCURED = ((28.4, 28.9), (26, 32), (0.75, 0.89))
"""Random start and no restart: PSNR, perplexity, the share of codes in use."""
GRID = (29.1, 29.2)
COARSE = (24.1, 24.2)
UNCOMMITTED = ((25.1, 26.5), (4_800, 26_000))
"""β = 0: PSNR, the mean of (z − e)²."""


def span(values: tuple[float, float], digits: int = 1) -> str:
    """From the least to the largest.

    Example:
        >>> span((28.9, 29.6)), span((4_800, 26_000), 0)
        ('28.9–29.6', '4,800–26,000')
    """
    low, high = (f"{value:,.{digits}f}" for value in values)
    return f"{low}–{high}"


IMAGES: tuple[Preset, ...] = (
    Preset(
        name="sixteen",
        question="16 codes instead of 256: 4 bits a patch instead of 8. What does it cost?",
        options=("A tenth of a dB", "About 3 dB", "About 10 dB"),
        answer=1,
        reveal=f"The PSNR of three seeds falls from {span(DEFAULT[0])} to {span(SIXTEEN)} dB. The decoder looks at a "
        "code's neighbours too, so a patch is told by more than its own four bits.",
        settings={"dataset": "shapes"},
        against={"codes": 16},
    ),
    Preset(
        name="uncured",
        question="Codes start at random and none ever starts anew. How much worse do images come back?",
        options=("Half a dB", "5 dB", "Nothing comes back"),
        answer=0,
        reveal=f"With three seeds {span(UNCURED[0])} dB, not {span(DEFAULT[0])}, though the perplexity falls from "
        f"{span(DEFAULT[1], 0)} to {span(UNCURED[1], 0)} and {100 * UNCURED[2][0]:.0f}–{100 * UNCURED[2][1]:.0f} % "
        "of the codes are used: the network arranges itself with the codes that it has.",
        settings={"start": "random", "patience": 0},
    ),
    Preset(
        name="grid",
        question="FSQ learns no codebook: three numbers are rounded to 8, 6 and 5 levels. How well can that work?",
        options=("Far worse", "As well", "Far better"),
        answer=1,
        reveal=f"With three seeds {span(GRID)} dB against {span(DEFAULT[0])} dB, and 240 codes against 256. What a "
        "codebook learns, the encoder can learn instead; nothing can die, so there is nothing to restart.",
        settings={"dataset": "shapes"},
        against={"quantiser": "fsq"},
    ),
    Preset(
        name="coarse",
        question="Patches of 8 × 8 pixels: 16 codes an image instead of 64. Which gets scarce?",
        options=("Codes: all 256 are in use", "Pixels: they come back better", "Nothing changes"),
        answer=0,
        reveal=f"A quarter of the bits, {span(COARSE)} dB instead of {span(DEFAULT[0])}. Each code has to tell a "
        "colour, a place and an edge at once, and the codebook is used nearly twice as evenly.",
        settings={"dataset": "shapes"},
        against={"patch": 8},
    ),
    Preset(
        name="uncommitted",
        question="β = 0 in an image model: nothing draws outputs to their codes. What happens?",
        options=("Nothing: the codes follow", "Outputs and codes grow without end", "Outputs shrink to 0"),
        answer=1,
        reveal=f"The mean of (z − e)² ends at {span(UNCOMMITTED[1], 0)}, by seed, instead of {span(DEFAULT[2], 2)}: "
        f"outputs are pushed for ever and their codes run after them, never near. "
        f"{span(UNCOMMITTED[0])} dB are left of {span(DEFAULT[0])}.",
        settings={"dataset": "shapes"},
        against={"beta": 0.0},
    ),
)
"""For `VQVAE`; A is shipped, B takes about half a minute to train."""

BITS = {"uniform": 512, "independent": 426, "transformer": 132}
"""Of a held-out map of shapes, by law."""
LIKELIEST = 12
"""Bits of the map that temperature 0 paints."""
TYPICAL = 126
"""Bits of a map drawn at temperature 1, by the law itself."""
CORNER_BITS, MIDDLE_BITS = 5.0, 3.7
"""Bits of a held-out map's first code, and of the dearest one in its middle."""

PRIORS: tuple[Preset, ...] = (
    Preset(
        name="histogram",
        question="64 codes of 256 cost 512 bits. How many if one knows how often each code occurs, but no neighbours?",
        options=("About 430", "About 250", "About 130"),
        answer=0,
        reveal=f"{BITS['independent']} bits. That some codes are more frequent tells little; that a code tells its "
        f"neighbours tells the rest: the transformer needs {BITS['transformer']}.",
        settings={"kind": "independent"},
    ),
    Preset(
        name="likeliest",
        question="Temperature 0: every code is the likeliest one. What does the transformer paint?",
        options=("The perfect shape", "Nothing but ground", "Noise"),
        answer=1,
        reveal=f"An empty picture: the likeliest map costs {LIKELIEST} bits, a typical one {TYPICAL}. Each place alone "
        "is most likely ground; no single shape is likely, all shapes together are.",
        settings={"kind": "transformer", "temperature": 0.0},
    ),
    Preset(
        name="first",
        question="Which code of a map is the dearest, in bits?",
        options=("The first", "One in the middle", "The last"),
        answer=0,
        reveal=f"The first: {CORNER_BITS} bits for a ground that nobody knows yet. After it the ground is nearly free "
        f"and what costs is the shape, up to {MIDDLE_BITS} bits a code in the middle.",
        settings={"kind": "transformer", "temperature": 1.0},
    ),
)
"""For `CodePrior`; ``temperature`` is the draw's."""
