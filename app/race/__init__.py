"""The race: a Streamlit component in which up to twenty categories draw Gumbel noise and the largest log π + G wins.

Python sends logits, temperature and seed; draws, winners and tallies are made in the browser, and so is E[z], by
quadrature. What comes back is where logits, temperature and seed have come to rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.figures.palette import DATA, LATENT, MODEL
from app.film.bundle import bundle
from app.race.events import SEEDS, TAU, RaceEvent, centred, event_of

__all__ = ["RaceEvent", "category_race"]

HERE = Path(__file__).parent
SHARED = HERE.parent / "simplex" / "simplex.css"
COLOURS = {
    ground: {name: hue.on(ground == "dark") for name, hue in (("model", MODEL), ("data", DATA), ("latent", LATENT))}
    for ground in ("light", "dark")
}


def category_race(
    *, key: str, logits: Sequence[float], tau: float = 1.0, seed: int = 0, classroom: bool = False
) -> RaceEvent:
    """Show the race.

    What the user sets stays when the page reruns; arguments that change start a fresh one.

    Args:
        key: the race's name on the page; the same key keeps the same race.
        logits: (K,), 1 to 20 of them; −∞ for a category that cannot be drawn.
        tau: temperature, 0 (argmax) to 20.
        seed: of the noise, 0 to 999,999.
        classroom: larger type.

    Returns:
        Where the race rests: what the user has set last, or the arguments.

    Raises:
        ValueError: for an argument that cannot be shown, in one sentence.
    """
    if not (math.isfinite(tau) and TAU[0] <= tau <= TAU[1]):
        raise ValueError(f"a temperature of {tau} cannot be shown; choose {TAU[0]:g} (argmax) to {TAU[1]:g}")
    if not SEEDS[0] <= seed <= SEEDS[1]:
        raise ValueError(f"a seed of {seed} cannot be shown; choose {SEEDS[0]} to {SEEDS[1]:,}")
    places = centred(logits)
    asked = {"logits": places, "tau": float(tau), "seed": int(seed)}
    memory = f"{key}:asked"
    before, number, seen = st.session_state.get(memory, (None, 0, None))
    state = st.session_state.get(key)
    stamp = _stamp(state)
    if before != asked:
        number, seen = number + 1, stamp
        st.session_state[memory] = (asked, number, seen)
    result = _race(
        key=key,
        data={**asked, "classroom": bool(classroom), "colours": COLOURS, "number": number},
        on_state_change=_nothing,
    )
    told = event_of(result.get("state")) if _stamp(result) != seen else None
    return told or RaceEvent(tuple(-math.inf if logit is None else logit for logit in places), float(tau), int(seed))


def _stamp(state: object) -> object:
    """When the browser told its state, as it says itself; None before it has."""
    sent = state.get("state") if isinstance(state, Mapping) else None
    return sent.get("n") if isinstance(sent, Mapping) else None


def _nothing() -> None:
    """Streamlit needs a callback for every value that a component may send."""


_race: Any = st.components.v2.component(
    "dgm_race",
    html=(HERE / "race.html").read_text("utf-8"),
    css=SHARED.read_text("utf-8") + (HERE / "race.css").read_text("utf-8"),
    js=bundle([HERE / "js" / f"{name}.js" for name in ("draws", "expectation", "lanes", "race")]),
)
