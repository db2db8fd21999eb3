"""What a simplex stage can be told, with its bounds: the names, the colours, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

from app.figures.palette import BASE, DATA, GROUND, INK, MODEL, MUTED

Layer = Literal["cloud", "density", "paths", "bars"]
Schedule = Literal["exponential", "linear", "cosine", "jang"]
Pass = Literal["soft", "hard", "straight"]
Scale = Literal["linear", "log"]

CATEGORIES = 3
SAMPLES = (1, 5000)
TAU = (0.0, 20.0)
"""0 is the argmax."""
HEIGHTS = (240, 2000)
HUES = (MODEL, DATA, BASE)
"""Blue, orange, green: the three that stay apart for all kinds of colour vision, on light and dark ground."""
RAMPS = {"light": ["#f1efea", "#c5cbdb", "#8491b4"], "dark": ["#1c212b", "#37425c", "#6879ab"]}
"""The density's colours are those of the page itself, so that the hues of the three categories stand out on it."""
COLOURS = {
    shade: {
        "categories": [hue.on(shade == "dark") for hue in HUES],
        "ramp": RAMPS[shade],
        "rim": GROUND.on(shade == "dark"),
        "edge": MUTED.on(shade == "dark"),
        "ink": INK.on(shade == "dark"),
    }
    for shade in ("light", "dark")
}


def probabilities(pi: Sequence[float]) -> tuple[float, ...]:
    """Three weights as probabilities.

    Raises:
        ValueError: for another number of weights, negative ones, all zero, or what is no finite number.

    Example:
        >>> probabilities((6, 3, 1))
        (0.6, 0.3, 0.1)
        >>> probabilities((1, 0, 0))
        (1.0, 0.0, 0.0)
    """
    weights = [float(weight) for weight in pi]
    if len(weights) != CATEGORIES:
        raise ValueError(f"the triangle has {CATEGORIES} categories; pi has {len(weights)} weights")
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
        raise ValueError(f"pi is {tuple(weights)}; every weight must be a finite number and not negative")
    if sum(weights) == 0:
        raise ValueError("all weights of pi are 0; at least one must be positive")
    if not math.isfinite(sum(weights)):
        weights = [weight / max(weights) for weight in weights]
    total = sum(weights)
    # What is a distribution up to rounding stays as it is, so that its decimals come back from a link unchanged.
    return tuple(weights) if abs(total - 1) < 1e-9 else tuple(weight / total for weight in weights)


def options(
    pi: Sequence[float],
    tau: float,
    samples: int,
    height: int,
    autoplay: str | None,
    show: Sequence[str],
    mode: str,
    scale: str,
) -> dict[str, Any]:
    """The stage's arguments, checked, ready for JSON.

    Raises:
        ValueError: for an argument that cannot be shown, in one sentence.

    Example:
        >>> options((2, 1, 1), 1, 2000, 560, None, ("cloud",), "soft", "linear")["pi"]
        [0.5, 0.25, 0.25]
    """
    if not (math.isfinite(tau) and TAU[0] <= tau <= TAU[1]):
        raise ValueError(f"a temperature of {tau} cannot be shown; choose {TAU[0]:g} (argmax) to {TAU[1]:g}")
    for name, size, (least, most) in (("samples", samples, SAMPLES), ("height", height, HEIGHTS)):
        if not least <= size <= most:
            raise ValueError(f"{name} is {size}; choose {least} to {most}")
    for name, value, known in (("mode", mode, get_args(Pass)), ("scale", scale, get_args(Scale))):
        if value not in known:
            raise ValueError(f"{name} is {value!r}; choose one of {', '.join(known)}")
    if autoplay is not None and autoplay not in get_args(Schedule):
        raise ValueError(f"there is no schedule {autoplay!r}; choose one of {', '.join(get_args(Schedule))}")
    strangers = [layer for layer in show if layer not in get_args(Layer)]
    if strangers:
        raise ValueError(f"there is no layer {strangers[0]!r}; choose from {', '.join(get_args(Layer))}")
    return {
        "pi": list(probabilities(pi)), "tau": float(tau), "samples": int(samples), "height": int(height),
        "autoplay": autoplay, "show": list(show), "mode": mode, "scale": scale, "colours": COLOURS,
    }  # fmt: skip
