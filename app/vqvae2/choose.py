"""Which trained hierarchy the other parts look at, and sliders that the link keeps."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.bones.switch import from_address, to_address
from app.trained import Trained, seen_by_view
from app.vqvae2.models import FIRST
from dgm_core import zoo
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.prior import HierarchicalPrior

MODEL = "model"
YOURS = "yours"
LAST_PRIOR = "dgm:vqvae2:prior"


def autoencoder() -> Trained:
    """A choice among the shipped hierarchies, and the one that this session has trained, where there is one."""
    last: Trained | None = st.session_state.get(f"dgm:{VQVAE2.topic}:last")
    options = {name: name for name in shipped()}
    if last is not None and last.source == "run":
        options[YOURS] = "yours, trained just now"
    from_address(MODEL, options, FIRST)
    if st.session_state.get(MODEL) not in options:
        st.session_state[MODEL] = FIRST
    name = st.selectbox("Model", list(options), format_func=options.__getitem__, key=MODEL, persist_state="session")
    to_address(MODEL, name, FIRST)
    if name == YOURS and last is not None:
        return last
    return Trained("shipped", name or FIRST, zoo.experiment(name or FIRST))


def shipped() -> list[str]:
    """The shipped hierarchies' names."""
    return [name for name in zoo.names(VQVAE2.topic) if isinstance(zoo.experiment(name), VQVAE2)]


def held(label: str, low: float, high: float, start: float, *, key: str, step: float = 1.0, about: str = "") -> float:
    """A slider whose value stands in the link; what is out of its bounds now goes back to the start.

    Args:
        label: above it.
        low, high, start, step: of the slider.
        key: widget key and query parameter.
        about: a tooltip.
    """
    _inside(key, low, high, start)
    return float(st.slider(label, low, high, start, step, key=key, bind="query-params", help=about or None))


def whole(label: str, low: int, high: int, start: int, *, key: str, about: str = "") -> int:
    """`held` for whole numbers."""
    _inside(key, low, high, start)
    return int(st.slider(label, low, high, start, key=key, bind="query-params", help=about or None))


def _inside(key: str, low: float, high: float, start: float) -> None:
    known = st.session_state.get(key)
    if known is not None and not low <= known <= high:
        st.session_state[key] = start


def prior_of(trained: Trained) -> Trained | None:
    """The laws of a hierarchy's codes: shipped, or trained by this session last; None where there are none."""
    seen = seen_by_view(trained)
    last: Trained | None = st.session_state.get(LAST_PRIOR)
    if last is not None and _is_of(last, seen):
        return last
    for name in zoo.names(VQVAE2.topic):
        found = Trained("shipped", name, zoo.experiment(name))
        if isinstance(found.experiment, HierarchicalPrior) and _is_of(found, seen):
            return found
    return None


def _is_of(prior: Trained, seen: dict[str, Any]) -> bool:
    experiment = prior.experiment
    return isinstance(experiment, HierarchicalPrior) and (experiment.source, experiment.at) == (
        seen["source"], seen["at"],
    )  # fmt: skip
