"""What a session remembers of each topic's settings, apart from Streamlit's widgets.

Streamlit forgets a widget that is not drawn, and two topics may name a parameter alike (``steps``, ``seed``), while a
widget's key is the query parameter's name. So each topic's values are kept here, and handed to the widgets when the
topic is shown again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dgm_core.experiment import Experiment

PAGE, VISIT, OWNERS, STALE = "dgm:page", "dgm:visit", "dgm:owners", "dgm:stale"


def enter_page(name: str) -> None:
    """Say which page this run shows; call it once a run, before the page.

    A page that is entered anew reads the address again, so that a link inside the app works like one from outside.
    """
    if st.session_state.get(PAGE) != name:
        st.session_state[PAGE] = name
        st.session_state[VISIT] = st.session_state.get(VISIT, 0) + 1


def went_back_or_forward() -> bool:
    """Whether this run was started by the browser's own history, so that the address alone counts."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


class Memory:
    """One topic's settings in this session.

    Args:
        cls: the topic's Experiment.
        prefix: set for a second Experiment of the same topic on a page.
    """

    def __init__(self, cls: type[Experiment], prefix: str = "") -> None:
        self.cls, self.prefix = cls, prefix
        self.owner = f"{cls.topic or cls.__name__}/{cls.__name__}/{prefix}"
        slot = f"dgm:memory:{self.owner}"
        known = st.session_state.get(slot)
        if known is None or known["values"].keys() != cls.model_fields.keys():  # none yet, or edited while the app runs
            known = {"values": cls().model_dump(), "notes": [], "at": None, "good": cls(), "visit": None}
            st.session_state[slot] = known
        self.slots: dict[str, Any] = known

    @property
    def values(self) -> dict[str, Any]:
        """Every field's value, also of those that are hidden."""
        return self.slots["values"]

    def key(self, name: str) -> str:
        """A field's widget key, which is its query parameter."""
        return f"{self.prefix}{name}"

    def is_new_visit(self) -> bool:
        """Whether the page was entered since this was last asked, or the browser went back or forward."""
        visit = st.session_state.get(VISIT, 0)
        new = self.slots["visit"] != visit
        self.slots["visit"] = visit
        return new or went_back_or_forward()

    def is_stale(self, version: str | None) -> bool:
        """Whether the address is of another schema version; this visit's Experiments then stay at their defaults."""
        visit = st.session_state.get(VISIT, 0)
        if version is not None and version != str(self.cls.schema_version):
            st.session_state[STALE] = visit
        return bool(st.session_state.get(STALE) == visit)

    def remember(self, values: Mapping[str, Any]) -> None:
        """Take over values and hand them to the widgets; call it before the widgets are made or in a callback."""
        self.values.update(values)
        owners = st.session_state.setdefault(OWNERS, {})
        for name, value in values.items():
            st.session_state[self.key(name)] = value
            owners[self.key(name)] = self.owner

    def seed(self, name: str) -> None:
        """Give a widget that is about to be made its value, where Streamlit has none or has another topic's."""
        owners = st.session_state.setdefault(OWNERS, {})
        if self.key(name) not in st.session_state or owners.get(self.key(name)) != self.owner:
            self.remember({name: self.values[name]})
        self._announce(name)

    def publish(self, name: str, value: Any) -> None:
        """Keep the address in step with a widget that Streamlit does not bind: no parameter for the default."""
        key, text = self.key(name), self._text(name, value)
        if value == self.cls.model_fields[name].default:
            if key in st.query_params:
                del st.query_params[key]
        elif st.query_params.get(key) != text:
            st.query_params[key] = text

    def _announce(self, name: str) -> None:
        """Put a value into the address that came there neither by the link nor by its widget: a reload keeps it."""
        value, key = self.current(name), self.key(name)
        if value == self.cls.model_fields[name].default or key in st.query_params:
            return
        with suppress(StreamlitAPIException):  # a widget that was drawn in the last run looks after the address itself
            st.query_params[key] = self._text(name, value)

    def _text(self, name: str, value: Any) -> str:
        return self.cls().model_copy(update={name: value}).to_query()[name]

    def current(self, name: str) -> Any:
        """A field's value now: the widget's where it is ours and alive, the remembered one otherwise."""
        owners = st.session_state.get(OWNERS, {})
        if owners.get(self.key(name)) == self.owner:
            return st.session_state.get(self.key(name), self.values[name])
        return self.values[name]
