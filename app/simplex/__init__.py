"""The simplex stage: a Streamlit component that shows relaxed samples of three categories while τ and π are dragged.

Python sends the Gumbel noise once; samples, density, bars and annealing are computed in the browser at every frame.
What comes back is where τ and π have come to rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.film.bundle import bundle
from app.simplex.events import SimplexEvent, event_of
from app.simplex.memory import Memory
from app.simplex.noise import stage_noise
from app.simplex.settings import Layer, Pass, Scale, Schedule, options
from dgm_core.pack import pack

__all__ = ["Layer", "Pass", "Scale", "Schedule", "SimplexEvent", "simplex_stage", "stage_noise"]

HERE = Path(__file__).parent
SHARED = HERE.parent / "film" / "js"
SCRIPTS = (
    "concrete", "schedules", "raster", "picture", "side", "temperature", "annealing", "settings", "pointer", "simplex",
)  # fmt: skip


def simplex_stage(
    *,
    key: str,
    pi: Sequence[float] = (0.6, 0.3, 0.1),
    tau: float = 1.0,
    samples: int = 2000,
    seed: int = 0,
    height: int = 560,
    autoplay: Schedule | None = None,
    classroom: bool = False,
    show: Sequence[Layer] = ("cloud", "density", "bars"),
    mode: Pass = "soft",
    scale: Scale = "linear",
    on_change: Callable[[], None] | None = None,
) -> SimplexEvent:
    """Show the triangle of three categories.

    What the user sets stays when the page reruns; an argument that changes here wins over it.

    Args:
        key: the stage's name on the page; the same key keeps the same stage.
        pi: three weights, at least one positive; a category of weight 0 is never drawn, and the stage says so.
        tau: temperature, 0 (argmax) to 20.
        samples: size of the cloud, 1 to 5,000.
        seed: of the Gumbel noise, see `app.simplex.noise.stage_noise`.
        height: the picture's largest height, CSS pixels.
        autoplay: an annealing that plays at once, except where the user's system asks for little motion.
        classroom: larger type and lines.
        show: what is shown at first, of ``cloud``, ``density``, ``paths`` and ``bars``.
        mode: the forward pass at first: ``soft``, ``hard`` or ``straight`` (straight-through).
        scale: the density's colours at first: ``linear`` or ``log``.
        on_change: called before the rerun that starts when τ or π has come to rest.

    Returns:
        Where the stage rests: what the user has set last, or the arguments if they changed after that.

    Raises:
        ValueError: for an argument that cannot be shown, in one sentence.
    """
    told = options(pi, tau, samples, height, autoplay, show, mode, scale)
    state = st.session_state.get(key)
    event, asked = _last(state), SimplexEvent(tuple(told["pi"]), told["tau"])
    memory: Memory = st.session_state.setdefault(f"{key}:memory", Memory(asked, asked))
    place = memory.resolve(asked, event)
    told |= {"pi": list(place.pi), "tau": place.tau, "revision": memory.revision, "seen": event.number if event else 0}
    told |= {"seed": int(seed), "classroom": bool(classroom)}
    arrays = {} if _held(state, seed) else {"noise": stage_noise(seed)}
    _stage(key=key, data=pack(told, arrays), on_state_change=on_change or _nothing, on_want_change=_nothing)
    return place


def _last(state: object) -> SimplexEvent | None:
    return event_of(state.get("state")) if isinstance(state, Mapping) else None


def _held(state: object, seed: int) -> bool:
    """Whether the browser has said that it holds this seed's noise: then a dragged π costs few bytes."""
    if not isinstance(state, Mapping) or state.get("want") is not None:
        return False
    sent = state.get("state")
    return isinstance(sent, Mapping) and sent.get("seed") == seed


def _nothing() -> None:
    """Streamlit needs a callback for every value that a component may send."""


_stage: Any = st.components.v2.component(
    "dgm_simplex",
    html=(HERE / "simplex.html").read_text("utf-8"),
    css=(HERE / "simplex.css").read_text("utf-8"),
    js=bundle([SHARED / "unpack.js", SHARED / "dots.js", *(HERE / "js" / f"{name}.js" for name in SCRIPTS)]),
)
