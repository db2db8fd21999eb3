"""Controls from the declaration: widgets bound to the address, and a validated Experiment back.

Link and widgets are checked by the browser, by Streamlit and, the only check that counts, by the declaration itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st
from pydantic import ValidationError

from app.bones.notes import notes
from app.memory import Memory, enter_page, went_back_or_forward
from app.widgets import is_bound, widget
from dgm_core.experiment import Experiment, Parameter, problem

__all__ = ["apply_settings", "controls", "enter_page", "read_link", "standing_notes"]

E = TypeVar("E", bound=Experiment)


def controls(
    cls: type[E],
    *,
    prefix: str = "",
    only: Sequence[str] | None = None,
    hide: Sequence[str] = (),
    basic_first: bool = True,
    columns: int = 1,
) -> E:
    """Draw the widgets of an Experiment where the page stands, and return what they say.

    A field whose ``when`` is not met is hidden and keeps its value. Values that contradict each other leave the last
    good Experiment in place, with one sentence that says why.

    Args:
        cls: the Experiment's class.
        prefix: put before the names of keys and query parameters, for a second Experiment on the page.
        only: names of the fields to draw; all by default. Fields that are not drawn keep their values.
        hide: names of fields not to draw.
        basic_first: draw the basic fields at once and the others under "More".
        columns: how many widgets stand side by side.

    Returns:
        A validated Experiment.
    """
    memory = Memory(cls, prefix)
    read_link(cls, prefix)
    place = st.container()
    shown = [p for p in cls.parameters() if (only is None or p.name in only) and p.name not in hide]
    values = {name: memory.current(name) for name in memory.values}
    front = [p for p in shown if p.basic or not basic_first]
    _draw(memory, front, values, columns)
    rest = [p for p in shown if p not in front]
    if any(p.matters(values) for p in rest):
        with st.expander("More", icon=":material/tune:"):
            _draw(memory, rest, values, columns)
    memory.values.update(values)
    experiment, complaint = _validated(memory, values)
    with place:
        notes(standing_notes(memory) + complaint)
    return experiment


def apply_settings(cls: type[Experiment], settings: Mapping[str, Any], *, prefix: str = "", reset: bool = True) -> None:
    """Set the controls, for instance ``st.button(..., on_click=apply_settings, args=(cls, preset.settings))``.

    Args:
        cls: the Experiment's class.
        settings: values by field name.
        prefix: as in `controls`.
        reset: put the fields that are not named back to their defaults.

    Raises:
        pydantic.ValidationError: when the settings make no valid Experiment.
    """
    memory = Memory(cls, prefix)
    start = cls().model_dump() if reset else memory.values
    memory.remember(cls(**{**start, **settings}).model_dump())


def read_link(cls: type[Experiment], prefix: str = "") -> None:
    """On entering a page, read the address, ignore what is no good in it, and keep a note of that.

    The address is put right before any widget sees it: Streamlit would drop a bad value without a word, or take one
    that contradicts another.
    """
    memory = Memory(cls, prefix)
    if not memory.is_new_visit():
        return
    query = {name: st.query_params[memory.key(name)] for name in memory.values if memory.key(name) in st.query_params}
    version = st.query_params.get("v")
    memory.slots["notes"] = []
    if not query and not went_back_or_forward():
        return
    if memory.is_stale(version):
        experiment: Experiment = cls()
        found = [f"This link is for version {(version or '')[:12]} of the page, which is now at {cls.schema_version}; "
                 "its settings are ignored."] if version else []  # fmt: skip
        accepted: dict[str, str] = {}
    else:
        experiment, found = cls.from_query({**_kept(memory), **query})
        accepted = _accepted(experiment, query)
    memory.remember(experiment.model_dump())
    memory.slots.update(notes=found, at=experiment.model_dump(), good=experiment)
    _rewrite(memory, query, accepted)


def _kept(memory: Memory) -> dict[str, str]:
    """What a link leaves as it was: the values of an earlier visit, unless the browser's history is asked for."""
    return {} if went_back_or_forward() else memory.slots["good"].to_query()


def _accepted(experiment: Experiment, query: Mapping[str, str]) -> dict[str, str]:
    """The part of a link that was taken over, as `Experiment.to_query` writes it."""
    written, usual = experiment.to_query(), type(experiment)().to_query()
    return {
        name: written[name] for name, text in query.items() if text == written[name] or written[name] != usual[name]
    }


def _rewrite(memory: Memory, query: Mapping[str, str], accepted: Mapping[str, str]) -> None:
    """Make the address say what was accepted; a rerun lets Streamlit read it from the start."""
    if dict(query) == dict(accepted):
        return
    # One by one: what another widget of the page holds in the address, such as the classroom switch, stays its own.
    bound = {memory.key(name): text for name, text in accepted.items()}
    for name in ({memory.key(name) for name in query} | {"v"}) & set(st.query_params):
        if name not in bound:
            del st.query_params[name]
    for name, text in bound.items():
        if st.query_params.get(name) != text:
            st.query_params[name] = text
    st.rerun()


def _draw(memory: Memory, parameters: Sequence[Parameter], values: dict[str, Any], columns: int) -> None:
    """Draw widgets in turn; what one says decides at once whether the next ones matter."""
    cells = st.columns(columns) if columns > 1 else [st.container()]
    drawn = 0
    for parameter in parameters:
        if not parameter.matters(values):
            continue
        name = parameter.name
        memory.seed(name)
        with cells[drawn % len(cells)]:
            values[name] = widget(memory.cls, parameter, memory.key(name), values[name])
        if not is_bound(parameter):
            memory.publish(name, values[name])
        drawn += 1


def _validated(memory: Memory, values: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """The Experiment of these values, or the last good one and why."""
    try:
        experiment = memory.cls(**values)
    except ValidationError as error:
        where = error.errors()[0]["loc"]
        what = memory.cls.model_fields[str(where[0])].title or str(where[0]) if where else "These settings"
        return memory.slots["good"], [f"{what}: {problem(error)}. The last good settings stay."]
    memory.slots["good"] = experiment
    return experiment, []


def standing_notes(memory: Memory) -> list[str]:
    """Notes about the link, until a control is moved."""
    if memory.slots["notes"] and memory.slots["good"].model_dump() != memory.slots["at"]:
        memory.slots["notes"] = []
    return list(memory.slots["notes"])
