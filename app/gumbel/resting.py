"""A stage that keeps what the user drags in the browser: what it is told at first, and where it has come to rest."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.bones.notes import notes
from app.controls import read_link, standing_notes
from app.memory import Memory
from dgm_core.gumbel.views import ConcreteChecks, text_of


class Resting:
    """The settings of one stage, its address included.

    The stage is told anew only what a link or a preset has changed: what it reported itself would come back late and
    pull the user's hand.

    Args:
        cls: what declares them.
        prefix: of its query parameters.
    """

    def __init__(self, cls: type[ConcreteChecks], prefix: str) -> None:
        read_link(cls, prefix)
        self.cls, self.memory = cls, Memory(cls, prefix)
        notes(standing_notes(self.memory))
        self._told, self._given = f"dgm:gumbel:{prefix}told", f"dgm:gumbel:{prefix}given"

    def given(self) -> tuple[int, ConcreteChecks]:
        """What the stage is told, and a number that grows whenever that is new: a new stage starts there."""
        wanted = self.cls(**self.memory.values)
        number, given = st.session_state.get(self._given, (0, wanted))
        if wanted != st.session_state.get(self._told, given):
            number, given = number + 1, wanted
        st.session_state[self._given] = (number, given)
        return number, given

    def rests(self, pi: Sequence[float], tau: float, seed: int | None = None) -> ConcreteChecks:
        """Keep where the stage rests, and put it into the address; without a seed that of the settings stays."""
        kept = self.memory.values["seed"] if seed is None else seed
        now = self.cls(weights=text_of(pi), tau=round(tau, 4), seed=kept)
        self.memory.values.update(now.model_dump())
        self.memory.slots["good"] = st.session_state[self._told] = now
        for name, value in now.model_dump().items():
            self.memory.publish(name, value)
        return now
